"""Charging profiles that discharge (OCPP 2.1 part 2, blocks K and Q).

The standard's sign is ours: `setpoint` and `dischargeLimit` are negative for discharging. What
would otherwise mean the sum of all phases is said for each phase.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from site_agent.devices.ocpp.limits.profiles import (
    Capabilities,
    ChargingProfile,
    Period,
    RateUnit,
)
from site_agent.devices.ocpp.versions import common
from site_agent.devices.ocpp.versions.v201.charging import (
    NAMES,
    Charging201,
    Configuration201,
    profile_on_the_wire,
)
from site_agent.devices.ocpp.wire.outbox import Request

_ENABLED = "V2XChargingCtrlr.Enabled"
_MODES = "V2XChargingCtrlr.SupportedOperationModes"
_SETPOINT = "CentralSetpoint"
_EXPORTED = ("Power.Active.Export", "Energy.Active.Export.Register")
_THREE_PHASES = 3


class Configuration21(Configuration201):
    """Variables, with those of bidirectional charging."""

    def read_settings(self) -> Request:
        """Ask for the settings that matter here."""
        return self.get([*NAMES.all(), _ENABLED, _MODES])

    def capabilities(self, settings: Mapping[str, str]) -> Capabilities:
        """It discharges when it takes our setpoints and is not switched off."""
        modes = [mode.strip() for mode in settings.get(_MODES, "").split(",")]
        off = settings.get(_ENABLED, "true").lower() == "false"
        known = super().capabilities(settings)
        return replace(known, discharges=_SETPOINT in modes and not off)

    def changes(
        self, settings: Mapping[str, str], meter_interval_s: int | None, heartbeat_s: int
    ) -> list[Sequence[Request]]:
        """As in 2.0.1; what is fed back is sampled where it can be."""
        also = _EXPORTED if self.capabilities(settings).discharges else ()
        return NAMES.changes(settings, meter_interval_s, heartbeat_s, self.change, also)


class Charging21(Charging201):
    """Charging profiles."""

    def profile(self, profile: ChargingProfile) -> dict[str, object]:
        """As in 2.0.1, but a negative limit is a setpoint to discharge (Q03)."""
        return profile_on_the_wire(profile, _period)

    def allow_transfer(self, transaction_ref: str, modes: Sequence[str]) -> Request:
        """NotifyAllowedEnergyTransfer (Q02): what a vehicle may choose, such as `AC_BPT`."""
        payload = {"transactionId": transaction_ref, "allowedEnergyTransfer": list(modes)}
        return Request(action="NotifyAllowedEnergyTransfer", payload=payload)

    def prioritise(self, transaction_ref: str, *, activate: bool) -> Request:
        """UsePriorityCharging (K21)."""
        payload = {"transactionId": transaction_ref, "activate": activate}
        return Request(action="UsePriorityCharging", payload=payload)


def _period(period: Period, unit: RateUnit) -> dict[str, object]:
    """A negative limit: the setpoint, with no charging beside it and no discharging beyond it."""
    if period.limit >= 0:
        return common.period(period, unit)
    wire: dict[str, object] = {"startPeriod": period.start_s, "operationMode": _SETPOINT}
    by_phase = unit is RateUnit.AMPERE and period.phases == _THREE_PHASES
    for suffix in ("", "_L2", "_L3") if by_phase else ("",):
        wire[f"limit{suffix}"] = 0.0
        wire[f"dischargeLimit{suffix}"] = period.limit
        wire[f"setpoint{suffix}"] = period.limit
    return {**wire, **common.given(numberPhases=period.phases)}
