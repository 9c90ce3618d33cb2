"""Evo-DeiT against the authors' outputs, a token-by-token rewrite, timm's DeiT and its own pieces (Xu et al. 2022)."""

from __future__ import annotations

import sys
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")
import timm  # noqa: E402
from informative_states import through_informative  # noqa: E402

from edgesim.codecs.tensors import decode, encode  # noqa: E402
from edgesim.models.backbones.evo import order_dtype, select  # noqa: E402
from edgesim.models.backbones.evo_deit import VARIANTS, EvoDeiT  # noqa: E402
from edgesim.models.multi_exit import MultiExit  # noqa: E402
from edgesim.profiling.exporting import export_model  # noqa: E402
from edgesim.profiling.macs import block_macs, head_macs, parameters  # noqa: E402

PARITY = Path(__file__).parents[3] / "shared" / "parity"
SMALL: dict[str, Any] = {
    "img_size": 32,
    "patch_size": 4,
    "in_chans": 1,
    "num_classes": 10,
    "width": 16,
    "depth": 6,
    "heads": 2,
    "select_before": (2, 4),
}


def small(seed: int = 0, **changes: Any) -> EvoDeiT:
    """A small model whose every tensor matters."""
    torch.manual_seed(seed)
    model = EvoDeiT(**{**SMALL, **changes}).eval()
    for value in model.parameters():
        torch.nn.init.normal_(value, std=0.3)
    return model


def images(seed: int = 1, count: int = 3) -> Any:
    return torch.randn(count, 1, 32, 32, generator=torch.Generator().manual_seed(seed))


@pytest.fixture(scope="module")
def parity() -> Any:
    """The module that reads the reference outputs."""
    if not (PARITY / "evo_deit_tiny.pt").exists():
        pytest.skip("no reference outputs beside the project")
    sys.path.insert(0, str(PARITY))
    try:
        import reference
    finally:
        sys.path.remove(str(PARITY))
    return reference


@pytest.fixture(scope="module")
def reference(parity: Any) -> dict[str, Any]:
    return parity.load("evo_deit_tiny")


@pytest.fixture(scope="module")
def tiny(reference: dict[str, Any]) -> EvoDeiT:
    model = EvoDeiT(**VARIANTS["evo_deit_tiny"]).eval()
    model.load_state_dict(dict(model.released(reference["state_dict"])))
    return model


def check_statistics(tensor: Any, expected: dict[str, Any], tolerance: float) -> None:
    values = tensor.double()
    assert list(tensor.shape) == expected["shape"]
    assert tensor[0].numel() * 4 == expected["bytes_per_image"]
    assert float(values.norm()) == pytest.approx(expected["norm"], rel=tolerance)
    assert float(values.std()) == pytest.approx(expected["std"], rel=tolerance)
    assert float(values.mean()) == pytest.approx(expected["mean"], abs=tolerance * expected["std"])
    head = torch.tensor(expected["head"], dtype=torch.float64)
    assert float((values.flatten()[: len(head)] - head).norm() / head.norm()) < tolerance


@torch.inference_mode()
def test_the_authors_outputs_and_every_cut_are_met(parity: Any, reference: dict[str, Any], tiny: EvoDeiT) -> None:
    tolerance = reference["meta"]["tolerance_rel"]
    *cuts, (_, output) = reference["meta"]["cuts"]
    assert ["stem", *(name for name, _ in cuts[1:])] == list(tiny.block_names)
    state: Any = reference["input"]
    for index, (_, tensors) in enumerate(cuts):
        state = tiny.run(state, index, index + 1)
        assert state.keys() - {"order"} == {"tokens" if name == "x" else name for name in tensors}
        for name, statistics in tensors.items():
            check_statistics(state["tokens" if name == "x" else name], statistics, tolerance)
    logits = tiny.head(state)
    check_statistics(logits, output["logits"], tolerance)
    assert parity.compare(logits, reference["output"])["rel"] < tolerance


@pytest.mark.parametrize("mistake", ["averages early", "selects in every block", "keep", "no placeholders", "eps"])
@torch.inference_mode()
def test_a_single_mistake_shows(reference: dict[str, Any], tiny: EvoDeiT, mistake: str) -> None:
    """The reference tells the readings apart, by far more than the tolerance."""
    model = deepcopy(tiny)
    if mistake == "averages early":
        model._has_order = lambda after: after > 2
    elif mistake == "selects in every block":
        model.select_before = tuple(range(4, 12))
    elif mistake == "keep":
        model._kept = 110
    elif mistake == "eps":
        for module in model.modules():
            if isinstance(module, torch.nn.LayerNorm):
                module.eps = 1e-5
    state = model.run(reference["input"], 0, 13)
    if mistake == "no placeholders":
        state = {**state, "tokens": state["tokens"][:, :99]}
    error = (model.head(state) - reference["output"]).norm() / reference["output"].norm()
    assert error > 5 * reference["meta"]["tolerance_rel"]


