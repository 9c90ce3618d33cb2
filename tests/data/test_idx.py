from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest

from edgesim.data.fashion_mnist import read_split
from edgesim.data.idx import read_idx

HEADER = bytes([0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 3])
WHOLE = HEADER + bytes(range(6))


@pytest.mark.parametrize("raw", [WHOLE, gzip.compress(WHOLE)], ids=["plain", "gzip"])
def test_reads_shape_and_values(tmp_path: Path, raw: bytes) -> None:
    (tmp_path / "images").write_bytes(raw)
    assert read_idx(tmp_path / "images").tolist() == [[0, 1, 2], [3, 4, 5]]


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"\1" + WHOLE[1:], "not an idx file"),
        (WHOLE[:2] + b"\x0d" + WHOLE[3:], "not an idx file of unsigned bytes"),
        (b"", "not an idx file"),
        (WHOLE[:7], "ends within its header"),
        (WHOLE[:-1], r"says shape \(2, 3\) but holds 5 bytes"),
        (WHOLE + b"\0", r"says shape \(2, 3\) but holds 7 bytes"),
        (gzip.compress(WHOLE)[:-12], "is damaged"),
        (b"\x1f\x8b" + bytes(30), "is damaged"),
    ],
)
def test_names_the_file_and_what_is_wrong(tmp_path: Path, raw: bytes, reason: str) -> None:
    (tmp_path / "images").write_bytes(raw)
    with pytest.raises(ValueError, match=f"images.*{reason}"):
        read_idx(tmp_path / "images")


def write_idx(path: Path, values: np.ndarray) -> None:
    header = bytes([0, 0, 8, values.ndim]) + np.array(values.shape, ">u4").tobytes()
    path.write_bytes(header + values.astype(np.uint8).tobytes())


def write_folder(folder: Path, images: int, labels: np.ndarray) -> None:
    write_idx(folder / "t10k-images-idx3-ubyte", np.zeros((images, 28, 28)))
    write_idx(folder / "t10k-labels-idx1-ubyte", labels)


def test_a_split_has_a_channel_axis_and_int64_labels(tmp_path: Path) -> None:
    write_folder(tmp_path, 3, np.array([0, 9, 4]))
    split = read_split(tmp_path, "test")
    assert split.images.shape == (3, 28, 28, 1)
    assert split.labels.dtype == np.int64 and split.labels.tolist() == [0, 9, 4]


def test_images_and_labels_must_be_as_many(tmp_path: Path) -> None:
    write_folder(tmp_path, 3, np.array([0, 1]))
    with pytest.raises(ValueError, match="3 t10k images but 2 labels"):
        read_split(tmp_path, "test")


def test_labels_must_be_classes(tmp_path: Path) -> None:
    write_folder(tmp_path, 2, np.array([0, 10]))
    with pytest.raises(ValueError, match="labels up to 10"):
        read_split(tmp_path, "test")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="t10k-images-idx3-ubyte"):
        read_split(tmp_path, "test")
