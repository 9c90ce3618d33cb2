"""Names of codecs that a scenario may write."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, Strict

STATE = r"(fp32|fp16|int8|int4|int8_token|int4_token)(\+informative)?(\+zlib)?"
IMAGE = r"(raw|png|jpeg([1-9][0-9]?|100))"
STATE_WORDS = (
    "fp32, fp16, int8, int4, int8_token or int4_token, each with '+zlib' or without, "
    "and inside a stage of Evo-ViT with '+informative' before it"
)
IMAGE_WORDS = "raw, png or jpeg1 to jpeg100"

StateCodec = Annotated[str, Field(pattern=f"^{STATE}$", title=STATE_WORDS)]
ImageCodec = Annotated[str, Field(pattern=f"^{IMAGE}$", title=IMAGE_WORDS)]
AnyCodec = Annotated[str, Field(pattern=f"^({STATE}|{IMAGE})$", title=f"{IMAGE_WORDS}; {STATE_WORDS}")]
Codecs = Annotated[tuple[AnyCodec, ...], Strict(False)]


def is_image_codec(name: str) -> bool:
    """Whether ``name`` (a valid codec) is one for cut 0, the image."""
    return name in ("raw", "png") or name.startswith("jpeg")
