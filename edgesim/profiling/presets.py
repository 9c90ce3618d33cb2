"""Devices that were not measured here: a measured profile scaled by a published number.

The factor is anchor / the shipped profile's time of the anchor's model at the anchor's batch size.  It keeps the shape
of the profile: every block is scaled alike.  Marks: ``V`` a published measurement, ``D`` derived from published
numbers by simple scaling, which is good for a what-if and cannot be cited as a measurement.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

from edgesim.errors import InputError
from edgesim.profiling.costs import ModelCosts, SyntheticCosts
from edgesim.profiling.profile import Profile, shipped_profile

DEIT, LEVIT = "deit_tiny_patch16_224", "levit_128s"
TIMM = "huggingface/pytorch-image-models @aa4b5850c154, benchmark CSVs (Apache-2.0), torch.compile"
LEVIT_REPO = "facebookresearch/LeViT @3772b8e7517b .github/timings.txt (Apache-2.0)"


@dataclass(frozen=True)
class Anchor:
    """Time of one image of ``model`` in a batch of ``batch``."""

    model: str
    image_ms: float
    batch: int = 1


@dataclass(frozen=True)
class Preset:
    """A device.

    accelerator: blocks run beside the CPU, and a batch costs much less than its images one by one, so that one anchor
    says nothing of other batch sizes.  codecs_like: the preset whose factor holds for codecs too; where None, codecs
    take this one's own factor, or the profiled machine's time beside an accelerator.
    """

    name: str
    anchor: Anchor
    numeric_format: Literal["fp32", "fp16", "int8"]
    source: str
    mark: Literal["V", "D"]
    accelerator: bool = False
    codecs_like: str | None = None

    @property
    def throughput_only(self) -> bool:
        """Whether nothing is known of a single image's latency: usable for nothing that waits for one."""
        return self.accelerator and self.anchor.batch > 1


PRESETS = {
    preset.name: preset
    for preset in (
        Preset("laptop-i7-12700h", Anchor(DEIT, 12.931), "fp32", f"{TIMM} 2.4.0, Intel i7-12700H", "V"),
        Preset("edge-i9-10940x", Anchor(DEIT, 5.484), "fp32", f"{TIMM} 2.4.0, Intel i9-10940X", "V"),
        Preset(
            "pi5-int8",
            Anchor(DEIT, 26.40),
            "int8",
            "Arm model card, ExecuTorch with XNNPACK, p50 on a Raspberry Pi 5",
            "V",
            codecs_like="pi5-fp32",
        ),
        Preset(
            "pi5-fp32",
            Anchor(DEIT, 87.5),
            "fp32",
            "middle of 80-95 ms: the int8 model card's 26.40 ms times fp32/int8 ratios of 3.1-3.6 on other models",
            "D",
        ),
        Preset("pi4-fp32", Anchor(DEIT, 230.0), "fp32", "middle of 180-280 ms, by Pi 5 / Pi 4 ratios; unsure", "D"),
        Preset("arm-1thread", Anchor(DEIT, 1e3 / 16.8, 16), "fp32", f"{LEVIT_REPO}, ARM, 1 thread: 16.8 img/s", "V"),
        Preset("xeon6138-1thread", Anchor(DEIT, 1e3 / 39.1, 16), "fp32", f"{LEVIT_REPO}, 1 thread: 39.1 img/s", "V"),
        Preset(
            "jetson-nano-fp16",
            Anchor(DEIT, 50.0),
            "fp16",
            "middle of 40-60 ms, by EfficientViT's TensorRT times; uncertain by a factor of 2",
            "D",
            accelerator=True,
        ),
        Preset(
            "orin-agx-fp16",
            Anchor(DEIT, 3.0),
            "fp16",
            "middle of 2-4 ms, by EfficientViT's TensorRT times; uncertain by a factor of 2",
            "D",
            accelerator=True,
        ),
        Preset(
            "phone-s24-npu",
            Anchor(LEVIT, 0.801),
            "fp16",
            "Qualcomm AI Hub, LeViT-128S on the S24",
            "V",
            accelerator=True,
        ),
        Preset("v100", Anchor(DEIT, 1e3 / 3973, 16), "fp16", f"{LEVIT_REPO}, V100: 3973 img/s", "V", accelerator=True),
        Preset(
            "rtx4090",
            Anchor(DEIT, 1e3 / 17674, 1024),
            "fp16",
            f"{TIMM} 2.4.0, RTX 4090, AMP: 17674 img/s",
            "V",
            accelerator=True,
        ),
    )
}


