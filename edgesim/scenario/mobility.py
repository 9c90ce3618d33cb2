"""Where devices are while a radio link serves them."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, Strict, ValidationInfo, field_validator

from edgesim.scenario.files import InputFile
from edgesim.scenario.spec import Spec, earlier

Coordinate = Annotated[float, Field(ge=-1e6, le=1e6)]
Point = Annotated[tuple[Coordinate, Coordinate], Strict(False)]
Side = Annotated[float, Field(ge=1, le=1e6)]
Speed = Annotated[float, Field(ge=0.01, le=1000)]


class StaticMobility(Spec):
    """Always at one place."""

    type: Literal["static"] = Field(description="Always at one place.")
    position_m: Point = Field(description="Position [x, y], m.")


class WaypointMobility(Spec):
    """Random waypoint: from one random point to the next, with pauses."""

    type: Literal["random_waypoint"] = Field(description="From one random point to the next, with pauses.")
    area_m: Annotated[tuple[Side, Side], Strict(False)] = Field(
        description="Width and height of the rectangle from (0, 0) on in which the points lie, m."
    )
    low_mps: Speed = Field(description="Least speed of a way, m/s.")
    high_mps: Speed = Field(description="Greatest speed of a way, m/s; at least low_mps.")
    pause_s: Annotated[float, Field(ge=0, le=86_400)] = Field(default=0.0, description="Stay at each point, s.")

    @field_validator("high_mps")
    @classmethod
    def _not_below(cls, high_mps: float, info: ValidationInfo) -> float:
        low_mps = earlier(info, "low_mps")
        if low_mps is not None and high_mps < low_mps:
            raise ValueError(f"found {high_mps:g}, allowed: at least low_mps ({low_mps:g})")
        return high_mps


class TrackMobility(Spec):
    """A way from a file; all devices of the link follow it together."""

    type: Literal["track"] = Field(description="A way from a file, which all devices of the link follow together.")
    file: InputFile = Field(description="Path of a CSV file with the columns time_s, x_m and y_m.")
    ends: Literal["loop", "hold"] = Field(
        default="hold", description="After the file's end: loop (a jump to its first point), or hold the last point."
    )


Mobility = Annotated[StaticMobility | WaypointMobility | TrackMobility, Field(discriminator="type")]
