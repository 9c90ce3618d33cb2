"""The whole scenario."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, PrivateAttr, Strict, ValidationInfo, field_validator, model_validator

from edgesim.errors import InputError, closest
from edgesim.scenario.connections import Connection
from edgesim.scenario.data import Data, ShippedData
from edgesim.scenario.devices import DeviceClass
from edgesim.scenario.document import Document
from edgesim.scenario.events import Event
from edgesim.scenario.links import Link
from edgesim.scenario.models import Model
from edgesim.scenario.policies import AnyPolicy, ServerOnly
from edgesim.scenario.profile_error import ProfileError
from edgesim.scenario.servers import Server
from edgesim.scenario.spec import Count, Name, NotNegative, Positive, Spec, earlier, increasing


class Scenario(Spec):
    """A world, the policies that are compared in it, and how long it is watched."""

    name: Name = Field(description="Name of the scenario and of its results folder: letters, digits, '_' and '-'.")
    seed: Annotated[int, Field(ge=0)] = Field(default=1, description="Root of all random numbers.")
    duration_s: Positive = Field(description="Requests arrive up to this time, s.")
    warmup_s: NotNegative = Field(default=0.0, description="Requests that arrive before this time do not count, s.")
    drain_s: NotNegative = Field(default=30.0, description="Longest that the run goes on after the last arrival, s.")
    replications: Count = Field(default=10, description="Independent repetitions.")
    execution: Literal["tabled", "live"] = Field(
        default="tabled", description="tabled: outcomes are computed once beforehand; live: inside the simulation."
    )
    deadlines_ms: Annotated[tuple[Positive, ...], Strict(False)] = Field(
        default=(), description="Deadlines of the accuracy curve, ms, rising; none: only the devices' own."
    )
    data: Data = Field(default_factory=ShippedData, description="The images.")
    models: dict[Name, Model] = Field(min_length=1, description="Models by name, listed from shallow to deep.")
    devices: dict[Name, DeviceClass] = Field(min_length=1, description="Classes of devices by name.")
    links: dict[Name, Link] = Field(default={}, description="Links by name.")
    servers: dict[Name, Server] = Field(default={}, description="Servers by name.")
    connections: dict[Name, Connection] = Field(
        default={}, description="Connections between servers; without any, devices reach every server directly."
    )
    events: dict[Name, Event] = Field(default={}, description="What befalls the world: faults, bursts, recoveries.")
    profile_error: ProfileError | None = Field(
        default=None, description="What policies are told of costs is off; none: they know the means."
    )
    policies: dict[Name, AnyPolicy] = Field(
        min_length=1, description="Policies by name; each is run in the same world."
    )
    _folder: Path = PrivateAttr(default=Path())
    _document: Document = PrivateAttr(default_factory=lambda: Document("scenario", {}))

    @property
    def document(self) -> Document:
        """What the user wrote, with the line of each key."""
        return self._document

    @property
    def folder(self) -> Path:
        """The folder that paths in the scenario count from."""
        return self._folder

    @field_validator("warmup_s")
    @classmethod
    def _shorter_than_the_run(cls, warmup_s: float, info: ValidationInfo) -> float:
        duration_s = earlier(info, "duration_s")
        if duration_s is not None and warmup_s >= duration_s:
            raise ValueError(f"found {warmup_s:g}, allowed: less than duration_s ({duration_s:g})")
        return warmup_s

    @field_validator("deadlines_ms")
    @classmethod
    def _rising(cls, deadlines_ms: tuple[float, ...]) -> tuple[float, ...]:
        increasing(deadlines_ms, "deadlines")
        return deadlines_ms

    @model_validator(mode="after")
    def _remember_where_it_came_from(self, info: ValidationInfo) -> Scenario:
        if info.context:
            self._folder, self._document = info.context["folder"], info.context["document"]
        return self

    @property
    def end_s(self) -> float:
        """When a run is over, whether or not all requests have ended."""
        return self.duration_s + self.drain_s

    @property
    def regression(self) -> bool:
        """Whether the models answer with values, as they are to count what is in the images."""
        return self.data.source == "scenes" and self.data.task == "count"

    def models_of(self, policy: str) -> tuple[str, str]:
        """Names of the models that run on the device and on the server under this policy."""
        spec = self.policies[policy]
        first = next(iter(self.models))
        if isinstance(spec, ServerOnly):
            model = spec.model or first
            return model, model
        device = (spec.models and spec.models.device) or first
        return device, (spec.models and spec.models.server) or device

    def only(self, policies: Sequence[str]) -> Scenario:
        """With these of its policies; with all of them where none is named."""
        if not policies:
            return self
        if unknown := [name for name in policies if name not in self.policies]:
            hint = closest(unknown[0], self.policies)
            raise InputError(f"policy {unknown[0]}: the scenario has {', '.join(self.policies)}{hint}")
        return self.model_copy(update={"policies": {name: self.policies[name] for name in policies}})

    def error(self, key: str, message: str) -> InputError:
        """An error at ``key`` ("policies.split.cut") that names file and line, to be raised by who finds it later."""
        return InputError(self.document.error(tuple(key.split(".")), message))

    def resolved(self) -> dict[str, Any]:
        """Every key with its value, defaults included, as plain JSON values, paths relative to the folder.

        ``build_scenario`` makes the same scenario of it, unless a path typed on the command line leads outside.
        """
        return self.model_dump(mode="json", context={"folder": self.folder})
