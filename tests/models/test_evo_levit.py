"""Evo-LeViT against a token-by-token rewrite, the published counts and its own pieces (Xu et al. 2022)."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

torch = pytest.importorskip("torch")

from informative_states import through_informative  # noqa: E402

from edgesim.codecs.tensors import decode, encode  # noqa: E402
from edgesim.models.backbones.evo_levit import VARIANTS, Block, EvoLeViT, Subsample, representative  # noqa: E402
from edgesim.profiling.macs import block_macs, head_macs, parameters  # noqa: E402

# 8x8 and 4x4 tokens; blocks 2 and 3 of the first stage select, then all of the second.
SMALL: dict[str, Any] = {
    "img_size": 64,
    "in_chans": 1,
    "num_classes": 10,
    "widths": (16, 24),
    "depths": (4, 3),
    "heads": (2, 3),
    "key_dim": 4,
    "stem_stride": 8,
}
VARIATIONS = [{}, {"keep": 0.3}, {"ordinary": 1}, {"ordinary": 4}, {"ordinary": 5}, {"img_size": 56}, {"keep": 1.0}]


def small(seed: int = 0, **changes: Any) -> EvoLeViT:
    """A small model whose every tensor matters; in float64, so that no two values are too near to be ranked."""
    torch.manual_seed(seed)
    model = EvoLeViT(**{**SMALL, **changes}).eval()
    for module in model.modules():
        if isinstance(module, torch.nn.BatchNorm1d | torch.nn.BatchNorm2d):
            torch.nn.init.uniform_(module.weight, 0.5, 1.5)
            torch.nn.init.normal_(module.bias, std=0.2)
            torch.nn.init.normal_(module.running_mean, std=0.2)
            torch.nn.init.uniform_(module.running_var, 0.3, 1.0)
        elif isinstance(module, Block | Subsample):
            torch.nn.init.normal_(module.tradeoff)
    for value in (model.cls_token, model.pos_embed, *(b.positions for b in model.blocks if isinstance(b, Subsample))):
        torch.nn.init.normal_(value, std=0.5)
    return model.double()


def images(seed: int = 1, count: int = 2, size: int = 64) -> Any:
    return torch.randn(count, 1, size, size, generator=torch.Generator().manual_seed(seed)).double()


@pytest.mark.parametrize(
    ("name", "with_class_head", "without", "millions_of_macs"),
    [
        ("evo_levit_128s", 8_606_651, 7_835_115, 255.9),
        ("evo_levit_128", 10_041_022, 9_269_486, 304.9),
        ("evo_levit_192", 11_803_526, 11_031_990, 510.1),
        ("evo_levit_256", 20_035_278, 19_007_230, 879.7),
        ("evo_levit_384", 40_836_830, 39_295_758, 1848.6),
    ],
)
def test_parameters_and_macs_are_the_published_ones(
    name: str, with_class_head: int, without: int, millions_of_macs: float
) -> None:
    with torch.device("meta"):
        assert parameters(EvoLeViT(**VARIANTS[name], class_head=True)) == with_class_head
        model = EvoLeViT(**VARIANTS[name]).eval()
    assert parameters(model) == without
    model.to_empty(device="cpu")
    for value in (*model.parameters(), *model.buffers()):
        value.data.fill_(1)
    assert (sum(block_macs(model)) + head_macs(model)) / 1e6 == pytest.approx(millions_of_macs, abs=0.05)


def attend(query: Any, key: Any, value: Any) -> tuple[Any, Any]:
    """Heads one at a time; what they mix, and the row of the class token."""
    mixed, rows = [], []
    for head in range(query.shape[1]):
        weights = (query[:, head] @ key[:, head].T / query.shape[-1] ** 0.5).softmax(-1)
        mixed.append(weights @ value[:, head])
        rows.append(weights[0])
    return torch.nn.functional.hardswish(torch.cat(mixed, -1)), sum(rows) / len(rows)


def linear(layer: Any, tokens: Any) -> Any:
    bn = layer.bn
    mapped = tokens @ layer.linear.weight.T
    return (mapped - bn.running_mean) / (bn.running_var + 1e-5).sqrt() * bn.weight + bn.bias


def mlp(layers: Any, tokens: Any) -> Any:
    return linear(layers[2], torch.nn.functional.hardswish(linear(layers[0], tokens)))


def run_block(block: Any, tokens: Any) -> tuple[Any, Any, Any]:
    """The updates of attention and of the MLP, and the class token's attention to the others."""
    heads = linear(block.qkv, tokens).unflatten(-1, (block.heads, -1))
    mixed, row = attend(heads[..., :4], heads[..., 4:8], heads[..., 8:])
    attention_update = linear(block.proj, mixed)
    return attention_update, mlp(block.mlp, tokens + attention_update), row[1:]


