"""A SunSpec battery: its power set as a lease in the battery's own timer.

**When the agent dies** the battery's own timer runs out `lease_s` later (704.WSetRvrtTms; a third
late is allowed for) and it falls to 0 W (WSetRvrt, with WSetEnaRvrt on). A battery that knows only
model 124 gives its power back to its own control when `InOutWRte_RvrtTms` runs out, if it honours
that timer. When only the control loop falls silent, this adapter stops refreshing `PATIENCE_S`
later, with the same end; heartbeats stop too (`supervision`). A battery that does not keep the
timer, or was seen to ignore it, shows `lapse` NONE in its spec: its last setpoint then stands until
somebody writes another.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from contracts.errors import PermanentError
from contracts.reading import Quality, Reading
from contracts.time import Clock
from site_agent.devices.freshness import Freshness
from site_agent.devices.leased import LeasedSetpoint
from site_agent.devices.modbus.link import Priority, RegisterLink
from site_agent.devices.obedience import Obedience
from site_agent.devices.polling import Poller
from site_agent.devices.sunspec.dc import dc_power
from site_agent.devices.sunspec.lapse import LapseBook
from site_agent.devices.sunspec.measure import MEASUREMENT, faulted, islanded, power
from site_agent.devices.sunspec.setpoints import Steering
from site_agent.devices.sunspec.storage import Bounds, Storage, read_ratings, read_storage
from site_agent.devices.sunspec.supervision import Supervision
from site_agent.devices.sunspec.unit import SunSpecUnit
from site_agent.domain.device import BatterySetpoint, BatterySpec, BatteryState
from site_agent.ports import KeyValues, Wake

MAX_AGE_S = 5.0
_TOLERANCE = 0.05
"""Of the rated power: a larger difference from the setpoint is disobedience."""
_RATINGS_EVERY_S, _STORAGE_EVERY_S = 60.0, 1.9
_TELLING_PCT = (5.0, 95.0)
"""An empty or full battery stops by itself: that proves nothing of its timer."""


class SunSpecBattery:
    """A `Battery` by models 701 (or 101-113), 702, 704 (or 124), 713, 802 and 715, as it has them.

    704.WSet is taken as generation positive like 701.W; its definition does not say so, hence
    `invert_setpoint` for a device that thinks otherwise (a small step at commissioning shows it,
    and so does the log: "device does not follow its setpoint"). `hybrid`: its AC power holds PV as
    well, so its power is measured at the DC side (`dc`).
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
        max_age_s: float = MAX_AGE_S,
        invert_setpoint: bool = False,
        hybrid: bool = False,
        memory: KeyValues | None = None,
    ) -> None:
        self._unit = SunSpecUnit(link, unit)
        self._nominal = self._spec = spec
        self._clock = clock
        self._wake = wake
        self._hybrid = hybrid
        self._sign = 1.0 if invert_setpoint else -1.0
        self._freshness = Freshness(stale_after=timedelta(seconds=max_age_s))
        name = spec.battery_id
        self._poller = Poller(name, self._poll, period_s=period_s, clock=clock, wake=wake)
        self._tolerance_w = _TOLERANCE * max(spec.max_charge_w, spec.max_discharge_w)
        self._setpoint = LeasedSetpoint[float](
            name,
            self._write,
            lambda held_w, measured_w: measured_w - held_w,
            valid_for_s=lease_s,
            obedience=Obedience(tolerance_w=self._tolerance_w),
            clock=clock,
        )
        self._steering = Steering(self._unit, lease_s=lease_s)
        self._supervision = Supervision(self._unit, name, clock=clock)
        self._lapse = LapseBook(name, spec.lapse, lease_s=lease_s, clock=clock, memory=memory)
        self._ratings: tuple[Bounds, float] | None = None
        self._storage, self._storage_due_s = Storage(), float("-inf")
        self._faulted = False
        self._islanded: bool | None = None
        self._asked_w = 0.0
        self._power = self._soc = Reading.missing(clock.now())

    @property
    def spec(self) -> BatterySpec:
        """What it is; powers are at most what the device itself allows, `lapse` what it proved."""
        return replace(self._spec, lapse=self._lapse.lapse)

    @property
    def obeys(self) -> bool:
        """False while measured power stays away from the setpoint in force."""
        return self._setpoint.obeys

    @property
    def lapse_s(self) -> float | None:
        """Time after our death in which its setpoint has ended, s; None: it may stand for ever."""
        return self._lapse.within_s

    async def run(self) -> None:
        """Poll, and refresh the lease, until cancelled; the last setpoint is left to lapse."""
        await self._poller.run()

    def state(self, now: datetime) -> BatteryState:
        """The newest readings, aged to `now`; online means answering, alive and not in fault."""
        power_w = self._freshness.at(self._power, now)
        answers = power_w.quality not in (Quality.STALE, Quality.OFFLINE)
        return BatteryState(
            spec=self.spec,
            online=answers and not self._faulted,
            power_w=power_w,
            soc_pct=self._freshness.at(self._soc, now),
            local=answers and self._supervision.local,
            islanded=self._islanded if answers else None,
        )

    async def set_power(self, setpoint: BatterySetpoint) -> None:
        """Let the battery hold `power_w`, cut to its limits and to whole watts.

        Returns at once while it is known to hold it; raises as `Charger.set_limit`, and
        LocalControlError while somebody at the battery has taken command.
        """
        self._supervision.require()
        wanted_w = max(-self._spec.max_discharge_w, min(self._spec.max_charge_w, setpoint.power_w))
        await self._setpoint.ask(float(round(wanted_w)), setpoint.cause)

    async def _poll(self) -> None:
        await self._lapse.load()
        at = self._clock.now()
        read = await self._unit.read(MEASUREMENT, Priority.FAST)
        if await self._supervision.poll():
            self._setpoint.doubt()  # whoever was there may have left another one
        await self._learn(at)
        self._power = (  # now, for it is online only with known limits
            await dc_power(self._unit, at)
            if self._hybrid
            else power(read, at, idle_w=self._tolerance_w)
        )
        self._note_island(islanded(read))
        self._judge_health(faulted(read) or self._storage.faulted or not self._supervision.alive)
        await self._follow_up()

    def _note_island(self, alone: bool | None) -> None:
        if bool(alone) is not bool(self._islanded):
            self._wake()
        self._islanded = alone

    def _judge_health(self, bad: bool) -> None:
        if bad is not self._faulted:
            self._faulted = bad
            self._wake()

    async def _follow_up(self) -> None:
        """What measured power says of the setpoint; then renew it, unless it is not ours now."""
        measured_w = self._power.value
        if self._supervision.local or self._faulted or self._islanded:
            self._lapse.told(None)  # what it does now is not its timer's doing
        elif measured_w is not None:
            follows = abs(measured_w - self._asked_w) <= self._tolerance_w
            await self._lapse.observe(follows=follows, telling=self._between)
        if not self._supervision.local:
            self._setpoint.judge(None if self._islanded else measured_w)
            await self._setpoint.refresh()

    async def _learn(self, at: datetime) -> None:
        """Charge and limits: never ask for more than the device itself allows."""
        now_s = self._clock.monotonic()
        if self._ratings is None or now_s - self._ratings[1] >= _RATINGS_EVERY_S:
            self._ratings = await read_ratings(self._unit), now_s
        if now_s >= self._storage_due_s:
            self._storage = await read_storage(self._unit)
            self._storage_due_s = now_s + _STORAGE_EVERY_S
            self._soc = _charge(self._storage, at)
        if not self._supervision.alive:  # old numbers, however well they are read
            self._soc = Reading.missing(at, Quality.INVALID)
        rated = self._ratings[0].within(self._nominal)
        self._spec = self._storage.bounds.within(rated)

    async def _write(self, power_w: float) -> None:
        """Write by the first way the battery has, and read back."""
        priority = Priority.SAFETY if abs(power_w) < abs(self._asked_w) else Priority.CONTROL
        self._asked_w = power_w
        self._lapse.told(power_w if self._telling(power_w) else None)  # it may arrive unanswered
        try:
            self._lapse.claims(await self._steering.write(self._sign * power_w, priority))
        except PermanentError:
            self._lapse.told(None)
            raise

    def _telling(self, power_w: float) -> bool:
        """Whether this setpoint can be told from the power it has by itself afterwards."""
        return self._between and abs(power_w) > 2 * self._tolerance_w

    @property
    def _between(self) -> bool:
        """Whether it is known to be neither empty nor full."""
        low_pct, high_pct = _TELLING_PCT
        soc_pct = self._storage.soc_pct
        return soc_pct is not None and low_pct < soc_pct < high_pct


def _charge(storage: Storage, at: datetime) -> Reading:
    if storage.soc_pct is None:
        return Reading.missing(at, Quality.INVALID)
    return Reading(value=storage.soc_pct, quality=Quality.GOOD, at=at)
