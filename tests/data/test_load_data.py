"""The data that a scenario names, and the images that ship."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from edgesim.data.fashion_mnist import SHIPPED, read_split, shipped_split
from edgesim.data.load import load_data
from edgesim.data.shipping import write_shipped
from edgesim.errors import InputError

FOLDER = Path("/usr/share/datasets/fashion-mnist")
needs_fashion_mnist = pytest.mark.skipif(not FOLDER.is_dir(), reason="Fashion-MNIST's idx files are not installed")


@pytest.mark.parametrize("split", ["validation", "test"])
def test_the_shipped_images_are_whole(split: str) -> None:
    data = load_data(SimpleNamespace(source="shipped"), split)
    assert data.images.shape == (2_000, 28, 28, 1)
    assert data.images.dtype == np.uint8
    assert data.labels.dtype == np.int64
    assert set(data.labels) == set(range(10))
    assert "Zalando" in (SHIPPED / "NOTICE").read_text()


def test_the_shipped_splits_share_no_image() -> None:
    splits = [{image.tobytes() for image in shipped_split(split).images} for split in ("validation", "test")]
    assert not splits[0] & splits[1]


@needs_fashion_mnist
def test_the_shipped_images_are_the_first_of_their_split(tmp_path: Path) -> None:
    write_shipped(FOLDER, tmp_path)
    for split in ("validation", "test"):
        with np.load(tmp_path / f"{split}.npz") as made, np.load(SHIPPED / f"{split}.npz") as shipped:
            assert all(np.array_equal(made[name], shipped[name]) for name in ("images", "labels"))
        assert shipped_split(split).hash == read_split(FOLDER, split).take(slice(2_000)).hash
    assert sorted(path.name for path in tmp_path.iterdir()) == ["test.npz", "validation.npz"]


@needs_fashion_mnist
def test_a_folder_gives_whole_splits() -> None:
    assert len(load_data(SimpleNamespace(source="fashion-mnist", folder=FOLDER), "test")) == 10_000


def test_what_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="t10k-images-idx3-ubyte"):
        load_data(SimpleNamespace(source="fashion-mnist", folder=tmp_path), "test")
    with pytest.raises(InputError, match="source is none"):
        load_data(SimpleNamespace(source="none"), "test")
    with pytest.raises(InputError, match="validation and test images only"):
        load_data(SimpleNamespace(source="shipped"), "train")


def test_a_corrupt_idx_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "t10k-images-idx3-ubyte").write_bytes(b"nonsense")
    with pytest.raises(InputError, match="t10k-images-idx3-ubyte is not an idx file"):
        load_data(SimpleNamespace(source="fashion-mnist", folder=tmp_path), "test")


def test_a_corrupt_shipped_file_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "test.npz").write_bytes((SHIPPED / "test.npz").read_bytes()[:1_000])
    monkeypatch.setattr("edgesim.data.fashion_mnist.SHIPPED", tmp_path)
    with pytest.raises(InputError, match=r"test\.npz is missing or corrupt"):
        load_data(SimpleNamespace(source="shipped"), "test")
