from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from torch import Tensor, nn  # noqa: E402
from torch.nn import functional  # noqa: E402

from edgesim.errors import InputError  # noqa: E402
from edgesim.models.backbones.base import Tokens, TokenShape  # noqa: E402
from edgesim.models.backbones.crossvit import small_crossvit  # noqa: E402
from edgesim.models.backbones.levit import small_levit  # noqa: E402
from edgesim.models.backbones.vit import small_vit  # noqa: E402
from edgesim.models.branches import (  # noqa: E402
    Branch,
    CNNBranch,
    MixerBranch,
    MLPBranch,
    ResMLPBranch,
    ViTBranch,
    create_branch,
)
from edgesim.models.branches.cnn import token_map  # noqa: E402
from edgesim.models.geometry import (  # noqa: E402
    AnyBranch,
    CNNBranches,
    MLPBranches,
    MLPMixerBranches,
    ResMLPBranches,
    ViTBranches,
)
from edgesim.models.multi_exit import MultiExit  # noqa: E402
from edgesim.profiling.macs import count_macs  # noqa: E402

VIT_B = TokenShape((14, 14), 768, True, 12, 4.0)
DEIT_TINY = TokenShape((14, 14), 192, True, 3, 4.0)
SPECS: tuple[AnyBranch, ...] = (
    MLPBranches(type="mlp", after=(2,)),
    MLPBranches(type="mlp", after=(2,), hidden=(12, 6), dropout=0.1),
    CNNBranches(type="cnn_ignore", after=(2,)),
    CNNBranches(type="cnn_add", after=(2,), filters=3),
    CNNBranches(type="cnn_project", after=(2,)),
    ViTBranches(type="vit", after=(2,)),
    MLPMixerBranches(type="mlp_mixer", after=(2,)),
    MLPMixerBranches(type="mlp_mixer", after=(2,), token_hidden=5, channel_hidden=7),
    ResMLPBranches(type="resmlp", after=(2,)),
)


def each_branch(shape: TokenShape) -> list[Branch]:
    torch.manual_seed(0)
    readouts = [CNNBranch(shape, 3, readout) for readout in ("ignore", "add", "project")]
    others = [ViTBranch(shape, 3), MixerBranch(shape, 3), ResMLPBranch(shape, 3)]
    return [MLPBranch(shape.width, 3), *readouts, *others]


def drawn(shape: TokenShape, count: int = 2, seed: int = 0) -> Tokens:
    patches, width = shape.grid[0] * shape.grid[1], shape.width
    values = torch.randn(count, patches + 1, width, generator=torch.manual_seed(seed))
    return Tokens(values[:, 1:], shape.grid, values[:, 0] if shape.class_token else None)


def multiply_accumulates(branch: nn.Module, shape: TokenShape) -> int:
    tokens = drawn(shape, count=1)
    return count_macs(lambda: branch.eval()(tokens))


# Counts by arithmetic on the layers; the products of matrices and the convolutions are counted, as torch does.
@pytest.mark.parametrize(
    ("make", "on_vit_b", "on_deit_tiny"),
    [
        (lambda s: MLPBranch(s.width, 10), (9_226, 7_680), (2_314, 1_920)),
        (lambda s: MLPBranch(s.width, 10, (4 * s.width, s.width)), (4_731_658, 4_726_272), (298_186, 296_832)),
        (lambda s: CNNBranch(s, 10, "ignore"), (118_458, 21_683_872), (35_514, 5_426_848)),
        (lambda s: CNNBranch(s, 10, "add"), (118_458, 21_683_872), (35_514, 5_426_848)),
        (lambda s: CNNBranch(s, 10, "project"), (1_298_874, 252_894_880), (109_434, 19_877_536)),
        (lambda s: ViTBranch(s, 10), (7_097_098, 1_453_962_240), (447_178, 102_051_072)),
        (lambda s: MixerBranch(s, 10, 4 * s.width), (5_948_367, 1_859_132_928), (602_511, 116_197_248)),
        (lambda s: MixerBranch(s, 10), (5_046_187, 1_168_012_800), (610_411, 117_710_208)),
        # Over 196 patch tokens; 959 M and 65.6 M would be over 197, the class token among them.
        (lambda s: ResMLPBranch(s, 10), (4_771_806, 954_355_200), (337_182, 65_180_544)),
    ],
    ids=["MLP one Linear", "MLP", "CNN ignore", "CNN add", "CNN project", "ViT", "Mixer 4D", "Mixer 4N", "ResMLP"],
)
def test_parameters_and_macs(make, on_vit_b: tuple[int, int], on_deit_tiny: tuple[int, int]) -> None:
    for shape, expected in ((VIT_B, on_vit_b), (DEIT_TINY, on_deit_tiny)):
        branch = make(shape)
        parameters = sum(value.numel() for value in branch.parameters())
        assert (parameters, multiply_accumulates(branch, shape)) == expected


def test_hidden_widths_of_the_mixer_by_default_are_four_times_what_it_mixes() -> None:
    branch = MixerBranch(TokenShape((3, 3), 8, True, 2, 4.0), 10)
    assert branch.token_mixing[0].out_features == 40 and branch.channel_mixing[0].out_features == 32


