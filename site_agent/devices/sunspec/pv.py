"""A SunSpec PV inverter: measured generation, and curtailment as a lease in the inverter's timer.

**When the agent dies** the inverter's own timer (123.WMaxLimPct_RvrtTms, or 704.WMaxLimPctRvrtTms)
runs out after `lease_s` and the inverter generates freely again; when only the control loop falls
silent, this adapter stops refreshing `PATIENCE_S` later, with the same end. An inverter that does
not keep the timer shows `lapse` NONE in its spec: its last limit then stands until it is written
again. An inverter that is not limited is not affected at all.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

import structlog

from contracts.errors import TransientError
from contracts.reading import Quality, Reading
from contracts.time import Clock
from site_agent.devices.freshness import Freshness
from site_agent.devices.leased import LeasedSetpoint
from site_agent.devices.modbus.link import Priority, RegisterLink
from site_agent.devices.obedience import Obedience
from site_agent.devices.polling import Poller
from site_agent.devices.sunspec.codec import CapabilityMissingError, ModelCodec, Values
from site_agent.devices.sunspec.lapse import proven_lapse
from site_agent.devices.sunspec.measure import MEASUREMENT, faulted, power
from site_agent.devices.sunspec.unit import Codecs, Read, SunSpecUnit
from site_agent.domain.device import PvSetpoint, PvSpec, PvState
from site_agent.ports import Wake

STALE_AFTER = timedelta(seconds=5)
_TOLERANCE = 0.05
"""Of the rated power: more generation than this above the limit is disobedience."""

_1547 = 704
_CONTROL: Codecs = {
    704: ModelCodec(
        704,
        (
            "WMaxLimPctEna",
            "WMaxLimPct",
            "WMaxLimPctRvrt",
            "WMaxLimPctEnaRvrt",
            "WMaxLimPctRvrtTms",
            "WMaxLimPctRvrtRem",
        ),
    ),
    123: ModelCodec(
        123,
        ("WMaxLim_Ena", "WMaxLimPct", "WMaxLimPct_WinTms", "WMaxLimPct_RvrtTms"),
    ),
}
_BASE: Mapping[int, Codecs] = {
    704: {702: ModelCodec(702, ("WMax", "WMaxRtg"))},
    123: {121: ModelCodec(121, ("WMax",)), 120: ModelCodec(120, ("WRtg",))},
}
"""What a limit's percentage is a percentage of, by model of control."""
_FULL_PCT = 100.0

_log = structlog.get_logger(__name__)


class SunSpecPv:
    """A `PvInverter` by models 101-103, 111-113 or 701, and 123 (with 121) or 704 (with 702)."""

    def __init__(
        self,
        link: RegisterLink,
        unit: int,
        spec: PvSpec,
        *,
        clock: Clock,
        wake: Wake,
        period_s: float = 1.0,
        lease_s: int = 30,
    ) -> None:
        self._unit = SunSpecUnit(link, unit)
        self._spec = spec
        self._clock = clock
        self._freshness = Freshness(stale_after=STALE_AFTER)
        name = spec.pv_id
        self._poller = Poller(name, self._poll, period_s=period_s, clock=clock, wake=wake)
        self._setpoint = LeasedSetpoint[float | None](
            name,
            self._write,
            excess_w,
            valid_for_s=lease_s,
            obedience=Obedience(tolerance_w=_TOLERANCE * spec.rated_w),
            clock=clock,
        )
        self._lease_s = float(lease_s)
        self._configured_lapse = spec.lapse
        self._faulted = False
        self._power = Reading.missing(clock.now())

    @property
    def spec(self) -> PvSpec:
        """What it is; `lapse` is what it has proved."""
        return self._spec

    @property
    def obeys(self) -> bool:
        """False while it generates more than the limit in force."""
        return self._setpoint.obeys

    async def run(self) -> None:
        """Poll, and refresh the lease, until cancelled; the last limit is left to lapse."""
        await self._poller.run()

    def state(self, now: datetime) -> PvState:
        """The newest readings, aged to `now`; online means answering and not in fault."""
        power_w = self._freshness.at(self._power, now)
        answers = power_w.quality not in (Quality.STALE, Quality.OFFLINE)
        return PvState(
            spec=self._spec,
            online=answers and not self._faulted,
            power_w=power_w,
            obeys=self.obeys,
        )

    async def set_limit(self, setpoint: PvSetpoint) -> None:
        """Let the inverter generate at most `limit_w` (whole watts), or release it.

        Returns at once while it is known to hold it; raises as `Charger.set_limit`.
        """
        limit_w = setpoint.limit_w
        await self._setpoint.ask(None if limit_w is None else float(math.floor(limit_w)))

    async def _poll(self) -> None:
        at = self._clock.now()
        read = await self._unit.read(MEASUREMENT, Priority.FAST)
        self._faulted = faulted(read)
        self._power = power(read, at, idle_w=_TOLERANCE * self._spec.rated_w)
        self._setpoint.judge(self._power.value)
        await self._setpoint.refresh()

    async def _write(self, limit_w: float | None) -> None:
        """Write and read back; the percentage counts from what the device names its maximum."""
        pct = None
        if limit_w is not None:
            control = await self._unit.preferred(_CONTROL)
            base = await self._unit.read(_BASE[control], Priority.CONTROL)
            pct = percent_of(base.values, limit_w)
        written = await self._unit.change(_CONTROL, lambda r: self._changes(r, pct))
        if lost := written.refused - {"WMaxLimPctRvrtTms", "WMaxLimPct_RvrtTms"}:
            raise TransientError(f"{self._spec.pv_id} did not keep {', '.join(sorted(lost))}")
        if pct is not None:
            self._note_lapse(written.values)

    def _changes(self, before: Read, pct: float | None) -> dict[str, float]:
        on, full = float(pct is not None), _FULL_PCT if pct is None else pct
        if before.model_id == _1547:
            required = {"WMaxLimPctEna": on, "WMaxLimPct": full}
            optional = {
                "WMaxLimPctRvrt": _FULL_PCT,
                "WMaxLimPctEnaRvrt": 0.0,
                "WMaxLimPctRvrtTms": self._lease_s,
            }
        else:
            required = {"WMaxLimPct": full, "WMaxLim_Ena": on}
            optional = {"WMaxLimPct_WinTms": 0.0, "WMaxLimPct_RvrtTms": self._lease_s}
        return required | {k: v for k, v in optional.items() if before.values[k] is not None}

    def _note_lapse(self, values: Values) -> None:
        timer_s = values.get("WMaxLimPctRvrtTms", values.get("WMaxLimPct_RvrtTms"))
        left_s = values.get("WMaxLimPctRvrtRem")
        lapse = proven_lapse(self._configured_lapse, self._lease_s, timer_s, left_s)
        if lapse is not self._spec.lapse:
            _log.info("pv lapse", device=self._spec.pv_id, lapse=lapse)
            self._spec = replace(self._spec, lapse=lapse)


def percent_of(base: Values, limit_w: float) -> float:
    """A limit as a percentage of the inverter's maximum, 0 to 100.

    Raises:
        CapabilityMissingError: the inverter does not say what its maximum is.
    """
    known_w = [watts for watts in base.values() if watts]
    if not known_w:
        raise CapabilityMissingError("a limit in percent needs the inverter's maximum power")
    return max(0.0, min(_FULL_PCT, _FULL_PCT * limit_w / known_w[0]))


def excess_w(limit_w: float | None, measured_w: float) -> float:
    """Generation above the limit, W; generation is negative in `measured_w`."""
    return 0.0 if limit_w is None else max(0.0, -measured_w - limit_w)