def preset(name: str) -> Preset:
    """The preset of that name; InputError names those that exist."""
    if name not in PRESETS:
        raise InputError(f"no device preset is called {name!r}; there are: {', '.join(PRESETS)}")
    return PRESETS[name]


def whole_model_s(costs: ModelCosts, batch: int) -> float:
    """Mean seconds of one image through all blocks and the head, in a batch of ``batch``."""
    last = len(costs.exits) - 1
    return (costs.mean_piece_s(0, costs.num_blocks, batch) + costs.mean_branch_s(last, batch)) / batch


def device_factor(device: Preset, reference: Profile) -> float:
    """How many times as long the device takes as the machine on which ``reference``, of the anchor's model, was made.

    Raises InputError where the anchor's batch size was not profiled.
    """
    return device.anchor.image_ms / 1e3 / whole_model_s(ModelCosts(reference), device.anchor.batch)


def on_preset(
    costs: ModelCosts, name: str, outcomes_format: str = "fp32", reference: Profile | None = None
) -> ModelCosts:
    """What ``costs``, as profiled, becomes on a preset; its label says from what and by how much it was scaled.

    outcomes_format: in which the outcomes were executed; must be the preset's, as answers depend on it.
    reference: a profile of the anchor's model on the machine where ``costs`` were measured; the shipped one where
    None.  Raises InputError where the formats differ or the preset has no anchor for a single image's latency.
    """
    device = preset(name)
    _refuse(device, outcomes_format)
    reference = reference or shipped_profile(device.anchor.model)
    factor = device_factor(device, reference)
    codec_factor, codecs = _codec_factor(device, factor, reference)
    across = "" if costs.profile.model.name == device.anchor.model else " across models"
    label = f"scaled{across} to {name} by {factor:.3g} (anchor {_anchor_text(device)}), codecs {codecs}"
    if costs.profile.machine.cpu != reference.machine.cpu:
        label += f", profiled on {costs.profile.machine.cpu} but anchored on {reference.machine.cpu}"
    return costs.scaled(factor, codec_factor, label, max_batch=1 if device.accelerator else None)


def _refuse(device: Preset, outcomes_format: str) -> None:
    if device.throughput_only:
        raise InputError(
            f"preset {device.name}: only its throughput at batch {device.anchor.batch} is known, not the latency of an "
            "image; give the processor a `factor` that you can defend"
        )
    if device.numeric_format != outcomes_format:
        raise InputError(
            f"preset {device.name} is timed in {device.numeric_format}, but the outcomes were executed in "
            f"{outcomes_format}; name a preset in {outcomes_format}, or a `factor`"
        )


def _codec_factor(device: Preset, factor: float, reference: Profile) -> tuple[float, str]:
    """Codecs run on the CPU, for which no anchor was published."""
    if device.codecs_like is not None:
        codec_factor = device_factor(PRESETS[device.codecs_like], reference)
        return codec_factor, f"by {codec_factor:.3g} (assumed, as on {device.codecs_like})"
    if device.accelerator:
        return 1.0, f"as on {reference.machine.cpu} (assumed)"
    return factor, "likewise (assumed)"


def _anchor_text(device: Preset) -> str:
    anchor = device.anchor
    batch = "" if anchor.batch == 1 else f" an image at batch {anchor.batch}, taken to hold at every batch"
    return f"{anchor.model} {anchor.image_ms:.4g} ms{batch} [{device.mark}]"


class Processor(Protocol):
    """A scenario's ``processor``: a preset, a factor, or neither."""

    @property
    def preset(self) -> str | None: ...
    @property
    def factor(self) -> float | None: ...


def on_processor(
    costs: ModelCosts | SyntheticCosts, processor: Processor, outcomes_format: str = "fp32"
) -> ModelCosts | SyntheticCosts:
    """What ``costs`` become on a scenario's processor.  A factor multiplies every time, codecs included.

    Raises InputError as :func:`on_preset` does, and where a synthetic model is to run on a preset.
    """
    if processor.preset is not None:
        if isinstance(costs, SyntheticCosts):
            raise InputError(
                f"preset {processor.preset}: a synthetic model has no measured times to scale; use `factor`"
            )
        return on_preset(costs, processor.preset, outcomes_format)
    if processor.factor is not None:
        label = f"{costs.label}, scaled by {processor.factor:g} (assumed)"
        return costs.scaled(processor.factor, processor.factor, label)
    return costs
