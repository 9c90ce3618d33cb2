"""A radio link: base stations, surroundings, fading, handover, and where the device is."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, Strict, model_validator

from edgesim.scenario.mobility import Mobility, Point
from edgesim.scenario.spec import Name, Positive, Spec
from edgesim.scenario.warp import RateSpec

LineOfSight = Literal["drawn", "always", "never"]
SiteHeight = Annotated[float, Field(ge=2, le=150)]
Height = Annotated[float, Field(gt=0, le=1000)]
Decibels = Annotated[float, Field(ge=0, le=100)]
SignedDecibels = Annotated[float, Field(ge=-100, le=100)]
_SIGHT = "In line of sight of a base station: drawn (by distance, along the way), always or never."


class UmiLoss(Spec):
    """Urban micro, street canyon, of 3GPP TR 38.901."""

    type: Literal["umi"] = Field(description="Urban micro, street canyon (3GPP TR 38.901).")
    line_of_sight: LineOfSight = Field(default="drawn", description=_SIGHT)
    device_height_m: Annotated[float, Field(ge=1.5, le=22.5)] = Field(
        default=1.5, description="Height of the device's antenna, m."
    )
    site_height_m: SiteHeight = Field(default=10.0, description="Height of the base stations' antennas, m.")


class UmaLoss(Spec):
    """Urban macro of 3GPP TR 38.901."""

    type: Literal["uma"] = Field(description="Urban macro (3GPP TR 38.901).")
    line_of_sight: LineOfSight = Field(default="drawn", description=_SIGHT)
    device_height_m: Annotated[float, Field(ge=1.5, le=13)] = Field(
        default=1.5, description="Height of the device's antenna, m."
    )
    site_height_m: SiteHeight = Field(default=25.0, description="Height of the base stations' antennas, m.")


class InhLoss(Spec):
    """Indoor office of 3GPP TR 38.901."""

    type: Literal["inh"] = Field(description="Indoor office (3GPP TR 38.901; line of sight of the mixed office).")
    line_of_sight: LineOfSight = Field(default="drawn", description=_SIGHT)
    device_height_m: Height = Field(default=1.0, description="Height of the device's antenna, m.")
    site_height_m: Height = Field(default=3.0, description="Height of the base stations' antennas, m.")


class LogDistanceLoss(Spec):
    """Loss at 1 m plus 10 n lg d."""

    type: Literal["log_distance"] = Field(description="at_1m_db + 10 exponent lg(distance in m).")
    exponent: Annotated[float, Field(gt=0, le=10)] = Field(description="Path loss exponent n; 2 is free space.")
    at_1m_db: Decibels | None = Field(default=None, description="Loss at 1 m, dB; none: that of free space.")
    sigma_db: Decibels = Field(default=0.0, description="Standard deviation of the shadowing, dB.")
    correlation_m: Positive = Field(default=50.0, description="Correlation distance of the shadowing, m.")
    device_height_m: Height = Field(default=1.5, description="Height of the device's antenna, m.")
    site_height_m: Height = Field(default=10.0, description="Height of the base stations' antennas, m.")


PathLoss = Annotated[UmiLoss | UmaLoss | InhLoss | LogDistanceLoss, Field(discriminator="type")]

Coherence = Annotated[float, Field(ge=0.1, le=10_000)]
_COHERENCE = "The gain changes once in this time, ms; none: 0.423 over the Doppler shift at the top speed."


class NoFading(Spec):
    """The gain is always 1."""

    type: Literal["none"] = Field(description="No fading: the gain is always 1.")


class RayleighFading(Spec):
    """Many scattered waves, none of them steady."""

    type: Literal["rayleigh"] = Field(description="Many scattered waves, none of them steady.")
    coherence_ms: Coherence | None = Field(default=None, description=_COHERENCE)


class RicianFading(Spec):
    """A steady wave among scattered ones."""

    type: Literal["rician"] = Field(description="A steady wave among scattered ones.")
    k_db: SignedDecibels = Field(description="Power of the steady wave over that of the others, dB.")
    coherence_ms: Coherence | None = Field(default=None, description=_COHERENCE)


Fading = Annotated[NoFading | RayleighFading | RicianFading, Field(discriminator="type")]


Delay = Annotated[float, Field(ge=0, le=60_000)]


class Site(Spec):
    """A base station."""

    position_m: Point = Field(description="Position [x, y], m.")
    server: Name | None = Field(default=None, description="Name of the server near it; none: no own server.")


class Handover(Spec):
    """When another base station takes over (3GPP's event A3)."""

    hysteresis_db: Decibels = Field(default=3.0, description="How much stronger a neighbour must be, dB.")
    time_to_trigger_ms: Delay = Field(default=160.0, description="For how long it must be stronger, ms.")
    interruption_ms: Delay = Field(default=50.0, description="Time without any rate at a handover, ms.")


class RadioRate(RateSpec):
    """Shannon's rate over path loss, shadowing and fading, from the base station that serves.

    Both directions of a link may be given the same mapping: the direction says who sends.
    """

    process: Literal["radio"] = Field(description="Shannon's rate from base stations to devices that may move.")
    path_loss: PathLoss = Field(description="The surroundings.")
    sites: Annotated[tuple[Site, ...], Strict(False)] = Field(min_length=1, description="The base stations.")
    mobility: Mobility = Field(description="Where the device is.")
    carrier_ghz: Annotated[float, Field(ge=0.1, le=100)] = Field(description="Carrier frequency, GHz.")
    bandwidth_mhz: Annotated[float, Field(ge=0.001, le=10_000)] = Field(
        description="Bandwidth that the device is given, MHz."
    )
    device_power_dbm: SignedDecibels = Field(default=23.0, description="Transmit power of the device (uplink), dBm.")
    site_power_dbm: SignedDecibels = Field(
        default=33.0, description="Transmit power of a base station (downlink), dBm."
    )
    antenna_gain_db: SignedDecibels = Field(default=0.0, description="Gain of both antennas together, dB.")
    device_noise_figure_db: Decibels = Field(default=9.0, description="Noise figure of the device (downlink), dB.")
    site_noise_figure_db: Decibels = Field(default=5.0, description="Noise figure of a base station (uplink), dB.")
    efficiency: Annotated[float, Field(gt=0, le=1)] = Field(
        default=1.0, description="Share of Shannon's capacity that is reached; 0.6 to 0.75 is usual."
    )
    spectral_efficiency_cap: Positive = Field(
        default=7.4063, description="Highest rate per bandwidth, bits per second and hertz; 7.4063 is 256-QAM of 5G NR."
    )
    shadowing: bool = Field(default=True, description="Whether there is shadowing, as path_loss says.")
    fading: Fading = Field(default=NoFading(type="none"), description="Fast fading.")
    handover: Handover = Field(default_factory=Handover, description="When another base station takes over.")
    measurement_ms: Annotated[float, Field(ge=1, le=1000)] = Field(
        default=40.0, description="Position, shadowing and serving base station are looked at once in this time, ms."
    )

    @model_validator(mode="after")
    def _coherence_is_known(self) -> RadioRate:
        still = self.mobility.type == "static"
        if self.fading.type != "none" and self.fading.coherence_ms is None and still:
            raise ValueError(f"missing coherence_ms in fading {self.fading.type}: a static device has no Doppler shift")
        return self