@torch.inference_mode()
def test_the_authors_classifier_of_the_class_token_is_taken_or_left(reference: dict[str, Any], tiny: EvoDeiT) -> None:
    model = EvoDeiT(**VARIANTS["evo_deit_tiny"], class_head=True).eval()
    model.load_state_dict(dict(model.released(reference["state_dict"])))
    state = model.run(reference["input"], 0, 13)
    assert torch.equal(model.head(state), tiny(reference["input"]))
    weights = reference["state_dict"]
    normed = torch.nn.functional.layer_norm(
        state["tokens"][:, 0], (192,), weights["norm_cls.weight"], weights["norm_cls.bias"], 1e-6
    )
    expected = torch.nn.functional.linear(normed, weights["head_cls.weight"], weights["head_cls.bias"])
    assert torch.allclose(model.class_logits(state), expected, atol=1e-5)
    with pytest.raises(ValueError, match="class_head"):
        tiny.class_logits(state)


@pytest.mark.parametrize(
    ("name", "with_class_head", "without"),
    [
        ("evo_deit_tiny", 5_910_800, 5_717_416),
        ("evo_deit_small", 22_436_432, 22_050_664),
        ("evo_deit_base", 87_338_192, 86_567_656),
        ("evo_deit_tiny_patch16_224", 5_910_800, 5_717_416),
    ],
)
def test_parameters_are_the_published_ones(name: str, with_class_head: int, without: int) -> None:
    with torch.device("meta"):
        models = [EvoDeiT(**VARIANTS[name], class_head=class_head) for class_head in (True, False)]
    assert [parameters(model) for model in models] == [with_class_head, without]


def test_macs_are_the_published_ones() -> None:
    model = EvoDeiT(**VARIANTS["evo_deit_tiny"]).eval()
    macs = [*block_macs(model), head_macs(model)]
    assert sum(macs) == pytest.approx(817.8e6, abs=0.5e6)
    for blocks, share in ((1, 3.5), (2, 16.0), (5, 53.4), (6, 59.3), (9, 76.7), (12, 94.2)):
        assert 100 * sum(macs[:blocks]) / sum(macs) == pytest.approx(share, abs=0.1)


def rewritten(model: EvoDeiT, image: Any, kept: int, starts: tuple[int, ...]) -> list[tuple[Any, Any, list[int]]]:
    """After each block: the patch tokens and class attention of one image in image order, and their present order."""
    found: Any = model.run(image[None], 0, 1)
    tokens = found["tokens"][0].clone()  # always in image order, class token first
    count = len(tokens) - 1
    order, attention, awake, history = list(range(count)), [0.0] * count, list(range(count)), []
    for number, block in enumerate(model.blocks):
        if number in starts:
            order = sorted(order, key=lambda place: -attention[place])
            awake = order[:kept]
        rows = [0, *(place + 1 for place in awake)]
        chosen = tokens[rows]
        normed = block.norm1(chosen)
        query, key, value = block.attn.qkv(normed).chunk(3, -1)
        mixed, to_patches = [], torch.zeros(len(awake), dtype=image.dtype)
        for q, k, v in zip(*(part.split(8, -1) for part in (query, key, value)), strict=True):
            weights = (q @ k.T / 8**0.5).softmax(-1)
            mixed.append(weights @ v)
            to_patches += weights[0, 1:]
        chosen = chosen + block.attn.proj(torch.cat(mixed, -1))
        tokens[rows] = chosen + block.mlp(block.norm2(chosen))
        for place, new in zip(awake, to_patches.tolist(), strict=True):
            attention[place] = new if number < starts[0] else 0.5 * attention[place] + 0.5 * new
        history.append((tokens[1:].clone(), torch.tensor(attention, dtype=image.dtype), order))
    return history


