"""Images at cut 0: their codecs, and preprocessing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING

import numpy as np

from edgesim.codecs.names import parse

if TYPE_CHECKING:
    from torch import Tensor


def encode_image(name: str, image: np.ndarray) -> bytes:
    """The payload of one (H, W, C) uint8 image: its pixels (``raw``), or a PNG or JPEG file as Pillow writes it.

    PNG at Pillow's default compression, JPEG of the named quality with Pillow's default 4:2:0 chroma.
    Raises ValueError for a state codec, or for PNG and JPEG of other than 1 or 3 channels.
    """
    codec = parse(name)
    if codec.base == "raw":
        return image.tobytes()
    if not codec.is_image:
        raise ValueError(f"{name} is a codec for states, not for images")
    if image.shape[-1] not in (1, 3):
        raise ValueError(f"{name} needs images of 1 or 3 channels, found {image.shape[-1]}")
    from PIL import Image

    file = BytesIO()
    picture = Image.fromarray(image[..., 0] if image.shape[-1] == 1 else image)
    if codec.base == "png":
        picture.save(file, "PNG")
    else:
        picture.save(file, "JPEG", quality=codec.quality)
    return file.getvalue()


def decode_image(name: str, payload: bytes, shape: tuple[int, int, int]) -> np.ndarray:
    """The (H, W, C) uint8 image in a payload; ValueError where it holds another shape or cannot be read."""
    if parse(name).base == "raw":
        return np.frombuffer(payload, np.uint8).reshape(shape).copy()
    from PIL import Image, UnidentifiedImageError

    try:
        image = np.array(Image.open(BytesIO(payload), formats=("PNG", "JPEG")))
    except (UnidentifiedImageError, OSError) as error:
        raise ValueError(f"the {name} payload is no image: {error}") from error
    return image.reshape(shape)


def roundtrip_images(name: str, images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """What the receiver of each of (N, H, W, C) images sees, and the payload bytes (N,)."""
    payloads = [encode_image(name, image) for image in images]
    sizes = np.array([len(payload) for payload in payloads])
    if parse(name).is_lossless:
        return images, sizes
    return np.stack([decode_image(name, payload, images.shape[1:]) for payload in payloads]), sizes


@dataclass(frozen=True)
class Preprocess:
    """uint8 images to what a model takes.

    mean, std: per channel of the model, of pixels scaled to 0..1.  input_size: (C, H, W).  Images of another size are
    resized (bilinear, antialiased), grey ones repeated over the channels; nothing is cropped.
    """

    mean: tuple[float, ...]
    std: tuple[float, ...]
    input_size: tuple[int, int, int]

    def __call__(self, images: np.ndarray) -> Tensor:
        """(B, H, W, C) uint8 to (B, C', H', W') float32; ValueError where the channels do not fit."""
        return preprocess(images, self.mean, self.std, self.input_size)


def preprocess(images: np.ndarray, mean: Sequence[float], std: Sequence[float], size: tuple[int, int, int]) -> Tensor:
    """See :class:`Preprocess`."""
    import torch

    channels, height, width = size
    if images.shape[-1] not in (1, channels):
        raise ValueError(f"the model takes {channels} channels, the images have {images.shape[-1]}")
    pixels = torch.from_numpy(np.ascontiguousarray(images)).permute(0, 3, 1, 2).float().div_(255.0)
    if pixels.shape[2:] != (height, width):
        pixels = torch.nn.functional.interpolate(pixels, (height, width), mode="bilinear", antialias=True)
    centre, spread = (torch.tensor(values).reshape(1, -1, 1, 1) for values in (mean, std))
    return (pixels.expand(-1, channels, -1, -1) - centre).div_(spread).contiguous()
