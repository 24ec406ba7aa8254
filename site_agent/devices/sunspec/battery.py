"""A SunSpec battery: its power set by 704.WSet as a lease in the battery's own timer.

**When the agent dies** the battery's own timer (704.WSetRvrtTms) runs out after `lease_s` and it
falls to 0 W (WSetRvrt, with WSetEnaRvrt on). When only the control loop falls silent, this adapter
stops refreshing `PATIENCE_S` later, with the same end. A battery that does not keep the timer
shows `lapse` NONE in its spec: its last setpoint then stands until somebody writes another.
"""

from __future__ import annotations

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
from site_agent.devices.sunspec.codec import ModelCodec, Values
from site_agent.devices.sunspec.lapse import proven_lapse
from site_agent.devices.sunspec.measure import MEASUREMENT, faulted, power
from site_agent.devices.sunspec.unit import Codecs, Read, SunSpecUnit
from site_agent.domain.device import BatterySetpoint, BatterySpec, BatteryState
from site_agent.ports import Wake

STALE_AFTER = timedelta(seconds=5)
_TOLERANCE = 0.05
"""Of the rated power: a larger difference from the setpoint is disobedience."""
_WATTS = 1.0
"""704.WSetMod: the setpoint is in watts."""

_SET = ("WSetEna", "WSetMod", "WSet", "WSetRvrt", "WSetEnaRvrt", "WSetRvrtTms", "WSetRvrtRem")
_CONTROL: Codecs = {704: ModelCodec(704, _SET)}
_CAPACITY: Codecs = {
    702: ModelCodec(702, ("WChaRteMax", "WChaRteMaxRtg", "WDisChaRteMax", "WDisChaRteMaxRtg")),
}
_CHARGE: Codecs = {
    713: ModelCodec(713, ("SoC",)),
    802: ModelCodec(802, ("SoC",)),
    124: ModelCodec(124, ("ChaState",)),
}
_OPTIONAL = ("WSetMod", "WSetRvrt", "WSetEnaRvrt", "WSetRvrtTms")
"""Written where the device has them; without WSetEna and WSet there is no setpoint at all."""

_log = structlog.get_logger(__name__)


