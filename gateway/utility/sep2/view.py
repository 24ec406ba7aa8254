"""What the server shows us, as one frozen picture: devices, their programs, where to report."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from contracts.sep2.resources import (
    DEFAULT_POLL_RATE,
    DefaultDERControl,
    DERControl,
    DERCurve,
    DERProgram,
    EndDevice,
    RejectedItem,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgramView:
    """One DERProgram with everything in it; shown only once all of it has been read."""

    href: str
    program: DERProgram
    controls: tuple[DERControl, ...] = ()
    """As listed: superseded and cancelled ones too."""
    rejected: tuple[RejectedItem, ...] = ()
    """Listed controls that cannot be read, to be answered as such."""
    default: DefaultDERControl | None = None
    curves: Mapping[str, DERCurve] = field(default_factory=dict)
    """By path, and by href as the program's links have it."""

    @property
    def key(self) -> tuple[int, str]:
        """The order of programs: the lower primacy wins, then the lower mRID."""
        return self.program.primacy, self.program.canonical_mrid


@dataclass(frozen=True, slots=True, kw_only=True)
class DerLinks:
    """Where one DER's four information resources are PUT; None where the server offers none."""

    href: str | None = None
    capability: str | None = None
    settings: str | None = None
    status: str | None = None
    availability: str | None = None
    poll_rate: timedelta = DEFAULT_POLL_RATE
    """Of the DERList: how often the server wants DERStatus."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceView:
    """One EndDevice we stand in for, as the server has it. Hrefs are paths on the server."""

    lfdi: str
    """Canonical: 40 upper-case digits, as in `Sep2Settings.devices`."""
    href: str
    end_device: EndDevice
    programs: tuple[ProgramView, ...] = ()
    """Of all its function set assignments, each once, by `ProgramView.key`."""
    der: DerLinks | None = None
    """None: no DER is listed (yet)."""
    log_events: str | None = None
    """LogEventList, for alarms."""
    connection_point: str | None = None
    """CSIP-AUS ConnectionPoint."""
    tariff_profiles: tuple[str, ...] = ()
    """TariffProfileLists of its function set assignments."""
    demand_response_programs: tuple[str, ...] = ()
    """DemandResponseProgramLists of its function set assignments."""
    flow_reservation_requests: str | None = None
    flow_reservation_responses: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerView:
    """Everything at one moment. A part that did not change is the very same object as before."""

    devices: Mapping[str, DeviceView] = field(default_factory=dict)
    """By canonical LFDI: configured, listed by the server, and with the right PIN."""
    mirror_usage_points: str | None = None
    """MirrorUsagePointList, for measured values."""
    absent: frozenset[str] = frozenset()
    """Configured devices that are not to be followed for certain: the whole EndDeviceList does not
    have them, or their PIN differs. Of others not in `devices` too little has been read."""


EMPTY = ServerView()
"""Before anything has been read."""
