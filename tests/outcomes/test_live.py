"""Live execution, request by request, against the tables: SEMANTICS' rule of equality."""

from __future__ import annotations

import numpy as np
import pytest

from edgesim.data.dataset import Dataset
from edgesim.data.images import Preprocess
from edgesim.models.multi_exit import MultiExit
from edgesim.outcomes.execute import execute
from edgesim.outcomes.live import Handle, LiveExecutor
from edgesim.outcomes.path import canonical, format_path

TOLERANCE = 1e-5
LOSSY_TOLERANCE = 1e-3
"""Where a state was rounded: the last bits that another batch size changes can move an element by a whole code."""
PATHS = [(), ((0, "jpeg30"),), ((2, "int8"),), ((2, "fp16+zlib"),), ((1, "int8"), (3, "int4_token"))]


@pytest.fixture
def live(small_model: MultiExit, images: Dataset, preprocess: Preprocess) -> LiveExecutor:
    return LiveExecutor(small_model, images, preprocess)


def batches_of(sizes: list[int], count: int) -> list[list[int]]:
    """Rows 0 .. count-1 in batches of the given sizes, over and over."""
    rows, batches = list(range(count)), []
    while rows:
        size = sizes[len(batches) % len(sizes)]
        batches.append(rows[:size])
        rows = rows[size:]
    return batches


@pytest.mark.parametrize("path", PATHS, ids=format_path)
def test_live_answers_agree_with_the_tables(
    path, live: LiveExecutor, small_model: MultiExit, images: Dataset, preprocess: Preprocess
) -> None:
    made = execute(small_model, images, preprocess, [path])
    table = made.tables[canonical(path)]
    thresholds = {index: float(np.median(table.confidence[table.row(index)])) for index in table.exits}
    near, tolerance = 0, LOSSY_TOLERANCE if any(cut for cut, _ in canonical(path)) else TOLERANCE
    for rows in batches_of([1, 3, 8], len(images)):
        handles = [live.begin(row) for row in rows]
        for cut, codec in path:
            live.run(handles, cut)
            sent = [live.send(handle, codec, as_image=cut == 0) for handle in handles]
            handles = [handle for handle, _ in sent]
            sizes = [size for _, size in sent]
        if path and not path[-1][1].endswith("zlib"):
            assert sizes == made.payloads[path][rows].tolist()
        for index in table.exits:
            live.run(handles, small_model.exits[index])
            for row, scores in zip(rows, live.exit(handles, index), strict=True):
                expected = table.scores(index, row)
                assert scores.prediction == expected.prediction
                assert scores.correct == expected.correct
                assert scores.confidence == pytest.approx(expected.confidence, abs=tolerance)
                assert scores.entropy == pytest.approx(expected.entropy, abs=tolerance * 10)
                agree = (scores.confidence >= thresholds[index]) == (expected.confidence >= thresholds[index])
                near += not agree
                assert agree or abs(expected.confidence - thresholds[index]) < tolerance
    assert near <= 2


def test_another_codec_would_be_noticed(live: LiveExecutor, images: Dataset, small_model, preprocess) -> None:
    table = execute(small_model, images, preprocess, [((2, "int4"),)]).tables[((2, "int4"),)]
    handles = [live.begin(row) for row in range(8)]
    live.run(handles, 2)
    handles = [live.send(handle, "int8", as_image=False)[0] for handle in handles]
    live.run(handles, 4)
    found = [scores.confidence for scores in live.exit(handles, 3)]
    assert not np.allclose(found, table.confidence[table.row(3), :8], atol=TOLERANCE)


def test_sending_ships_a_copy(live: LiveExecutor) -> None:
    handle = live.begin(0)
    live.run([handle], 2)
    before = handle.value["tokens"].clone()
    there, size = live.send(handle, "int4", as_image=False)
    live.run([there], 4)
    assert handle.blocks == 2
    assert (handle.value["tokens"] == before).all()
    assert size == 4 + 8 + 50 * 32 // 2
    assert there.image is None


def test_the_image_can_follow_local_exits(live: LiveExecutor) -> None:
    handle = live.begin(3)
    live.run([handle], 2)
    there, size = live.send(handle, "raw", as_image=True)
    assert (there.blocks, size) == (0, 784)
    live.run([there], 4)
    live.run([handle], 4)
    assert live.exit([there], 3) == live.exit([handle], 3)


def test_what_a_node_does_not_have_it_cannot_do(live: LiveExecutor) -> None:
    handle, other = live.begin(0), live.begin(1)
    with pytest.raises(ValueError, match="no state to send"):
        live.send(handle, "int8", as_image=False)
    live.run([handle], 2)
    with pytest.raises(ValueError, match="starts at one block"):
        live.run([handle, other], 3)
    with pytest.raises(ValueError, match="sits after 3 blocks"):
        live.exit([handle], 2)
    there, _ = live.send(handle, "int8", as_image=False)
    assert isinstance(there, Handle)
    with pytest.raises(ValueError, match="does not have the image"):
        live.send(there, "png", as_image=True)