@pytest.mark.parametrize(
    ("changes", "kept"),
    [({}, 32), ({"keep": 0.3}, 19), ({"select_before": (1, 2, 5)}, 32), ({"select_before": (3, 4, 5)}, 32)],
)
@torch.inference_mode()
def test_one_token_at_a_time(changes: dict[str, Any], kept: int) -> None:
    """Selection, moving average and order, at every cut; tokens come in image order, which the state is not in."""
    model = small(**changes).double()  # so that no two values are too near to be ranked
    for block in model.blocks:  # sharp attention leaves some informative tokens behind the others
        block.attn.qkv.weight[:32] *= 4
    batch = images().double()
    starts = {**SMALL, **changes}["select_before"]
    expected = [rewritten(model, image, kept, starts) for image in batch]
    state: Any = model.run(batch, 0, 1)
    for after in range(2, model.num_blocks + 1):
        state = model.run(state, after - 1, after)
        patches = model.tokens(state).patches
        for sample, history in enumerate(expected):
            tokens, attention, order = history[after - 2]
            assert torch.allclose(patches[sample], tokens)
            if "class_attn" in state:
                assert torch.allclose(state["class_attn"][sample], attention[order])
            assert ("order" in state) == (after > starts[0] + 1)
            if "order" in state:
                assert state["order"][sample].tolist() == order != sorted(order)
    assert not torch.allclose(state["tokens"][:, 1:], patches)
    assert torch.equal(model.tokens(state).class_token, state["tokens"][:, 0])
    averaged = torch.stack([history[-1][0].mean(0) for history in expected])
    assert torch.allclose(model(batch), model.classifier(model.norm(averaged)))
    if starts == (3, 4, 5):  # tokens that rested come in again
        assert {*expected[0][3][2][:kept]} != {*expected[0][4][2][:kept]} != {*expected[0][5][2][:kept]}


def test_it_can_be_measured_on_another_machine() -> None:
    export_model(MultiExit(small(), {}))  # compares the answers itself


@torch.inference_mode()
def test_ties_keep_their_order() -> None:
    model = small()
    for block in model.blocks:  # attention without queries is uniform
        block.attn.qkv.weight[:16] = 0
        block.attn.qkv.bias[:16] = 0
    state = model.run(images(), 0, 2)
    assert float(state["class_attn"].std(1).max()) == 0
    for cut in (4, 6):  # the informative ones have higher values by the second time
        state = model.run(images(), 0, cut)
        assert torch.equal(state["order"], torch.arange(64, dtype=torch.uint8).expand(3, -1))


def test_the_selection_is_stable_and_keeps_what_it_is_given() -> None:
    class_attn = torch.tensor([1.0, 3.0, 2.0]).repeat(2, 100)
    tokens = torch.arange(602.0).view(2, 301, 1)
    given = {"tokens": tokens, "class_attn": class_attn}
    before = deepcopy(given)
    state = select(given, 150)
    expected = [*range(1, 300, 3), *range(2, 300, 3), *range(0, 300, 3)]
    assert state["order"].tolist() == [expected, expected]
    assert state["tokens"][1, :, 0].tolist() == [301.0, *(302.0 + place for place in expected[:150])]
    assert state["placeholders"][1, :, 0].tolist() == [302.0 + place for place in expected[150:]]
    assert all(torch.equal(given[name], value) for name, value in before.items())
    again = select({"tokens": tokens, "class_attn": class_attn, "order": state["order"]}, 150)
    assert again["order"][0].tolist() == [expected[place] for place in expected]


@pytest.mark.parametrize("changes", [{}, {"keep": 1.0}, {"keep": 0.25}, {"select_before": (2, 3, 4, 5)}])
@torch.inference_mode()
def test_chain_equals_whole_and_cuts_are_what_crosses(changes: dict[str, Any]) -> None:
    model = small(**changes)
    batch = images()
    whole = model(batch)
    state: Any = batch
    for cut in range(1, model.num_blocks):
        state = model.run(state, cut - 1, cut)
        specs = model.cut_spec(cut)
        assert all(value.is_contiguous() for value in state.values())
        assert {name: (tuple(value.shape[1:]), str(value.dtype)) for name, value in state.items()} == {
            spec.name: (spec.shape, f"torch.{spec.dtype}") for spec in specs
        }
        assert {spec.name for spec in specs if spec.kind == "index"} == {"order"} & state.keys()
        before = {name: value.clone() for name, value in state.items()}
        assert torch.equal(model.head(model.run(state, cut, model.num_blocks)), whole)
        assert all(torch.equal(state[name], value) for name, value in before.items())
        arrived = decode("fp32", encode("fp32", state), specs)
        assert torch.equal(model.head(model.run(arrived, cut, model.num_blocks)), whole)
        shape, tokens = model.token_shape(cut), model.tokens(state)
        assert tokens.patches.shape == (3, 64, 16) and tokens.grid == shape.grid == (8, 8) and shape.class_token
    assert model.cut_spec(0)[0].shape == (1, 32, 32) and model.cut_spec(model.num_blocks) == ()


