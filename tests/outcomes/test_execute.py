"""Tables against the naive way: each path by itself, hop by hop, through real bytes."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
import torch

from edgesim.codecs.names import payload_bytes
from edgesim.codecs.tensors import decode, encode
from edgesim.data.dataset import Dataset
from edgesim.data.images import Preprocess, decode_image, encode_image
from edgesim.errors import InputError
from edgesim.models.multi_exit import MultiExit
from edgesim.outcomes.execute import Executed, execute
from edgesim.outcomes.path import canonical, format_path, with_prefixes
from edgesim.outcomes.scores import score, softmax

BATCH = 16
PATHS = [
    ((0, "raw"),),
    ((0, "png"),),
    ((0, "jpeg30"),),
    ((0, "jpeg30"), (2, "int4")),
    ((1, "fp16"),),
    ((1, "fp32"),),
    ((2, "int8"),),
    ((2, "int8+zlib"),),
    ((2, "int4_token+zlib"),),
    ((1, "int8"), (3, "int4")),
    ((1, "fp32"), (3, "int4")),
    ((3, "int4"), (3, "fp32+zlib")),
]


@pytest.fixture(scope="module")
def executed(small_model: MultiExit, images: Dataset, preprocess: Preprocess) -> Executed:
    return execute(small_model, images, preprocess, PATHS, batch_size=BATCH)


@torch.inference_mode()
def naive(model: MultiExit, pictures: np.ndarray, preprocess: Preprocess, path):
    """Logits by exit (those reached after the last hop) and payload bytes of the last hop, for one batch."""
    state, blocks, sizes = None, 0, np.zeros(len(pictures), int)
    for cut, codec in path:
        if cut == 0:
            payloads = [encode_image(codec, picture) for picture in pictures]
            pictures = np.stack([decode_image(codec, payload, pictures.shape[1:]) for payload in payloads])
        else:
            state = model.run(preprocess(pictures) if blocks == 0 else state, blocks, cut)
            payloads = encode(codec, state)
            state = decode(codec, payloads, model.backbone.cut_spec(cut))
        sizes, blocks = np.array([len(payload) for payload in payloads]), cut
    logits = {}
    for index, after in enumerate(model.exits):
        if after >= blocks:
            reached = model.run(preprocess(pictures) if blocks == 0 else state, blocks, after)
            logits[index] = model.exit(reached, index).numpy()
    return logits, sizes


@pytest.mark.parametrize("path", with_prefixes(PATHS), ids=format_path)
def test_tables_equal_naive_execution(
    path, executed: Executed, small_model: MultiExit, images: Dataset, preprocess: Preprocess
) -> None:
    table = executed.tables[canonical(path)]
    for start in range(0, len(images), BATCH):
        rows = slice(start, min(start + BATCH, len(images)))
        logits, sizes = naive(small_model, images.images[rows], preprocess, path)
        assert set(logits) <= set(table.exits)
        if path:
            assert executed.payloads[path][rows].tolist() == sizes.tolist()
        for index, values in logits.items():
            expected, row = score(softmax(values)), table.row(index)
            assert np.array_equal(table.prediction[row, rows], expected.prediction)
            assert np.array_equal(table.confidence[row, rows], expected.confidence)
            assert np.array_equal(table.entropy[row, rows], expected.entropy)
            assert np.array_equal(table.margin[row, rows], expected.margin)
            assert np.array_equal(table.correct[row, rows], expected.prediction == images.labels[rows])


def test_the_paths_of_this_test_do_differ(executed: Executed) -> None:
    """Otherwise the equality above would show little."""
    final = {path: table.confidence[-1].tobytes() for path, table in executed.tables.items()}
    assert len(set(final.values())) == len(final)
    predictions = executed.tables[()].prediction
    # The exit after the stem reads a class token that has not seen the image yet.
    assert [len(set(row)) >= 3 for row in predictions.tolist()] == [False, True, True, True]
    assert (executed.tables[((0, "jpeg30"), (2, "int4"))].prediction[-1] != predictions[-1]).any()


def test_lossless_hops_share_the_table_of_the_path_without_them(executed: Executed) -> None:
    assert set(executed.tables) == {canonical(path) for path in with_prefixes(PATHS)}
    assert set(executed.payloads) == set(with_prefixes(PATHS)) - {()}


def test_payloads_are_exact(executed: Executed, small_model: MultiExit) -> None:
    cuts = small_model.backbone.cut_spec
    for path, sizes in executed.payloads.items():
        if (size := payload_bytes(path[-1][1], cuts(path[-1][0]))) is not None:
            assert set(sizes.tolist()) == {size}
    assert len(set(executed.payloads[((0, "png"),)].tolist())) > 20


def test_each_piece_runs_once(small_model: MultiExit, images: Dataset, preprocess: Preprocess, monkeypatch) -> None:
    ran: Counter[int] = Counter()
    run = MultiExit.run
    monkeypatch.setattr(
        MultiExit,
        "run",
        lambda self, value, start, stop: ran.update(range(start, stop)) or run(self, value, start, stop),
    )
    paths = [((2, "int8"),), ((2, "int8+zlib"),), ((1, "fp32"), (2, "int8")), ((0, "png"), (3, "fp16"))]
    execute(small_model, images.take(slice(4)), preprocess, paths)
    assert ran == {0: 1, 1: 1, 2: 2, 3: 3}


def test_progress_counts_images_times_blocks(small_model: MultiExit, images: Dataset, preprocess: Preprocess) -> None:
    seen: list[tuple[int, int]] = []
    execute(small_model, images, preprocess, [((2, "int8"),)], lambda *step: seen.append(step), batch_size=BATCH)
    assert seen[-1] == (50 * 6, 50 * 6)
    assert [done for done, _ in seen] == sorted({done for done, _ in seen})


def test_batches_of_another_size_agree_within_rounding(
    executed: Executed, small_model: MultiExit, images: Dataset, preprocess: Preprocess
) -> None:
    other = execute(small_model, images, preprocess, PATHS, batch_size=7)
    local, same = executed.tables[()], other.tables[()]
    assert np.allclose(local.confidence, same.confidence, rtol=1e-5)
    assert all(
        np.array_equal(sizes, other.payloads[path]) for path, sizes in executed.payloads.items() if path[-1][0] == 0
    )


def test_the_model_answers_in_eval_mode(small_model: MultiExit, images: Dataset, preprocess: Preprocess) -> None:
    few = images.take(slice(4))
    expected = execute(small_model.eval(), few, preprocess, []).tables[()].confidence
    assert np.array_equal(execute(small_model.train(), few, preprocess, []).tables[()].confidence, expected)
    assert not small_model.training


def test_what_cannot_be_executed_is_refused(small_model: MultiExit, images: Dataset, preprocess: Preprocess) -> None:
    with pytest.raises(InputError, match="cut 4 is not within 0..3"):
        execute(small_model, images, preprocess, [((4, "int8"),)])
    two = Dataset("coins", images.images, images.labels % 2, ("heads", "tails"))
    with pytest.raises(InputError, match="10 classes, coins has 2"):
        execute(small_model, two, preprocess, [])


def test_answers_that_are_not_finite_are_refused(
    images: Dataset, preprocess: Preprocess, deit_model: MultiExit
) -> None:
    head = deit_model.backbone.vit.head
    kept = head.bias.detach().clone()
    try:
        with torch.no_grad():
            head.bias[0] = float("nan")
        with pytest.raises(InputError, match="exit 1 along path local answers with numbers not finite"):
            execute(deit_model, images.take(slice(3)), preprocess, [])
    finally:
        with torch.no_grad():
            head.bias.copy_(kept)
