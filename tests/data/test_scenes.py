"""Fashion scenes: what their labels promise, and how they are made, kept and shipped."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import edgesim.data.scenes as scenes
from edgesim.data.dataset import Dataset
from edgesim.data.fashion_mnist import CLASSES, read_split, shipped_split
from edgesim.data.load import mean_std
from edgesim.data.scene_drawing import draw_scenes, item_boxes
from edgesim.data.scene_layout import CLASS_ITEMS, COVERED, RATIO, SIDE, Layout, SceneTask, draw_layout
from edgesim.data.scenes import make_scenes, read_scenes, shipped_file, shipped_scenes
from edgesim.errors import InputError
from edgesim.workload.random import generator

FOLDER = Path("/usr/share/datasets/fashion-mnist")
needs_fashion_mnist = pytest.mark.skipif(not FOLDER.is_dir(), reason="Fashion-MNIST's idx files are not installed")
TASKS: tuple[SceneTask, ...] = ("class", "count")
ITEMS = {"class": CLASS_ITEMS, "count": 10}


@pytest.fixture(scope="module")
def items() -> Dataset:
    return shipped_split("validation")


@pytest.fixture(scope="module")
def layouts(items: Dataset) -> dict[SceneTask, Layout]:
    boxes = item_boxes(items.images[..., 0])
    return {task: draw_layout(task, boxes, 400, np.random.default_rng(1)) for task in TASKS}


def whole(task: SceneTask, layout: Layout, scene: int) -> np.ndarray:
    """Places of the whole items of a scene; fragments come after them."""
    return layout.sprites.place[scene, : ITEMS[task]][: layout.counts[scene]]


@pytest.mark.parametrize("task", TASKS)
def test_as_many_items_are_drawn_as_are_counted(task: SceneTask, layouts: dict[SceneTask, Layout]) -> None:
    layout = layouts[task]
    there = ~np.isnan(layout.sprites.depth[:, : ITEMS[task]])
    assert there.sum(1).tolist() == layout.counts.tolist()
    assert set(layout.counts.tolist()) == set(range(1, ITEMS[task] + 1))


def test_the_largest_item_is_largest_by_the_ratio(layouts: dict[SceneTask, Layout]) -> None:
    for scene, count in enumerate(layouts["class"].counts):
        longest = whole("class", layouts["class"], scene)[:, 2:].max(-1)
        assert count == 1 or longest[0] >= RATIO * longest[1:].max()


@pytest.mark.parametrize("task", TASKS)
def test_items_lie_within_the_scene_and_hide_little_of_each_other(
    task: SceneTask, layouts: dict[SceneTask, Layout]
) -> None:
    for scene in range(400):
        places = whole(task, layouts[task], scene)
        masks = np.zeros((len(places), SIDE, SIDE), bool)
        for mask, (top, left, height, width) in zip(masks, places, strict=True):
            assert min(top, left) >= 0 and max(top + height, left + width) <= SIDE
            mask[top : top + height, left : left + width] = True
        for number, mask in enumerate(masks):
            others = np.delete(masks, number, axis=0).any(0)
            assert (mask & others).sum() <= COVERED[task] * mask.sum()


def test_counted_items_can_be_told_from_fragments(layouts: dict[SceneTask, Layout]) -> None:
    layout = layouts["count"]
    smallest = min(whole("count", layout, scene)[:, 2:].max(-1).min() for scene in range(400))
    assert layout.sprites.place[:, 10:, 2:].max() < smallest


def test_more_clutter_is_more_fragments(layouts: dict[SceneTask, Layout]) -> None:
    layout = layouts["count"]
    fragments = (~np.isnan(layout.sprites.depth[:, 10:])).sum(1)
    assert np.corrcoef(fragments, layout.clutter)[0, 1] > 0.95
    assert fragments.min() == 0 and fragments.max() == 8


def test_a_scene_shows_the_item_that_names_it() -> None:
    """A bright square beside a dim one: the class is of the square that is drawn larger."""
    squares = np.zeros((2, 28, 28), np.uint8)
    squares[0, 4:24, 4:24], squares[1, 4:24, 4:24] = 255, 120
    assert item_boxes(squares).tolist() == [[4, 4, 24, 24]] * 2
    layout = draw_layout("class", item_boxes(squares), 60, np.random.default_rng(3))
    pictures = draw_scenes(squares, layout, np.random.default_rng(4))
    for scene in np.flatnonzero(layout.clutter < 0.1):
        item, (top, left, height, width) = layout.sprites.item[scene, 0], layout.sprites.place[scene, 0]
        seen = np.median(pictures[scene, top : top + height, left : left + width])
        assert seen == pytest.approx((255, 120)[item] * layout.sprites.gain[scene, 0], abs=5)


@pytest.mark.parametrize("task", TASKS)
def test_labels_and_attributes(task: SceneTask, items: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scenes, "CHUNK", 50)
    made = make_scenes(items, task, "validation", 40)
    assert made.images.shape == (40, 64, 64, 1) and made.images.dtype == np.uint8
    assert made.task == ("regression" if task == "count" else "classification")
    assert made.classes == (() if task == "count" else CLASSES) and made.outputs == (1 if task == "count" else 10)
    if task == "count":
        assert made.labels.dtype == np.float32 and np.array_equal(made.labels, made.attributes["count"])
    assert made.take(slice(3)).attributes["clutter"].shape == (3,)
    assert (made.missed_error is None) == (task == "class")


def test_the_mean_count_is_that_of_the_training_scenes() -> None:
    """Counts are the first that is drawn for a chunk of scenes."""
    chunks = range(scenes.SIZES["train"] // scenes.CHUNK)
    drawn = [generator(scenes.SEED, "fashion scenes", "count", "train", number) for number in chunks]
    counts = np.concatenate([each.integers(1, 11, scenes.CHUNK) for each in drawn])
    assert counts.mean() == pytest.approx(scenes.MEAN_COUNT, abs=1e-9)
    shipped = shipped_scenes("count", "test").take(slice(5))
    assert shipped.missed_error == pytest.approx(np.abs(shipped.labels - counts.mean()))


def test_scenes_depend_on_task_and_split_and_not_on_how_many(items: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scenes, "CHUNK", 20)
    made = make_scenes(items, "class", "validation", 50)
    assert len(made) == 50 and len({image.tobytes() for image in made.images}) == 50
    assert make_scenes(items, "class", "validation", 30).hash == made.take(slice(30)).hash
    assert make_scenes(items, "class", "test", 30).hash != made.take(slice(30)).hash


@pytest.mark.parametrize("task", TASKS)
def test_no_intensity_gives_the_count_or_the_class_away(task: SceneTask) -> None:
    data = shipped_scenes(task, "test")
    total = data.images.mean((1, 2, 3))
    line = np.polynomial.Polynomial.fit(total, data.attributes["count"].astype(float), 1)
    error = np.abs(line(total) - data.attributes["count"]).mean()
    even = np.abs(data.attributes["count"] - data.attributes["count"].mean()).mean()
    assert error > 0.8 * even


@pytest.mark.parametrize("task", TASKS)
def test_what_ships(task: SceneTask) -> None:
    both = [shipped_scenes(task, split) for split in ("validation", "test")]
    assert [len(data) for data in both] == [1_000, 1_000]
    assert not set.intersection(*({image.tobytes() for image in data.images} for data in both))
    assert "Zalando" in shipped_file(task, "test").with_name("NOTICE").read_text()
    assert set(both[0].labels.tolist()) == set(range(1, 11) if task == "count" else range(10))


def test_the_shipped_files_are_small() -> None:
    assert sum(file.stat().st_size for file in scenes.SHIPPED.glob("*.npz")) < 8e6


@needs_fashion_mnist
@pytest.mark.parametrize("task", TASKS)
def test_the_shipped_scenes_are_the_first_of_their_split(task: SceneTask) -> None:
    made = make_scenes(read_split(FOLDER, "test"), task, "test", 1_000)
    shipped = shipped_scenes(task, "test")
    assert made.hash == shipped.hash
    assert all(np.array_equal(made.attributes[name], shipped.attributes[name]) for name in ("count", "clutter"))


@pytest.fixture
def few(items: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], Dataset]:
    """Reads a few scenes through a cache of its own, from the items that ship."""
    monkeypatch.setenv("EDGESIM_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(scenes, "read_split", lambda folder, split: items)
    monkeypatch.setattr(scenes, "SIZES", {"validation": 30})
    monkeypatch.setattr(scenes, "CHUNK", 30)
    return lambda: read_scenes(tmp_path, "count", "validation")


def test_scenes_are_made_once(few: Callable[[], Dataset], monkeypatch: pytest.MonkeyPatch) -> None:
    made = few()
    monkeypatch.setattr(scenes, "make_scenes", lambda *_: pytest.fail("made again"))
    again = few()
    assert again.hash == made.hash and np.array_equal(again.attributes["clutter"], made.attributes["clutter"])


@pytest.mark.parametrize("damage", ["cut", "changed"])
def test_a_damaged_file_is_made_again(few: Callable[[], Dataset], tmp_path: Path, damage: str) -> None:
    made = few()
    (file,) = (tmp_path / "cache" / "scenes").iterdir()
    raw = bytearray(file.read_bytes())
    raw[20_000] ^= 255
    file.write_bytes(bytes(raw) if damage == "changed" else bytes(raw[:5_000]))
    assert few().hash == made.hash


def test_a_cache_that_cannot_be_written_is_said(few: Callable[[], Dataset], tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("no folder")
    with pytest.raises((OSError, InputError), match="cache"):
        few()


@pytest.mark.parametrize("task", TASKS)
def test_the_pixels_are_normalised_by_their_own_mean_and_spread(task: SceneTask) -> None:
    (mean,), (std,) = mean_std(shipped_scenes(task, "test").images)
    assert scenes.MEAN_STD[task] == pytest.approx((mean, std), abs=0.05)
