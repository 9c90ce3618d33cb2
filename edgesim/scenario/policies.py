"""Policies that a scenario compares."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    Discriminator,
    Field,
    ModelWrapValidatorHandler,
    PrivateAttr,
    Strict,
    Tag,
    ValidationInfo,
    field_validator,
    model_validator,
)

from edgesim.scenario.codecs import AnyCodec, Codecs, ImageCodec, StateCodec
from edgesim.scenario.durations import NumberOrNumbers
from edgesim.scenario.estimators import Estimator, EwmaEstimator
from edgesim.scenario.files import find
from edgesim.scenario.spec import Cuts, Name, Spec, increasing

Score = Literal["confidence", "entropy", "margin", "change"]
CUT = "Blocks that the device runs before it sends the state; 0 sends the image, all blocks send nothing."
STATE_CODEC = "How a state is coded at the cut (fp32, fp16, int8, int4, int8_token, int4_token; '+zlib' behind it)."
IMAGE_CODEC = "How the image is coded at cut 0 (raw, png, jpeg1 to jpeg100)."
CODECS = "Codecs to choose from: those of images (raw, png, jpegQ) count at cut 0, those of states at the other cuts."


class PolicyModels(Spec):
    """Which model runs where."""

    device: Name | None = Field(default=None, description="Name of the model on the device; else the first listed.")
    server: Name | None = Field(default=None, description="Name of the model on the server; else the device's.")


class Policy(Spec):
    """What every policy has."""

    models: PolicyModels | None = Field(default=None, description="Which of the scenario's models runs where.")


class DeviceOnly(Policy):
    """All blocks up to an exit on the device; nothing is sent."""

    type: Literal["device_only"] = Field(description="Everything runs on the device.")
    exit: Annotated[int, Field(ge=0)] | None = Field(
        default=None, description="The exit that answers, counted from 0; none: the last."
    )


class ServerOnly(Spec):
    """The image is sent, all blocks run on the server."""

    type: Literal["server_only"] = Field(description="The image is sent; everything runs on the server.")
    codec: ImageCodec = Field(default="png", description=IMAGE_CODEC)
    model: Name | None = Field(default=None, description="Name of the model on the server; none: the first listed.")


class FixedCut(Policy):
    """Always the same cut and codec."""

    type: Literal["fixed_cut"] = Field(description="Always the same cut.")
    cut: Annotated[int, Field(ge=0)] = Field(description=CUT)
    codec: AnyCodec = Field(description="Codec at the cut: of images (raw, png, jpegQ) at cut 0, else of states.")


class RandomCut(Policy):
    """A cut drawn uniformly for each request, and a codec that fits it."""

    type: Literal["random"] = Field(description="A cut and a codec drawn for each request.")
    codecs: Codecs = Field(default=("png", "int8"), min_length=1, description=CODECS)
    cuts: Annotated[Cuts, Field(min_length=1)] | None = Field(
        default=None, description="Cuts to draw from; none: every cut that a codec fits, and sending nothing."
    )


class ExitsThenImage(Policy):
    """Some exits on the device, then the image to the server."""

    type: Literal["exits_then_image"] = Field(description="Answers from local exits first, then the image is sent.")
    exits: Cuts | None = Field(
        default=None, description="Exits that the device runs, counted from 0; none: all of them until one is sure."
    )
    score: Score | None = Field(
        default=None, description="What says that a local answer is good enough; goes with threshold."
    )
    threshold: float | None = Field(
        default=None,
        description="The image stays where confidence or margin is at least this, entropy (nats) below this, or change "
        "at most this.",
    )
    codec: ImageCodec = Field(default="png", description=IMAGE_CODEC)

    @field_validator("exits")
    @classmethod
    def _rising(cls, exits: tuple[int, ...] | None) -> tuple[int, ...] | None:
        if exits is not None:
            if not exits:
                raise ValueError("found no exit, allowed: at least one")
            increasing(exits, "exits")
        return exits

    @model_validator(mode="after")
    def _exits_or_threshold(self) -> ExitsThenImage:
        if (self.score is None) != (self.threshold is None):
            raise ValueError("found one of score and threshold, allowed: both or neither")
        if self.exits is None and self.score is None:
            raise ValueError("missing exits, or score and threshold; allowed: either or all of them")
        return self


class Thresholds(Policy):
    """Leave at the first exit whose score is good enough (Teerapittayanon et al., ICPR 2016)."""

    type: Literal["thresholds"] = Field(description="Leave at the first exit whose score is good enough.")
    score: Score = Field(
        default="confidence",
        description="Score that is compared with the threshold; change, from the exit before, for models that count.",
    )
    threshold: NumberOrNumbers = Field(
        description="Leave where confidence or margin is at least this, entropy (nats) below this, or change at most "
        "this: one number, or one for each exit but the last."
    )
    cut: Annotated[int, Field(ge=0)] | None = Field(default=None, description=f"{CUT} none: all on the device.")
    codec: AnyCodec = Field(default="int8", description=STATE_CODEC)


class Anytime(Policy):
    """Answer at every exit until the deadline."""

    type: Literal["anytime"] = Field(description="An answer at every exit, as deep as time allows.")
    cut: Annotated[int, Field(ge=0)] | None = Field(default=None, description=f"{CUT} none: all on the device.")
    codec: AnyCodec = Field(default="int8", description=STATE_CODEC)


class Neurosurgeon(Policy):
    """The best cut for the estimated rate (Kang et al., ASPLOS 2017)."""

    type: Literal["neurosurgeon"] = Field(description="The best cut for the estimated rate.")
    objective: Literal["latency", "energy"] = Field(
        default="latency", description="What is made small: latency, or the device's energy."
    )
    codec: StateCodec = Field(default="int8", description=STATE_CODEC)
    image_codec: ImageCodec = Field(default="png", description=IMAGE_CODEC)
    estimator: Estimator = Field(
        default_factory=lambda: EwmaEstimator(type="ewma"),
        description="How the uplink's rate is estimated from past transfers.",
    )


class StaticBest(Policy):
    """The fixed arm that was best on a calibration run."""

    type: Literal["static_best"] = Field(description="The fixed arm that was best on a calibration run.")
    objective: Literal["on_time_accuracy"] = Field(
        default="on_time_accuracy",
        description="What the best arm has most of on the calibration run; where models count: least on-time error.",
    )
    calibration_seed: Annotated[int, Field(ge=0)] = Field(
        description="Seed of the calibration run: none of a reported replication."
    )
    codecs: Codecs = Field(default=("png", "int8"), min_length=1, description=CODECS)


class LinkOracle(Policy):
    """Knows the link's future rate, not the label: marked as an oracle."""

    type: Literal["link_oracle"] = Field(description="Knows the link's future rate (an oracle).")
    codecs: Codecs = Field(default=("png", "int8"), min_length=1, description=CODECS)


