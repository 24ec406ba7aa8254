"""Settings of the simulated IEEE 2030.5 server: the `sep2` part of the utility's file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import Field, model_validator

from contracts.config import Settings
from contracts.identity import SEP2_CIPHERS
from contracts.sep2.dialect import CSIPAUS_NAMESPACES
from vtn_sim.sep2.actions import ScenarioStep
from vtn_sim.sep2.habits import Habits
from vtn_sim.sep2.paging import POLLED
from vtn_sim.sep2.spec import (
    AggregatorSpec,
    DeviceSpec,
    FsaSpec,
    LoadProgramSpec,
    Name,
    ProgramSpec,
    TariffSpec,
)

Rate = Annotated[int, Field(ge=1, le=86_400)]
_DOCUMENTATION_PEN = 32_473
"""Set aside for examples (RFC 5612)."""


class Sep2JudgeSettings(Settings):
    """What counts as good enough."""

    received_within_s: Annotated[float, Field(gt=0, le=86_400)] | None = None
    """From an event's creation to response 1; none: the pollRate of its list and `settle_s`."""
    response_within_s: Annotated[float, Field(gt=0, le=86_400)] = 60.0
    """From a change of state to the response that tells it (CSIP: 15 min for an aggregator)."""
    settle_s: Annotated[float, Field(ge=0, le=3600)] = 10.0
    """Added to every period before something missing is held against a client."""
    pace_tolerance: Annotated[float, Field(ge=0, le=10)] = 0.25
    """How much faster or slower than its pollRate a resource may be polled."""
    min_coverage: Annotated[float, Field(gt=0, le=1)] = 0.95
    """Part of the time over which readings must be known."""


class FlowReservationSettings(Settings):
    """What is done with a FlowReservationRequest."""

    policy: Literal["grant", "refuse", "manual"] = "grant"
    """As asked, with a duration of zero, or only by the action `grant-flow`."""


class Sep2ServerSettings(Settings):
    """One IEEE 2030.5 server."""

    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65_535)] = 0
    """Https with client certificates; 0 takes any free one."""
    cert_file: Path
    """The server's certificate with its issuers; also shown when it posts notifications."""
    key_file: Path
    ca_file: Path
    """Root of the utility's certificates."""
    ciphers: Annotated[str, Field(min_length=1)] = SEP2_CIPHERS
    """TLS 1.2 suites in OpenSSL's notation."""
    entry: Annotated[str, Field(pattern=r"^/[A-Za-z0-9_/-]{1,100}$")] = "/dcap"
    """Path of DeviceCapability; all other paths are made up anew at every start."""
    csipaus: Annotated[str, Field(min_length=1)] | None = None
    """Namespace of the Australian extensions, `https://csipaus.org/ns` for example; none: none."""
    pen: Annotated[int, Field(ge=0, lt=2**32)] = _DOCUMENTATION_PEN
    """Private enterprise number in our mRIDs."""
    time_zone: ZoneInfo = ZoneInfo("UTC")
    """Of the server's place."""
    clock_shift_s: Annotated[float, Field(ge=-86_400, le=86_400)] = 0.0
    """How wrong the server's clock is."""
    aggregators: tuple[AggregatorSpec, ...] = ()
    devices: tuple[DeviceSpec, ...] = ()
    programs: tuple[ProgramSpec, ...] = ()
    load_programs: tuple[LoadProgramSpec, ...] = ()
    tariffs: tuple[TariffSpec, ...] = ()
    fsas: tuple[FsaSpec, ...] = ()
    in_band: Literal["off", "known", "any"] = "known"
    """Whose EndDevice may be POSTed: nobody's, that of a known device, or any."""
    in_band_fsas: Annotated[tuple[Name, ...], Field(max_length=15)] = ()
    """Groups of a device that nobody knew before."""
    flow_reservation: FlowReservationSettings | None = None
    """None: the function set is not offered."""
    poll_rates: Mapping[str, Rate] = Field(default_factory=dict)
    """pollRate by kind of resource, `DERProgramList` for example."""
    poll_rate_s: Rate = 900
    """pollRate of all others."""
    post_rate_s: Rate = 300
    """postRate of MirrorUsagePoints."""
    max_items: Annotated[int, Field(ge=1, le=255)] = 255
    """Most items in a page, whatever was asked for."""
    max_mirrors: Annotated[int, Field(ge=0, le=100_000)] = 10_000
    """Most MirrorUsagePoints; one more is answered 413."""
    keep_ended_s: Annotated[float, Field(ge=0, le=86_400)] = 0.0
    """So long an event is still listed after its end: late clients answer 254 (10.2.3.3 l)."""
    notify_every_s: Annotated[float, Field(ge=0, le=3600)] = 0.0
    """Least time between two Notifications of a resource; the standard has 30 s."""
    habits: Habits = Habits()
    judge: Sep2JudgeSettings = Sep2JudgeSettings()
    keep_exchanges: Annotated[int, Field(ge=1, le=100_000)] = 2000
    """Requests with their answers that are kept in clear."""
    keep_readings: Annotated[int, Field(ge=1, le=1_000_000)] = 10_000
    """Of each quantity."""
    scenario: tuple[ScenarioStep, ...] = ()

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.csipaus is not None and self.csipaus not in CSIPAUS_NAMESPACES:
            raise ValueError(f"csipaus: none of {', '.join(CSIPAUS_NAMESPACES)}")
        unknown = self.poll_rates.keys() - POLLED
        if unknown:
            raise ValueError(f"poll_rates: {sorted(unknown)} have no pollRate in the schema")
        names = {aggregator.name for aggregator in self.aggregators}
        for device in self.devices:
            if device.aggregator is not None and device.aggregator not in names:
                raise ValueError(f"devices: no aggregator {device.aggregator!r}")
        return self