@pytest.mark.parametrize("class_token", [True, False])
@pytest.mark.parametrize("grid", [(7, 7), (4, 4), (3, 5), (1, 1), (1, 3)])
@torch.inference_mode()
def test_every_branch_answers_on_every_grid(grid: tuple[int, int], class_token: bool) -> None:
    shape = TokenShape(grid, 8, class_token, 2, 4.0)
    for branch in each_branch(shape):
        assert branch.eval()(drawn(shape)).shape == (2, 3), type(branch)


@torch.inference_mode()
def test_answers_of_a_sample_do_not_depend_on_its_batch() -> None:
    shape = TokenShape((3, 3), 8, True, 2, 4.0)
    patches, grid, summary = drawn(shape, count=4)
    for branch in each_branch(shape):
        alone = branch.eval()(Tokens(patches[2:3], grid, summary[2:3]))
        torch.testing.assert_close(branch(Tokens(patches, grid, summary))[2:3], alone)


def test_a_map_has_the_channels_of_each_token_at_its_place() -> None:
    grid, width = (2, 3), 5
    patches = torch.arange(2 * 6 * width).reshape(2, 6, width)
    found = token_map(patches, grid)
    assert found.shape == (2, width, *grid)
    for row in range(grid[0]):
        for column in range(grid[1]):
            assert torch.equal(found[:, :, row, column], patches[:, row * grid[1] + column])


@torch.inference_mode()
def test_the_cnn_sees_the_pattern_of_an_image_where_it_is() -> None:
    """A bare reshape of the tokens, or tokens out of order, would answer something else."""
    torch.manual_seed(0)
    branch = CNNBranch(TokenShape((6, 4), 3, False, 1, 4.0), 5, "ignore")
    image = torch.randn(2, 3, 6, 4)
    convolution, *rest = branch.layers
    hidden = functional.max_pool2d(functional.elu(functional.conv2d(image, *convolution.parameters(), padding=1)), 2)
    expected = rest[-1](hidden.flatten(1))
    patches = image.flatten(2).transpose(1, 2)
    torch.testing.assert_close(branch(Tokens(patches, (6, 4), None)), expected)
    shuffled = patches[:, torch.randperm(24, generator=torch.manual_seed(1))]
    assert not torch.allclose(branch(Tokens(shuffled, (6, 4), None)), expected, atol=1e-3)


@torch.inference_mode()
def test_readouts_of_the_class_token() -> None:
    shape = TokenShape((3, 3), 8, True, 2, 4.0)
    patches, grid, summary = drawn(shape)
    ignore, add, project = (CNNBranch(shape, 3, readout) for readout in ("ignore", "add", "project"))
    other = Tokens(patches, grid, summary + 1)
    assert torch.equal(ignore(Tokens(patches, grid, summary)), ignore(other))
    add.load_state_dict(ignore.state_dict())
    assert torch.equal(add(Tokens(patches, grid, summary)), ignore(Tokens(patches + summary[:, None], grid, None)))
    both = torch.cat((patches, summary[:, None].repeat(1, 9, 1)), -1)
    ignore.load_state_dict({key: value for key, value in project.state_dict().items() if key.startswith("layers")})
    expected = ignore(Tokens(functional.gelu(project.project[0](both)), grid, None))
    torch.testing.assert_close(project(Tokens(patches, grid, summary)), expected)


@torch.inference_mode()
def test_the_mean_token_stands_in_for_a_class_token() -> None:
    shape = TokenShape((3, 3), 8, False, 2, 4.0)
    patches, grid, _ = drawn(shape)
    for branch in each_branch(shape)[:4]:
        assert torch.equal(branch(Tokens(patches, grid, None)), branch(Tokens(patches, grid, patches.mean(1))))


@pytest.mark.parametrize("class_token", [True, False])
@torch.inference_mode()
def test_vit_and_mixer_by_hand(class_token: bool) -> None:
    shape = TokenShape((3, 3), 8, class_token, 2, 2.0)
    tokens = drawn(shape)
    values = tokens.patches if not class_token else torch.cat((tokens.class_token[:, None], tokens.patches), 1)

    def answer(branch: ViTBranch | MixerBranch, values: Tensor) -> Tensor:
        values = branch.norm(values)
        return branch.head(values[:, 0] if class_token else values.mean(1))

    vit = ViTBranch(shape, 3).eval()
    torch.testing.assert_close(vit(tokens), answer(vit, vit.encoder(values)))
    assert vit.encoder.mlp.fc1.out_features == 16 and vit.encoder.attn.num_heads == 2

    mixer = MixerBranch(shape, 3).eval()
    for module in mixer.modules():
        if isinstance(module, nn.Linear):
            nn.init.normal_(module.weight)
    first, last = mixer.token_mixing[0], mixer.token_mixing[2]
    mixed = functional.gelu(torch.einsum("bnd,hn->bhd", mixer.token_norm(values), first.weight))
    values = values + torch.einsum("bhd,nh->bnd", mixed, last.weight)
    values = values + mixer.channel_mixing(mixer.channel_norm(values))
    torch.testing.assert_close(mixer(tokens), answer(mixer, values), rtol=1e-4, atol=1e-4)