class Clairvoyant(Policy):
    """Knows the outcome of every arm: marked as an oracle."""

    type: Literal["clairvoyant"] = Field(description="Knows the outcome of every arm (an oracle).")
    codecs: Codecs = Field(default=("png", "int8"), min_length=1, description=CODECS)


class Tiers(Policy):
    """Parts of the model on device, edge and cloud, with exits in between (Teerapittayanon et al., ICDCS 2017)."""

    type: Literal["tiers"] = Field(description="Parts of the model on the device and on several servers in turn.")
    cuts: Annotated[Cuts, Field(min_length=1)] = Field(
        description="Blocks run before each hand-over, rising: the first from the device to the first server; 0 sends "
        "the image."
    )
    servers: Annotated[tuple[Name, ...], Strict(False), Field(min_length=1)] = Field(
        description="Names of the servers in turn, one for each cut; the last one runs what is left."
    )
    codec: StateCodec = Field(default="int8", description=STATE_CODEC)
    image_codec: ImageCodec = Field(default="png", description=IMAGE_CODEC)
    score: Score = Field(default="confidence", description="Score that is compared with the threshold.")
    threshold: float | None = Field(
        default=None,
        description="Answer at the first exit whose confidence or margin is at least this, entropy (nats) below this, "
        "or change at most this; none: only the last exit answers.",
    )

    @model_validator(mode="after")
    def _server_for_each_cut(self) -> Tiers:
        increasing(self.cuts, "cuts")
        if len(self.servers) != len(self.cuts):
            raise ValueError(f"found {len(self.servers)} servers for {len(self.cuts)} cuts, allowed: one for each cut")
        return self


class UserPolicy(Policy):
    """A class of the user's own: ``my_policy.py:MyPolicy`` beside the scenario, or ``package.module:MyPolicy``."""

    type: str = Field(
        pattern=r"^[^:]+:[A-Za-z_][A-Za-z0-9_]*$",
        title="FILE.py:CLASS or MODULE:CLASS",
        description="A class of your own: 'file.py:Class' beside the scenario, or 'package.module:Class'.",
    )
    options: dict[str, Any] = Field(default={}, description="Handed to the class as keyword arguments.")
    _file: Path | None = PrivateAttr(default=None)

    @property
    def file(self) -> Path | None:
        """The Python file that holds the class; None where it is to be imported from ``module``."""
        return self._file

    @property
    def module(self) -> str:
        return self.type.rpartition(":")[0]

    @property
    def class_name(self) -> str:
        return self.type.rpartition(":")[2]

    @model_validator(mode="wrap")
    @classmethod
    def _find_file(cls, data: Any, build: ModelWrapValidatorHandler[UserPolicy], info: ValidationInfo) -> UserPolicy:
        policy = build(data)
        if policy.module.endswith(".py"):
            path = type(data["type"])(policy.module) if isinstance(data, dict) else policy.module
            policy._file = find(path, info.context["folder"]) if info.context else Path(path)
        return policy


USER = "FILE.py:CLASS"


def _tag(value: Any) -> Any:
    kind = value.get("type") if isinstance(value, dict) else getattr(value, "type", None)
    return USER if isinstance(kind, str) and ":" in kind else kind


AnyPolicy = Annotated[
    Annotated[DeviceOnly, Tag("device_only")]
    | Annotated[ServerOnly, Tag("server_only")]
    | Annotated[FixedCut, Tag("fixed_cut")]
    | Annotated[RandomCut, Tag("random")]
    | Annotated[ExitsThenImage, Tag("exits_then_image")]
    | Annotated[Thresholds, Tag("thresholds")]
    | Annotated[Anytime, Tag("anytime")]
    | Annotated[Neurosurgeon, Tag("neurosurgeon")]
    | Annotated[StaticBest, Tag("static_best")]
    | Annotated[LinkOracle, Tag("link_oracle")]
    | Annotated[Clairvoyant, Tag("clairvoyant")]
    | Annotated[Tiers, Tag("tiers")]
    | Annotated[UserPolicy, Tag(USER)],
    Discriminator(_tag),
]
