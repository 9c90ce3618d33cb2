"""Folders of images by class."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from edgesim.data.folder import read_folder, split_of
from edgesim.data.load import load_data, mean_std, pixel_mean_std
from edgesim.errors import InputError


def write(path: Path, colour: tuple[int, int, int] = (0, 0, 0), size: tuple[int, int] = (12, 8)) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, colour).save(path)


def spec(folder: Path, **other: object) -> SimpleNamespace:
    return SimpleNamespace(**{"source": "image-folder", "folder": folder, "size": 4, "channels": 3, **other})


@pytest.fixture
def splits(tmp_path: Path) -> Path:
    for split in ("train", "validation", "test"):
        for name, colour in (("red", (255, 0, 0)), ("blue", (0, 0, 255))):
            write(tmp_path / split / name / "b.png", colour)
            write(tmp_path / split / name / "a.JPEG", colour)
    return tmp_path


def test_splits_are_folders_where_there_are_such(splits: Path) -> None:
    data = load_data(spec(splits), "test")
    assert data.classes == ("blue", "red") and data.labels.tolist() == [0, 0, 1, 1]
    assert data.images.shape == (4, 4, 4, 3) and data.images.dtype == np.uint8
    assert data.images[1, 0, 0].tolist() == [0, 0, 255] and data.images[3, 0, 0].tolist() == [255, 0, 0]
    assert data.task == "classification" and data.labels.dtype == np.int64


def test_grey_has_one_channel(splits: Path) -> None:
    images = load_data(spec(splits, channels=1), "test").images
    assert images.shape == (4, 4, 4, 1) and set(images[3].ravel()) == {76}


def test_the_order_is_that_of_class_and_name(splits: Path) -> None:
    write(splits / "train" / "red" / "0.png", (1, 2, 3))
    write(splits / "train" / "red" / ".hidden.png")
    (splits / "train" / "red" / "notes.txt").write_text("no image")
    data = read_folder(splits, "train", 4, 3)
    assert data.labels.tolist() == [0, 0, 1, 1, 1] and data.images[2, 0, 0].tolist() == [1, 2, 3]


def test_without_split_folders_the_names_decide(tmp_path: Path) -> None:
    for number in range(60):
        write(tmp_path / "one" / f"{number}.png", (number, 0, 0))
        write(tmp_path / "two" / f"{number}.png", (number, 1, 0))
    parts = {split: load_data(spec(tmp_path), split) for split in ("train", "validation", "test")}
    seen = Counter(tuple(image[0, 0]) for data in parts.values() for image in data.images)
    assert len(seen) == 120 and set(seen.values()) == {1}
    assert len(parts["train"]) > 80 and min(len(parts["validation"]), len(parts["test"])) >= 5
    before = {path: split_of(path) for path in tmp_path.rglob("*.png")}
    write(tmp_path / "one" / "new.png")
    assert all(split_of(path) == split for path, split in before.items())


def test_what_cannot_be_read_is_named(splits: Path) -> None:
    (splits / "test" / "red" / "c.png").write_bytes((splits / "test" / "red" / "b.png").read_bytes()[:50])
    with pytest.raises(InputError, match=r"data.folder: .*test/red/c\.png cannot be read as an image"):
        load_data(spec(splits), "test")
    assert len(load_data(spec(splits), "train")) == 4


@pytest.mark.parametrize("wrong", ["nothing", "other"])
def test_an_empty_class_is_named(splits: Path, wrong: str) -> None:
    for file in (splits / "test" / "red").iterdir():
        file.unlink()
    if wrong == "other":
        (splits / "test" / "red" / "a.gif").write_bytes(b"GIF89a")
    with pytest.raises(InputError, match="class 'red' has no PNG or JPEG image"):
        load_data(spec(splits), "test")


def test_a_class_that_a_split_lacks_is_named(splits: Path) -> None:
    write(splits / "train" / "green" / "a.png")
    with pytest.raises(InputError, match=r"class 'green' has no PNG or JPEG image in .*test/green"):
        load_data(spec(splits), "test")


def test_a_folder_without_images_is_said(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="has no folders of classes"):
        load_data(spec(tmp_path), "test")
    write(tmp_path / "one" / "a.png")
    empty = next(split for split in ("test", "validation") if split_of(tmp_path / "one" / "a.png") != split)
    with pytest.raises(InputError, match=f"has no {empty} images"):
        load_data(spec(tmp_path), empty)


def test_a_missing_split_is_said(tmp_path: Path) -> None:
    write(tmp_path / "train" / "one" / "a.png")
    with pytest.raises(InputError, match=r"there is no folder .*validation; allowed: all of train, validation, test"):
        load_data(spec(tmp_path), "train")


def test_photographs_stand_upright(tmp_path: Path) -> None:
    picture = Image.new("RGB", (8, 8))
    picture.paste((255, 255, 255), (0, 0, 4, 8))
    turned = Image.Exif()
    turned[0x0112] = 6
    (tmp_path / "train" / "a").mkdir(parents=True)
    picture.save(tmp_path / "train" / "a" / "a.png", exif=turned)
    for split in ("validation", "test"):
        write(tmp_path / split / "a" / "a.png")
    image = read_folder(tmp_path, "train", 8, 1).images[0, ..., 0]
    assert image[0].tolist() == [255] * 8 and image[-1].tolist() == [0] * 8


def test_mean_and_spread_are_of_the_training_pixels(splits: Path) -> None:
    mean, std = pixel_mean_std(spec(splits))  # type: ignore[arg-type]
    assert mean == pytest.approx((0.5, 0.0, 0.5), abs=0.01) and std == pytest.approx((0.5, 0.0, 0.5), abs=0.01)
    images = np.random.default_rng(0).integers(0, 256, (5, 6, 7, 3), dtype=np.uint8)
    found = np.array(mean_std(images))
    assert np.allclose(found, [(images / 255).mean((0, 1, 2)), (images / 255).std((0, 1, 2))], atol=1e-4)