def run_subsample(block: Any, tokens: Any, attention: list[float], side: int) -> tuple[Any, list[float]]:
    tokens = tokens + block.positions[0]
    corners = [row * side + column for row in range(0, side, 2) for column in range(0, side, 2)]
    heads = linear(block.kv, tokens).unflatten(-1, (block.heads, -1))
    query = linear(block.q, tokens[[0, *(place + 1 for place in corners)]]).unflatten(-1, (block.heads, -1))
    mixed, row = attend(query, heads[..., :4], heads[..., 4:])
    weight = float(block.tradeoff.sigmoid())
    fresh = [(1 - weight) * attention[place] + weight * float(row[place + 1]) for place in corners]
    tokens = linear(block.proj, mixed)
    return tokens + mlp(block.mlp, tokens), [value * sum(attention) / sum(fresh) for value in fresh]


def rewritten(model: EvoLeViT, image: Any, keep: float, ordinary: int, depths: Any) -> tuple[list[Any], Any]:
    """One image, its tokens always in image order, with residual updates summed as they come.

    After each block: the patch tokens (placeholders moved so far), class attention, and the tokens that are slow, or
    None where all are.  And the logits.
    """
    found: Any = model.run(image[None], 0, 1)
    tokens, attention, history = found["tokens"][0].clone(), [], []
    blocks, seen, side = iter(model.blocks), 0, model.tokens(found).grid[0]
    for stage, depth in enumerate(depths):
        if stage:
            tokens, attention = run_subsample(next(blocks), tokens, attention, side)
            side = (side + 1) // 2
            history.append((tokens[1:].clone(), list(attention), None))
        count, slow = side * side, None
        order = list(range(count))
        for index in range(depth):
            block: Any = next(blocks)
            if seen >= ordinary and slow is None and int(count * keep) < count:
                order = sorted(order, key=lambda place: -attention[place])
                slow, resting = order[: int(count * keep)], order[int(count * keep) :]
                total = sum(attention[place] for place in resting)
                moved = sum(attention[place] / total * tokens[place + 1] for place in resting)
            rows = [0, *(place + 1 for place in (order if slow is None else slow))]
            chosen = tokens[rows] if slow is None else torch.cat([tokens[rows], moved[None]])
            first, second, row = run_block(block, chosen)
            tokens[rows] = (chosen + first + second)[: len(rows)]
            if slow is not None:
                moved = moved + first[-1] + second[-1]
                for place in resting:
                    tokens[place + 1] += first[-1] + second[-1]
            weight = float(block.tradeoff.sigmoid())
            updates = {rows[i] - 1: float(row[i - 1]) for i in range(1, len(rows))}
            if not attention:
                attention = [updates[place] for place in range(count)]
            else:
                for place, value in updates.items():
                    attention[place] = (1 - weight) * attention[place] + weight * value
            history.append((tokens[1:].clone(), list(attention), None if slow is None or index == depth - 1 else slow))
            seen += 1
    mean = tokens[1:].mean(0, keepdim=True)
    return history, (model.classifier(mean) + model.classifier_dist(mean))[0] / 2


