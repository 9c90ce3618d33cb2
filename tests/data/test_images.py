"""Image codecs at cut 0, and preprocessing."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from edgesim.data.fashion_mnist import MEAN, STD, shipped_split
from edgesim.data.images import Preprocess, decode_image, encode_image, roundtrip_images


@pytest.fixture(scope="module")
def grey() -> np.ndarray:
    return shipped_split("test").images[:20]


@pytest.fixture(scope="module")
def colour() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (3, 16, 24, 3), dtype=np.uint8)


@pytest.mark.parametrize("codec", ["raw", "png"])
def test_lossless_codecs_give_the_very_image(codec: str, grey: np.ndarray, colour: np.ndarray) -> None:
    for images in (grey, colour):
        for image in images:
            assert np.array_equal(decode_image(codec, encode_image(codec, image), image.shape), image)


@pytest.mark.parametrize("codec", ["raw", "png", "jpeg75"])
def test_roundtrip_is_encode_then_decode(codec: str, grey: np.ndarray) -> None:
    arrived, sizes = roundtrip_images(codec, grey)
    payloads = [encode_image(codec, image) for image in grey]
    assert sizes.tolist() == [len(payload) for payload in payloads]
    back = np.stack([decode_image(codec, payload, grey.shape[1:]) for payload in payloads])
    assert np.array_equal(arrived, back)


def test_sizes_are_those_of_the_files(grey: np.ndarray) -> None:
    assert {len(encode_image("raw", image)) for image in grey} == {784}
    assert encode_image("png", grey[0]).startswith(b"\x89PNG")
    assert encode_image("jpeg75", grey[0]).startswith(b"\xff\xd8")


def test_jpeg_loses_less_at_higher_quality(grey: np.ndarray) -> None:
    errors = {}
    for quality in (5, 50, 95):
        arrived, sizes = roundtrip_images(f"jpeg{quality}", grey)
        errors[quality] = (np.abs(arrived.astype(int) - grey).mean(), -sizes.mean())
    assert errors[5] > errors[50] > errors[95] > (0, -1e9)
    assert sizes.mean() > 300


def test_what_cannot_be_coded_is_refused(grey: np.ndarray) -> None:
    with pytest.raises(ValueError, match="for states"):
        encode_image("int8", grey[0])
    with pytest.raises(ValueError, match="channels"):
        encode_image("png", np.zeros((4, 4, 2), np.uint8))
    with pytest.raises(ValueError, match="no image"):
        decode_image("png", b"not a picture", (28, 28, 1))
    with pytest.raises(ValueError, match="no image"):
        decode_image("jpeg75", encode_image("jpeg75", grey[0])[:100], (28, 28, 1))
    with pytest.raises(ValueError):
        decode_image("png", encode_image("png", grey[0]), (16, 16, 1))


def test_preprocessing_normalises_and_is_contiguous(grey: np.ndarray) -> None:
    pixels = Preprocess((MEAN,), (STD,), (1, 28, 28))(grey)
    assert pixels.shape == (20, 1, 28, 28)
    assert pixels.is_contiguous()
    assert torch.allclose(pixels[3, 0], (torch.from_numpy(grey[3, :, :, 0]) / 255 - MEAN) / STD)


def test_preprocessing_orders_channels_repeats_grey_and_resizes(grey: np.ndarray, colour: np.ndarray) -> None:
    three = Preprocess((0.0, 0.1, 0.2), (1.0, 1.0, 1.0), (3, 16, 24))(colour)
    assert torch.allclose(three[0, 2], torch.from_numpy(colour[0, :, :, 2]) / 255 - 0.2)
    large = Preprocess((0.5,) * 3, (0.5,) * 3, (3, 56, 56))(grey)
    assert large.shape == (20, 3, 56, 56)
    assert torch.equal(large[:, 0], large[:, 2])
    assert large.mean().item() == pytest.approx((grey / 255).mean() * 2 - 1, abs=0.01)


def test_preprocessing_refuses_other_channels(colour: np.ndarray) -> None:
    with pytest.raises(ValueError, match="channels"):
        Preprocess((0.5,), (0.5,), (1, 16, 24))(colour)
