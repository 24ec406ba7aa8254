"""Settings of the simulated utility, and the scenario it plays."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from contracts.config import Settings
from vtn_sim.openadr.faults import OadrFaultSpec
from vtn_sim.openadr.habits import OadrHabits, SigningMode
from vtn_sim.openadr.script import Script
from vtn_sim.prices.settings import PriceServerSettings
from vtn_sim.sep2.settings import Sep2ServerSettings
from vtn_sim.spec import EventSpec, Identifier

Port = Annotated[int, Field(ge=0, le=65_535)]


class KnownVen(Settings):
    """A VEN the utility has enrolled; it registers under this name or this id."""

    ven_id: Identifier
    name: Identifier
    fingerprint: Annotated[str, Field(pattern=r"^([0-9A-F]{2}:){9}[0-9A-F]{2}$")] | None = None
    """Of the certificate it signs messages with; none: the one it shows in TLS."""


class ReportWish(Settings):
    """Which telemetry is asked for as soon as a VEN offers it."""

    granularity_s: Annotated[int, Field(ge=1, le=86_400)] = 60
    report_back_s: Annotated[int, Field(ge=0, le=86_400)] = 300
    """0 asks for one report only."""


class JudgeSettings(Settings):
    """What counts as good enough."""

    min_coverage: Annotated[float, Field(gt=0, le=1)] = 0.95
    """Part of an event over which telemetry must be known."""
    answer_within_s: Annotated[float, Field(gt=0, le=86_400)] = 10.0
    """Time to answer what was sent; an event must also be answered before the next poll."""
    settle_s: Annotated[float, Field(ge=0, le=86_400)] = 10.0
    """Added to the reporting period before missing telemetry is held against a VEN."""


class ScenarioEvent(EventSpec):
    """An event that is announced and starts so long after an anchor in time."""

    relative_to: Literal["registration", "start"] = "registration"
    """The first registration of any VEN, or the start of this program."""
    notice_after_s: Annotated[float, Field(ge=0, le=86_400)] = 0.0
    start_after_s: Annotated[float, Field(ge=0, le=86_400)]

    @model_validator(mode="after")
    def _announced_in_time(self) -> Self:
        if self.start_after_s < self.notice_after_s:
            raise ValueError("an event cannot start before it is announced")
        return self


class VtnSettings(Settings):
    """One utility."""

    vtn_id: Identifier = "VTN-SIM"
    """Not in lower case only: openleadr refuses such names."""
    host: str = "127.0.0.1"
    port: Port = 0
    """Of the VEN's side (https with client certificates); 0 takes any free one."""
    api_host: str = "127.0.0.1"
    api_port: Port = 0
    """Of the REST API, which has no access control: keep it on loopback."""
    cert_file: Path
    key_file: Path
    ca_file: Path
    """Root of the VENs' certificates."""
    poll_frequency_s: Annotated[int, Field(ge=1, le=86_400)] = 10
    resend_after_s: Annotated[float, Field(gt=0, le=86_400)] = 30.0
    """An event without the answer it requires is sent again after this long."""
    vens: tuple[KnownVen, ...] = ()
    accept_unknown_vens: bool = False
    report: ReportWish | None = ReportWish()
    signatures: SigningMode = "off"
    """XML signatures (profile rule 514): of no message, of those to VENs that sign, or of all,
    and unsigned messages are refused."""
    sign_cert_file: Path | None = None
    sign_key_file: Path | None = None
    """What messages are signed with; none: as in TLS."""
    habits: OadrHabits = OadrHabits()
    faults: tuple[OadrFaultSpec, ...] = ()
    """Those that are on from the start."""
    judge: JudgeSettings = JudgeSettings()
    keep_messages: Annotated[int, Field(ge=1, le=100_000)] = 1000
    keep_samples: Annotated[int, Field(ge=1, le=10_000_000)] = 100_000
    """Of each reported point."""
    scenario: tuple[ScenarioEvent, ...] = ()
    script: Script | None = None
    """Steps and expectations, played with the first VEN that registers."""
    procedures: tuple[Identifier, ...] = ()
    """Procedures of the library (`E4`) to play after it, in this order."""
    sep2: Sep2ServerSettings | None = None
    """The utility's IEEE 2030.5 server; none: it has none."""
    prices: PriceServerSettings | None = None
    """Simulated markets beside it, in the shapes of ENTSO-E and CAISO OASIS; none: none."""
