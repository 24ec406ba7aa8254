"""What the central system is told about each charging station."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from site_agent.devices.ocpp.proxy.settings import CloudConfig, FinalWord
from site_agent.domain.device import ChargerSpec


class Version(StrEnum):
    """OCPP versions; the value is the registered WebSocket subprotocol."""

    V16 = "ocpp1.6"
    V201 = "ocpp2.0.1"
    V21 = "ocpp2.1"


@dataclass(frozen=True, slots=True, kw_only=True)
class StationConfig:
    """One charging station: how it introduces itself and what hangs on it."""

    charge_point_id: str
    """Last segment of the URL it connects to (OCPP-J 1.6 §3.1.1)."""
    evses: Mapping[int, ChargerSpec]
    """By connector id (1.6) or EVSE id (2.0.1), from 1."""
    versions: tuple[Version, ...] = (Version.V201, Version.V21, Version.V16)
    """Those it may speak, the preferred one first."""
    password: str | None = field(default=None, repr=False)
    """HTTP Basic password (security profiles 1 and 2); None: none is asked for."""
    tolerant: bool = False
    """Also let it in when it offers no subprotocol, a misspelt or an unknown one.

    A misspelt one is read as meant; otherwise it must speak the last of `versions`.
    """
    cloud: CloudConfig | None = None
    """Its existing cloud CSMS, if it keeps one; see `proxy`."""

    @property
    def cloud_judges(self) -> bool:
        """Whether a cloud CSMS has a say in who may charge."""
        return self.cloud is not None and self.cloud.final_word is not FinalWord.LOCAL


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """Spans of the central system, s."""

    lease_s: float = 300.0
    """How long a limit outlives us in the charger; renewed at a third."""
    patience_s: float = 60.0
    """A limit is renewed only while the control loop has asked for one within this span."""
    call_timeout_s: float = 10.0
    """How long a CALL of ours may stay unanswered."""
    handshake_s: float = 10.0
    """How long a new connection may take to say who it is."""
    greeting_s: float = 2.0
    """How long a fresh connection may take to its first message before we speak ourselves."""
    silence_s: float = 60.0
    """A charger that has sent no frame for this long is offline; it is probed at half of it."""
    heartbeat_s: int = 60
    meter_interval_s: int | None = 10
    """Sampling interval asked of every charger; None leaves theirs as it is."""
    ping_s: float | None = 20.0
    """WebSocket pings keep middleboxes awake; a missing pong is no fault (some never send one)."""