class SunSpecBattery:
    """A `Battery` by models 701 (or 101-113), 702, 704 and 713 (or 802, 124).

    704.WSet is taken as generation positive like 701.W; its definition does not say so, hence
    `invert_setpoint` for a device that thinks otherwise (a small step at commissioning shows it,
    and so does the log: "battery does not follow its setpoint").
    """

    def __init__(
        self,
        link: RegisterLink,
        unit: int,
        spec: BatterySpec,
        *,
        clock: Clock,
        wake: Wake,
        period_s: float = 1.0,
        lease_s: int = 30,
        invert_setpoint: bool = False,
    ) -> None:
        self._unit = SunSpecUnit(link, unit)
        self._spec = spec
        self._clock = clock
        self._wake = wake
        self._sign = 1.0 if invert_setpoint else -1.0
        self._freshness = Freshness(stale_after=STALE_AFTER)
        name = spec.battery_id
        self._poller = Poller(name, self._poll, period_s=period_s, clock=clock, wake=wake)
        self._rated_w = max(spec.max_charge_w, spec.max_discharge_w)
        self._setpoint = LeasedSetpoint[float](
            name,
            self._write,
            lambda held_w, measured_w: measured_w - held_w,
            valid_for_s=lease_s,
            obedience=Obedience(tolerance_w=_TOLERANCE * self._rated_w),
            clock=clock,
        )
        self._lease_s = float(lease_s)
        self._configured_lapse = spec.lapse
        self._limits_known = False
        self._faulted = False
        self._power = self._soc = Reading.missing(clock.now())

    @property
    def spec(self) -> BatterySpec:
        """What it is; powers are at most what the device itself names, `lapse` what it proved."""
        return self._spec

    @property
    def obeys(self) -> bool:
        """False while measured power stays away from the setpoint in force."""
        return self._setpoint.obeys

    async def run(self) -> None:
        """Poll, and refresh the lease, until cancelled; the last setpoint is left to lapse."""
        await self._poller.run()

    def state(self, now: datetime) -> BatteryState:
        """The newest readings, aged to `now`; online means answering and not in fault."""
        power_w = self._freshness.at(self._power, now)
        answers = power_w.quality not in (Quality.STALE, Quality.OFFLINE)
        return BatteryState(
            spec=self._spec,
            online=answers and not self._faulted,
            power_w=power_w,
            soc_pct=self._freshness.at(self._soc, now),
        )

    async def set_power(self, setpoint: BatterySetpoint) -> None:
        """Let the battery hold `power_w`, cut to its limits and to whole watts.

        Returns at once while it is known to hold it; raises as `Charger.set_limit`.
        """
        wanted_w = max(-self._spec.max_discharge_w, min(self._spec.max_charge_w, setpoint.power_w))
        await self._setpoint.ask(float(round(wanted_w)))

    async def _poll(self) -> None:
        if not self._limits_known:
            await self._learn_limits()
        at = self._clock.now()
        read = await self._unit.read(MEASUREMENT, Priority.FAST)
        if faulted(read) is not self._faulted:
            self._faulted = not self._faulted
            self._wake()
        self._power = power(read, at, idle_w=_TOLERANCE * self._rated_w)
        self._soc = await self._read_soc(at)
        self._setpoint.judge(self._power.value)
        await self._setpoint.refresh()

    async def _read_soc(self, at: datetime) -> Reading:
        if not await self._unit.has(_CHARGE):
            return Reading.missing(at, Quality.INVALID)
        (soc_pct,) = (await self._unit.read(_CHARGE, Priority.SLOW)).values.values()
        if soc_pct is None or not 0.0 <= soc_pct <= 100.0:  # noqa: PLR2004 - percent
            return Reading.missing(at, Quality.INVALID)
        return Reading(value=soc_pct, quality=Quality.GOOD, at=at)

    async def _learn_limits(self) -> None:
        """Never ask for more than the device itself allows (702: setting, else rating)."""
        if await self._unit.has(_CAPACITY):
            values = (await self._unit.read(_CAPACITY, Priority.SLOW)).values
            self._spec = within(self._spec, values)
        self._limits_known = True

    async def _write(self, power_w: float) -> None:
        """Write and read back."""
        written = await self._unit.change(_CONTROL, lambda r: self._changes(r, power_w))
        if lost := written.refused & {"WSetEna", "WSetMod", "WSet"}:
            names = ", ".join(sorted(lost))
            raise TransientError(f"{self._spec.battery_id} did not keep {names}")
        self._note_lapse(written.values)

    def _changes(self, before: Read, power_w: float) -> dict[str, float]:
        changes = {
            "WSetEna": 1.0,
            "WSetMod": _WATTS,
            "WSet": self._sign * power_w,
            "WSetRvrt": 0.0,
            "WSetEnaRvrt": 1.0,
            "WSetRvrtTms": self._lease_s,
        }
        return {
            name: value
            for name, value in changes.items()
            if name not in _OPTIONAL or before.values[name] is not None
        }

    def _note_lapse(self, values: Values) -> None:
        lapse = proven_lapse(
            self._configured_lapse, self._lease_s, values["WSetRvrtTms"], values["WSetRvrtRem"]
        )
        if lapse is not self._spec.lapse:
            _log.info("battery lapse", device=self._spec.battery_id, lapse=lapse)
            self._spec = replace(self._spec, lapse=lapse)


def within(spec: BatterySpec, capacity: Values) -> BatterySpec:
    """The spec with powers no larger than model 702 names them."""
    charge_w = _known(capacity["WChaRteMax"], capacity["WChaRteMaxRtg"], spec.max_charge_w)
    discharge_w = _known(
        capacity["WDisChaRteMax"], capacity["WDisChaRteMaxRtg"], spec.max_discharge_w
    )
    return replace(
        spec,
        max_charge_w=min(spec.max_charge_w, charge_w),
        max_discharge_w=min(spec.max_discharge_w, discharge_w),
    )


def _known(setting_w: float | None, rating_w: float | None, ours_w: float) -> float:
    """The device's setting, else its rating, else ours."""
    known = [watts for watts in (setting_w, rating_w) if watts is not None]
    return known[0] if known else ours_w