@torch.inference_mode()
def test_resmlp_by_hand() -> None:
    shape = TokenShape((2, 3), 8, True, 2, 4.0)
    branch, tokens = ResMLPBranch(shape, 3), drawn(shape)
    for value in branch.parameters():
        nn.init.normal_(value)
    x = tokens.patches
    affine = x * branch.patch_affine.scale + branch.patch_affine.shift
    x = x + torch.einsum("bnd,mn->bmd", affine, branch.cross_patch.weight) + branch.cross_patch.bias[:, None]
    x = x + branch.channel_mlp(x * branch.channel_affine.scale + branch.channel_affine.shift)
    torch.testing.assert_close(branch(tokens), branch.head(x.mean(1)), rtol=1e-4, atol=1e-4)
    assert torch.equal(branch(tokens), branch(tokens._replace(class_token=None)))


def test_heads_that_do_not_divide_the_width_become_fewer() -> None:
    branch = ViTBranch(TokenShape((2, 2), 16, False, 6, 2.0), 3)
    assert branch.encoder.attn.num_heads == 4
    assert branch(drawn(TokenShape((2, 2), 16, False, 6, 2.0))).shape == (2, 3)


def test_every_parameter_is_trained() -> None:
    shape = TokenShape((3, 3), 8, True, 2, 4.0)
    for branch in each_branch(shape):
        for value in branch.parameters():
            nn.init.normal_(value)  # at their initial values some gradients are zero
        branch(drawn(shape)).square().sum().backward()
        assert all(value.grad is not None and value.grad.any() for value in branch.parameters()), type(branch)


BACKBONES = {
    "vit": lambda: small_vit(16, 1, 3, width=8, depth=3, heads=2, stem_channels=(4, 4)),
    "levit": lambda: small_levit(64, 1, 3, widths=(16, 24), depths=(1, 1), heads=(2, 3), key_dim=4),
    "crossvit": lambda: small_crossvit(
        16, 1, 3, patch_sizes=(4, 8), widths=(8, 16), depths=(1, 1), heads=(2, 2), fusions=1
    ),
}


@pytest.mark.parametrize("name", BACKBONES)
@torch.inference_mode()
def test_every_branch_of_a_geometry_after_every_block(name: str) -> None:
    torch.manual_seed(0)
    backbone = BACKBONES[name]().eval()
    images = torch.rand(2, *backbone.input_size)
    states = [backbone.run(images, 0, after) for after in range(1, backbone.num_blocks)]
    for after, state in enumerate(states, start=1):
        for spec in SPECS:
            model = MultiExit(backbone, {after: create_branch(spec, backbone, after)}).eval()
            assert model.exit(state, 0).shape == (2, 3)


def test_branches_that_are_made_are_those_of_the_geometry() -> None:
    backbone = BACKBONES["vit"]()
    mlp, deep, ignore, add, project, vit, mixer, small_mixer, resmlp = (
        create_branch(spec, backbone, 2) for spec in SPECS
    )
    assert [type(layer) for layer in mlp.layers] == [nn.LayerNorm, nn.Linear]
    assert [layer.out_features for layer in deep.layers if isinstance(layer, nn.Linear)] == [12, 6, 3]
    assert [layer.p for layer in deep.layers if isinstance(layer, nn.Dropout)] == [0.1, 0.1]
    assert [branch.readout for branch in (ignore, add, project)] == ["ignore", "add", "project"]
    assert [branch.layers[0].out_channels for branch in (ignore, add)] == [16, 3]
    assert [type(branch) for branch in (vit, mixer, resmlp)] == [ViTBranch, MixerBranch, ResMLPBranch]
    assert small_mixer.token_mixing[0].out_features == 5 and small_mixer.channel_mixing[0].out_features == 7


@torch.inference_mode()
def test_a_branch_reads_the_token_set_that_it_was_made_for() -> None:
    backbone = BACKBONES["crossvit"]().eval()
    state = backbone.run(torch.rand(2, 1, 16, 16), 0, 2)
    answers = {}
    for token_set, width in zip(backbone.token_sets, (16, 8), strict=True):
        branch = create_branch(MLPBranches(type="mlp", after=(2,), token_set=token_set), backbone, 2)
        assert branch.token_set == token_set and branch.layers[0].normalized_shape == (width,)
        answers[token_set] = MultiExit(backbone, {2: branch}).eval().exit(state, 0)
        assert torch.equal(answers[token_set], branch(backbone.tokens(state, token_set)))
    default = create_branch(SPECS[0], backbone, 2)
    assert default.token_set is None and default.layers[0].normalized_shape == (16,)


def test_an_unknown_token_set_is_refused() -> None:
    spec = ViTBranches(type="vit", after=(2,), token_set="huge")
    with pytest.raises(InputError, match=r"branch vit: token_set: found 'huge', allowed: .*large.*small"):
        create_branch(spec, BACKBONES["crossvit"](), 2)
