"""The profile file: measured times of one model on one machine, as rows of samples.

One JSON document.  All times are seconds.  Lists of samples keep the order in which they were taken.
"""

from __future__ import annotations

import json
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from edgesim.errors import InputError
from edgesim.models.state import TensorSpec
from edgesim.profiling.digest import digest

FORMAT, VERSION = "edgesim-profile", 1
SHIPPED = Path(__file__).with_name("profiles")

Seconds = Annotated[float, Field(gt=0, lt=1e5)]
Samples = Annotated[tuple[Seconds, ...], Field(min_length=1)]
Rows = Annotated[tuple[Samples, ...], Field(min_length=1)]
Count = Annotated[int, Field(ge=0)]
Batch = Annotated[int, Field(ge=1)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


class ModelFacts(_Part):
    """What is counted, not timed.

    hash: digest of the backbone's structure (names, shapes and dtypes of its tensors), since times do not depend on
    the values of the weights.  parameters: of the backbone with its head.  exits: blocks run before each exit.
    cuts: what crosses at cut 0..L, state_bytes: its size uncompressed.  block_macs, branch_macs: multiply-accumulates
    for one image; the last branch is the backbone's head.  peak_bytes: weights and the largest set of live tensors
    of a pass at batch 1, without what an operator uses inside itself.
    """

    name: str
    hash: str
    parameters: Count
    branch_parameters: tuple[Count, ...]
    blocks: Annotated[tuple[str, ...], Field(min_length=1)]
    exits: Annotated[tuple[Batch, ...], Field(min_length=1)]
    cuts: tuple[tuple[TensorSpec, ...], ...]
    input_size: tuple[Batch, Batch, Batch]
    num_classes: Batch
    block_macs: tuple[Count, ...]
    branch_macs: tuple[Count, ...]
    state_bytes: tuple[Count, ...]
    peak_bytes: Count

    @model_validator(mode="after")
    def _fits_together(self) -> ModelFacts:
        blocks, exits = len(self.blocks), self.exits
        if list(exits) != sorted(set(exits)) or exits[-1] != blocks:
            raise ValueError(f"exits: must increase and end with the number of blocks ({blocks}), found {list(exits)}")
        for key, values, wanted in (
            ("cuts", self.cuts, blocks + 1),
            ("state_bytes", self.state_bytes, blocks + 1),
            ("block_macs", self.block_macs, blocks),
            ("branch_macs", self.branch_macs, len(exits)),
            ("branch_parameters", self.branch_parameters, len(exits)),
        ):
            if len(values) != wanted:
                raise ValueError(f"{key}: must have {wanted} entries, found {len(values)}")
        sizes = tuple(sum(spec.nbytes for spec in cut) for cut in self.cuts)
        if sizes != self.state_bytes:
            raise ValueError(f"state_bytes: the cuts say {list(sizes)}, found {list(self.state_bytes)}")
        return self


class Machine(_Part):
    """Where and with what was measured.

    device: cpu or cuda.  load_average: over 1, 5 and 15 minutes before the start.
    """

    cpu: str
    device: str
    cores: Batch
    threads: Batch
    load_average: tuple[float, float, float]
    python: str
    torch: str
    platform: str
    date: str


class PassTimes(_Part):
    """rows_s: for each pass at this batch size, the time of every block (or of every exit's branch)."""

    batch: Batch
    rows_s: Rows


class PieceTimes(_Part):
    """Blocks start .. stop - 1 run as one piece: a prefix where start is 0, a suffix where stop is L."""

    start: Count
    stop: Batch
    batch: Batch
    seconds: Samples


class IdleTimes(_Part):
    """Whole passes at batch 1 after the processor did nothing for ``gap_s``."""

    gap_s: Annotated[float, Field(ge=0)]
    seconds: Samples


class CodecTimes(_Part):
    """One sample coded and decoded at ``cut``; it stands for every cut with the same tensors."""

    cut: Count
    codec: str
    encode_s: Samples
    decode_s: Samples


class GatherTimes(_Part):
    """``batch`` samples picked out of a batch twice that size."""

    batch: Batch
    seconds: Samples


class Profile(_Part):
    """Measured costs of one model on one machine.

    numeric_format: in which the blocks ran.  content: what the images showed, which matters to zlib, PNG and JPEG.
    chain: passes without branches.  branches: the same for the exits.  pieces: prefixes and suffixes.
    preprocess_s: one decoded image to the stem's input.  Codecs and
    preprocess_s are empty where they could not be measured.  kept, rejected: samples; one is rejected where wall time
    exceeds the process's CPU time by more than 5 %.
    """

    format: Literal["edgesim-profile"] = FORMAT  # type: ignore[assignment]
    version: Literal[1] = VERSION  # type: ignore[assignment]
    model: ModelFacts
    machine: Machine
    numeric_format: Literal["fp32", "fp16", "int8"]
    content: str
    kept: Count
    rejected: Count
    chain: Annotated[tuple[PassTimes, ...], Field(min_length=1)]
    branches: Annotated[tuple[PassTimes, ...], Field(min_length=1)]
    pieces: Annotated[tuple[PieceTimes, ...], Field(min_length=1)]
    idle: Annotated[tuple[IdleTimes, ...], Field(min_length=1)]
    codecs: tuple[CodecTimes, ...]
    preprocess_s: tuple[Seconds, ...]
    gather: Annotated[tuple[GatherTimes, ...], Field(min_length=1)]

    @property
    def num_blocks(self) -> int:
        return len(self.model.blocks)

    @cached_property
    def hash(self) -> str:
        """A digest of everything in the profile."""
        return digest(self.model_dump(mode="json"))

    @model_validator(mode="after")
    def _fits_the_model(self) -> Profile:
        for key, passes, width in (
            ("chain", self.chain, self.num_blocks),
            ("branches", self.branches, len(self.model.exits)),
        ):
            _increasing(key, "batch", [times.batch for times in passes])
            if passes[0].batch != 1:
                raise ValueError(f"{key}: batch 1 is missing")
            for times in passes:
                if any(len(row) != width for row in times.rows_s):
                    raise ValueError(f"{key}: every row of batch {times.batch} must have {width} times")
        _increasing("gather", "batch", [times.batch for times in self.gather])
        _increasing("idle", "gap_s", [times.gap_s for times in self.idle])
        if self.idle[0].gap_s != 0:
            raise ValueError("idle: gap_s 0 is missing")
        profiled = {times.batch for times in self.chain}
        for piece in self.pieces:
            if not piece.start < piece.stop <= self.num_blocks or piece.batch not in profiled:
                raise ValueError(f"pieces: {piece.start}..{piece.stop} at batch {piece.batch} is not within the chain")
        if all(piece.batch != 1 for piece in self.pieces):
            raise ValueError("pieces: none at batch 1")
        for codec in self.codecs:
            if codec.cut >= self.num_blocks:
                raise ValueError(f"codecs: nothing crosses at cut {codec.cut} of {self.num_blocks}")
        return self


def _increasing(key: str, field: str, values: list[Any]) -> None:
    if any(low >= high for low, high in zip(values, values[1:], strict=False)):
        raise ValueError(f"{key}: {field} must increase, found {values}")


def save_profile(profile: Profile, path: Path) -> None:
    """Write the file whole or not at all."""
    document = {"hash": profile.hash, **profile.model_dump(mode="json")}
    partial = path.with_name(path.name + ".partial")
    partial.write_text(json.dumps(document, separators=(",", ":")) + "\n")
    partial.replace(path)


def load_profile(path: Path) -> Profile:
    """Read and check a profile.

    Raises InputError, naming file and key, where the file is missing, damaged, of another version or at odds with
    itself.
    """
    document = _read_object(path)
    for key, wanted in (("format", FORMAT), ("version", VERSION)):
        if document.get(key) != wanted:
            raise InputError(f"{path}: {key}: must be {wanted!r}, found {document.get(key)!r}")
    stated = document.pop("hash", None)
    try:
        profile = Profile.model_validate_json(json.dumps(document))
    except ValidationError as error:
        raise InputError(f"{path}: {_first(error)}") from None
    if stated != profile.hash:
        raise InputError(f"{path}: hash: the content's is {profile.hash!r}, found {stated!r}; the file was changed")
    return profile


def _read_object(path: Path) -> dict[str, Any]:
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from None
    except ValueError as error:
        raise InputError(f"{path}: is not JSON: {error}") from None
    if not isinstance(document, dict):
        raise InputError(f"{path}: must be a JSON object, found {type(document).__name__}")
    return document


def _first(error: ValidationError) -> str:
    """The first complaint, as key and message."""
    details = error.errors()[0]
    key = ".".join(map(str, details["loc"]))
    message = str(details["msg"]).removeprefix("Value error, ")
    found = f", found {details['input']!r}" if isinstance(details["input"], str | int | float) else ""
    return f"{key}: {message}{found}" if key else f"{message}{found}"


def shipped_profiles() -> tuple[str, ...]:
    """Names of the models whose profile ships inside the package."""
    return tuple(sorted(path.stem for path in SHIPPED.glob("*.json")))


def shipped_profile(model: str) -> Profile:
    """The profile of ``model`` that ships; InputError where there is none."""
    if model not in shipped_profiles():
        known = ", ".join(shipped_profiles()) or "none"
        raise InputError(f"no profile of {model} ships with the package (shipped: {known}); measure one first")
    return load_profile(SHIPPED / f"{model}.json")


def find_profile(profile: str | Path, model: str) -> Profile:
    """What a scenario's ``profile`` names: ``shipped``, or the path of a file."""
    return shipped_profile(model) if profile == "shipped" else load_profile(Path(profile))