@torch.inference_mode()
def test_two_models_in_turn_do_not_mix_and_samples_are_apart() -> None:
    first, second = small(0), small(1)
    ours, others = images(1), images(2, 4)
    expected = first(ours), second(others)
    one: Any = ours
    two: Any = others
    for index in range(first.num_blocks):
        one, two = first.run(one, index, index + 1), second.run(two, index, index + 1)
    assert torch.equal(first.head(one), expected[0]) and torch.equal(second.head(two), expected[1])
    assert torch.allclose(first(ours[1:2]), expected[0][1:2], rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize(("count", "dtype"), [(196, "uint8"), (256, "uint8"), (257, "int16"), (32769, "int32")])
def test_the_order_takes_the_smallest_type_that_holds_it(count: int, dtype: str) -> None:
    assert order_dtype(count) == dtype
    assert torch.iinfo(getattr(torch, dtype)).max >= count - 1


@torch.inference_mode()
def test_more_than_256_tokens() -> None:
    model = small(patch_size=1, img_size=17)
    state = model.run(torch.randn(2, 1, 17, 17), 0, 5)
    assert state["order"].dtype == torch.int16
    assert torch.equal(state["order"].sort(1).values, torch.arange(289, dtype=torch.int16).expand(2, -1))


@torch.inference_mode()
def test_weights_of_deit_fit_and_without_selection_it_is_deit() -> None:
    torch.manual_seed(0)
    geometry = {"img_size": 32, "patch_size": 4, "in_chans": 1, "num_classes": 10}
    deit = timm.create_model("deit_tiny_patch16_224", **geometry, depth=6).eval()
    for value in deit.parameters():
        torch.nn.init.normal_(value, std=0.1)
    model = EvoDeiT(**geometry, width=192, heads=3, depth=6, select_before=(2, 4), keep=1.0).eval()
    model.load_state_dict(dict(model.released(deit.state_dict())))
    state = model.run(images(), 0, 7)
    assert "order" not in state
    expected = deit.norm(state["tokens"])
    assert torch.allclose(expected, deit.forward_features(images()), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("class_head", [False, True])
def test_a_fresh_model_learns(class_head: bool) -> None:
    torch.manual_seed(0)
    model = EvoDeiT(**SMALL, drop_path=0.1, class_head=class_head)
    batch, labels = images(count=8), torch.arange(8)
    optimizer = torch.optim.AdamW(model.parameters(), 3e-3)
    losses = []
    for _ in range(40):
        state: Any = model.run(batch, 0, 7)
        loss = torch.nn.functional.cross_entropy(model.head(state), labels)
        if class_head:
            loss = loss + torch.nn.functional.cross_entropy(model.class_logits(state), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert all(value.grad is not None for value in model.parameters())
    assert losses[-1] < 0.5 * losses[0]


@torch.inference_mode()
def test_only_the_informative_tokens_are_sent() -> None:
    model = small()
    batch = images()
    whole = model(batch)
    for cut in range(1, model.num_blocks):
        state: Any = model.run(batch, 0, cut)
        found = through_informative(state, model.cut_spec(cut))
        if found is None:
            continue
        arrived, specs = found
        logits = model.head(model.run(arrived, cut, model.num_blocks))
        assert {spec.name: spec.shape for spec in specs} == {
            "tokens": (33, 16),
            "class_attn": (64,),
            "order": (64,),
            "placeholder_mean": (1, 16),
        }
        for name in ("tokens", "class_attn", "order"):
            assert torch.equal(arrived[name], state[name])
        assert (arrived["placeholders"] == arrived["placeholders"][:, :1]).all()
        assert torch.allclose(arrived["placeholders"].mean(1), state["placeholders"].mean(1), atol=1e-5)
        if cut == 6:  # in the last stage the head needs nothing but the mean
            assert torch.allclose(logits, whole, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"keep": 0.0}, "keep"),
        ({"keep": 1.5}, "keep"),
        ({"select_before": (0, 4)}, r"blocks 1\.\.5"),
        ({"select_before": (2, 6)}, r"blocks 1\.\.5"),
        ({"select_before": (4, 2)}, "increase"),
    ],
)
def test_a_selection_that_cannot_be_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        small(**changes)


def test_a_damaged_checkpoint_keeps_the_names_without_a_place() -> None:
    released = small().released({"qks.0.qk.bias": torch.zeros(32), "vs.1.v.bias": torch.zeros(16)})
    assert list(released) == ["qks.0.qk.bias", "vs.1.v.bias"]