@pytest.mark.parametrize("changes", VARIATIONS)
@torch.inference_mode()
def test_one_token_at_a_time(changes: dict[str, Any]) -> None:
    """Every cut: order and selection, moving average, representative token, fast update, subsample.

    Samples are apart, and tokens come in image order, which the state is not in.  With keep 1 it is a plain model.
    """
    model = small(**changes)
    options: dict[str, Any] = {**SMALL, "keep": 0.5, "ordinary": 2, **changes}
    batch = images(size=options["img_size"])
    expected = [rewritten(model, image, options["keep"], options["ordinary"], SMALL["depths"]) for image in batch]
    state: Any = model.run(batch, 0, 1)
    permuted = 0
    for after in range(2, model.num_blocks + 1):
        state = model.run(state, after - 1, after)
        patches, grid, class_token = model.tokens(state)
        assert grid == model.token_shape(after).grid and torch.equal(class_token, state["tokens"][:, 0])
        for sample, (history, _) in enumerate(expected):
            tokens, attention, slow = history[after - 2]
            assert torch.allclose(patches[sample], tokens)
            order = state["order"][sample].tolist() if "order" in state else list(range(len(tokens)))
            permuted += order != sorted(order)
            if "class_attn" in state:
                expected_attention = torch.tensor(attention, dtype=torch.float64)[order]
                assert torch.allclose(state["class_attn"][sample], expected_attention)
            assert ("placeholders" in state) == (slow is not None)
            if slow is not None:
                assert order[: len(slow)] == slow and torch.allclose(state["tokens"][sample, 1:], tokens[slow])
    assert permuted > 0 or options["keep"] == 1.0
    assert torch.allclose(model(batch), torch.stack([logits for _, logits in expected]))


@pytest.mark.parametrize("changes", VARIATIONS)
@torch.inference_mode()
def test_chain_equals_whole_and_cuts_are_what_crosses(changes: dict[str, Any]) -> None:
    model = small(**changes).float()
    batch = images(count=3, size=changes.get("img_size", 64)).float()
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
        arrived = decode("fp32", encode("fp32", state), specs)
        assert torch.equal(model.head(model.run(arrived, cut, model.num_blocks)), whole)
        assert torch.equal(model.head(model.run(state, cut, model.num_blocks)), whole)
        assert all(torch.equal(state[name], value) for name, value in before.items())
        assert model.tokens(state).patches.shape[2] == model.token_shape(cut).width
    assert model.cut_spec(0)[0].shape == model.input_size and model.cut_spec(model.num_blocks) == ()


@torch.inference_mode()
def test_what_crosses_in_the_smallest_variant() -> None:
    model = EvoLeViT(**VARIANTS["evo_levit_128s"]).eval()
    assert model.block_names == (
        *("stem", "stage1.0", "stage1.1"),
        *("stage2.subsample", "stage2.0", "stage2.1", "stage2.2"),
        *("stage3.subsample", "stage3.0", "stage3.1", "stage3.2", "stage3.3"),
    )
    sizes = [{spec.name: spec.shape for spec in model.cut_spec(cut)} for cut in range(1, 12)]
    assert sizes[0] == {"tokens": (197, 128)}
    assert sizes[1] == sizes[2] == {"tokens": (197, 128), "class_attn": (196,)}
    assert sizes[3] == {"tokens": (50, 256), "class_attn": (49,)}
    inside = {"class_attn": (49,), "order": (49,), "placeholders": (25, 256), "representative": (1, 256)}
    assert sizes[4] == sizes[5] == {"tokens": (25, 256), **inside}
    assert sizes[6] == {"tokens": (50, 256), "class_attn": (49,), "order": (49,)}
    assert sizes[7] == {"tokens": (17, 384), "class_attn": (16,)}
    assert sizes[8]["tokens"] == (9, 384) and sizes[8]["placeholders"] == (8, 384)


@torch.inference_mode()
def test_two_models_in_turn_do_not_mix() -> None:
    first, second = small(0), small(1)
    ours, others = images(1), images(2, 3)
    expected = first(ours), second(others)
    one: Any = ours
    two: Any = others
    for index in range(first.num_blocks):
        one, two = first.run(one, index, index + 1), second.run(two, index, index + 1)
    assert torch.equal(first.head(one), expected[0]) and torch.equal(second.head(two), expected[1])


@torch.inference_mode()
def test_the_representative_outlives_weights_that_underflowed() -> None:
    state = {"placeholders": torch.randn(2, 3, 4), "class_attn": torch.tensor([[0.5, 0, 0, 0], [0.4, 0.3, 0.2, 0.1]])}
    found = representative(state)[:, 0]
    assert torch.allclose(found[0], state["placeholders"][0].mean(0))
    weights = torch.tensor([0.3, 0.2, 0.1]) / 0.6
    assert torch.allclose(found[1], (weights[:, None] * state["placeholders"][1]).sum(0))


