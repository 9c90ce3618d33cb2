"""What the tests of both families of Evo-ViT ask of a state of which only the informative tokens are sent."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from edgesim.codecs.informative import complete, informative, informative_spec
from edgesim.codecs.names import payload_bytes
from edgesim.codecs.tensors import decode, encode, roundtrip

REFUSED = "only Evo-ViT's inside a stage"


def through_informative(state: Any, cut_spec: Any) -> tuple[Any, Any] | None:
    """The state as it arrives, and what was sent of it; None where the cut has no informative tokens and is refused."""
    if "placeholders" not in state:
        with pytest.raises(ValueError, match=REFUSED):
            encode("fp32+informative", state)
        with pytest.raises(ValueError, match=REFUSED):
            informative_spec(cut_spec)
        return None
    sent, specs = informative(state), informative_spec(cut_spec)
    arrived = complete(decode("fp32", encode("fp32", sent), specs))
    assert {name: value.shape for name, value in arrived.items()} == {k: v.shape for k, v in state.items()}
    assert all(value.is_contiguous() for value in arrived.values())
    for name in ("fp32+informative", "int8_token+informative", "int4+informative+zlib"):
        through, sizes = roundtrip(name, state)
        payloads = encode(name, state)
        back = decode(name, payloads, cut_spec)
        assert all(torch.equal(through[key], back[key]) for key in state)
        assert sizes.tolist() == [len(payload) for payload in payloads]
        assert {payload_bytes(name, cut_spec)} <= {None, *sizes}
        alone = {key: value[1:2] for key, value in state.items()}
        assert encode(name, alone) == payloads[1:2] and len(payloads[0]) < len(encode("int8", state)[0]) * 4
    assert all(torch.equal(arrived[key], value) for key, value in roundtrip("fp32+informative", state)[0].items())
    return arrived, specs