@torch.inference_mode()
def test_only_the_informative_tokens_are_sent() -> None:
    model = small().float()
    batch = images().float()
    for cut in range(1, model.num_blocks):
        state: Any = model.run(batch, 0, cut)
        found = through_informative(state, model.cut_spec(cut))
        if found is None:
            continue
        arrived, specs = found
        after = model.run(arrived, cut, model.num_blocks)
        assert {spec.name for spec in specs} == {"tokens", "representative", "class_attn", "order"}
        if cut > 6:  # at the end of the last stage every placeholder is the representative token as it is then
            exact = model.run(state, cut, model.num_blocks)
            assert torch.allclose(after["tokens"][:, :9], exact["tokens"][:, :9])
            rests = after["tokens"][:, 9:]
            assert torch.allclose(rests, rests[:, :1].expand_as(rests), atol=1e-5)
            assert not torch.allclose(rests, exact["tokens"][:, 9:], atol=1e-2)
        assert model.head(after).isfinite().all()


@pytest.mark.parametrize("class_head", [False, True])
def test_a_fresh_model_learns(class_head: bool) -> None:
    torch.manual_seed(0)
    model = EvoLeViT(**SMALL, drop_path=0.05, class_head=class_head)
    batch, labels = images(count=16).float(), torch.arange(16) % 10
    optimizer = torch.optim.AdamW(model.parameters(), 3e-3)
    losses, reached = [], set()
    for _ in range(30):
        state: Any = model.run(batch, 0, model.num_blocks)
        loss = torch.nn.functional.cross_entropy(model.head(state), labels)
        if class_head:
            loss = loss + torch.nn.functional.cross_entropy(model.class_logits(state), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
        reached |= {name for name, value in model.named_parameters() if value.grad is not None and value.grad.any()}
    # The first attention has no average to trade off, and what the last stage averages ranks nothing any more.
    idle = {f"blocks.{index}.tradeoff" for index in (0, 5, 6, 7)}
    assert reached == {name for name, _ in model.named_parameters()} - idle
    assert losses[-1] < 0.5 * losses[0]


def authors_names(model: EvoLeViT) -> dict[str, Any]:
    """As the authors' checkpoint might look: LeViT's names, other places for single tensors, and aliases."""
    inner = {"linear.weight": "c.weight", "mlp.0": "1.m.0", "mlp.2": "1.m.2", "tradeoff": "learned"}
    found = {}
    for name, value in model.state_dict().items():
        for ours, theirs in inner.items():
            if not name.startswith(("classifier", "head")):
                name = name.replace(ours, theirs)
        if name.endswith("learned"):
            value = value[0]
        name = name.replace("classifier", "head")
        found[name.replace("linear", "l") if name.startswith("head") else name] = value
    for before, after in pairwise(list(found)):  # each table of positions before its trade-off
        if before.endswith("learned") and after.endswith("positions"):
            found = {
                {before: after, after: before}.get(name, name): found[{before: after, after: before}.get(name, name)]
                for name in found
            }
    return {**found, **{f"stage_{name}": value for name, value in found.items() if name.startswith("blocks")}}


@torch.inference_mode()
def test_the_authors_weights_find_their_places() -> None:
    source, batch = small(0, class_head=True), images()
    weights = authors_names(source)
    assert not {"blocks.0.qkv.linear.weight", "classifier.bn.weight"} & weights.keys()
    for class_head in (True, False):
        target = small(1, class_head=class_head)
        target.load_state_dict(dict(target.released(weights)))
        assert torch.equal(target(batch), source(batch))
        if class_head:
            states = [model.run(batch, 0, model.num_blocks) for model in (source, target)]
            assert torch.equal(source.class_logits(states[0]), target.class_logits(states[1]))
    with pytest.raises(ValueError, match="class_head"):
        target.class_logits(states[0])
    own = source.state_dict()
    assert source.released(own) is own
    other = target.released({**weights, "blocks.9.odd": torch.zeros(5, 7)})
    assert other["blocks.9.odd"].shape == (5, 7)


@pytest.mark.parametrize(
    ("changes", "message"), [({"img_size": 60}, "60"), ({"keep": 0.0}, "keep"), ({"ordinary": 0}, "ordinary")]
)
def test_what_cannot_be_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        small(**changes)
