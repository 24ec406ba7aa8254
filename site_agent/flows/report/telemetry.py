"""Readings to the outbox: all points of the link at one instant, and what has changed beside them.

What is not known has no value: a made-up 0 would become somebody's baseline.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import structlog

from contracts.errors import TransientError
from contracts.reading import Quality, Reading
from contracts.site_link import points
from contracts.site_link.messages import Measurement, Row
from contracts.time import Clock
from site_agent.domain.device import ChargerState
from site_agent.domain.flexibility.now import down_w
from site_agent.domain.policy import ControlPolicy
from site_agent.domain.site import SiteSnapshot
from site_agent.flows.control.control_loop import Cycle
from site_agent.flows.fleet.sessions import Sessions
from site_agent.flows.orders import telecontrol
from site_agent.flows.report.notices import Condition, Key, NoticeBoard, conditions
from site_agent.flows.report.prospects import Prospects
from site_agent.flows.report.rows import measurement
from site_agent.ports import Outbox, Sensor

log = structlog.get_logger(__name__)

_SPREAD_SHARE = 0.02
"""Of the contract: a building load that may be off by more is not told."""
_CHARGING_W = 100.0
"""More than a charger's own electronics draw."""
_FIRST_S = 10.0
"""After a start we stay silent until the meter has been read, but no longer than this."""


class Telemetry:
    """Every `every_s`: one row per point, notices at their edges, prospects when they change.

    The first one waits for the meter: a site that has just begun has lost nothing, and must not
    make the gateway plan without it.
    """

    def __init__(
        self,
        *,
        latest: Callable[[], Cycle | None],
        outbox: Outbox,
        board: NoticeBoard,
        prospects: Prospects,
        sessions: Sessions,
        clock: Clock,
        policy: ControlPolicy,
        every_s: float,
        sensors: Mapping[str, Sensor] | None = None,
        more: Sequence[Callable[[], Mapping[Key, Condition]]] = (),
        proved: Callable[[datetime], float] = lambda _: 1.0,
    ) -> None:
        """Take up what there is to tell.

        `more`: what else is worth a notice. `proved`: how much of what vehicles could put off now
        is promised (`flows.report.offers`).
        """
        self._sensors = sensors or {}
        self._more = more
        self._proved = proved
        self._latest = latest
        self._outbox = outbox
        self._board = board
        self._prospects = prospects
        self._sessions = sessions
        self._clock = clock
        self._policy = policy
        self._every_s = every_s
        self._silent_until: float | None = clock.monotonic() + _FIRST_S

    async def run(self) -> None:
        """Sample until cancelled; while the disk fails, samples are lost and the log says so."""
        while True:
            due_s = self._clock.monotonic() + self._every_s
            try:
                await self.sample()
            except TransientError as error:
                log.error("telemetry not stored", why=str(error))  # noqa: TRY400 (the disk, not us)
            await self._clock.sleep(max(0.0, due_s - self._clock.monotonic()))

    async def sample(self) -> None:
        """Put one sample into the outbox."""
        cycle = self._latest()
        if cycle is None or self._too_early(cycle.snapshot):
            return
        prospects = self._prospects.judge(cycle)
        present = {
            **conditions(cycle.snapshot, cycle.decision.unmet, prospects, cycle.unheld),
            **dict(telecontrol.conditions(cycle.operator)),
        }
        for others in self._more:
            present |= others()
        notices = self._board.edges(present, cycle.snapshot.at)
        changed = self._prospects.changes(prospects, cycle.snapshot.at)
        proved = self._proved(cycle.snapshot.at)
        told = [
            *measurements(cycle, self._policy, proved),
            *sensed(self._sensors, cycle.snapshot.at),
        ]
        rows: list[Row] = [*told, *notices, *changed]
        await self._outbox.append(rows)
        await self._board.sent(notices)
        self._prospects.sent(changed)
        await self._sessions.save()

    def _too_early(self, snapshot: SiteSnapshot) -> bool:
        """Whether we have just begun and the meter has not been read yet."""
        if self._silent_until is not None:
            read = snapshot.pcc.power_w.fresh(snapshot.at, snapshot.model.meter_max_age) is not None
            if read or self._clock.monotonic() >= self._silent_until:
                self._silent_until = None
        return self._silent_until is not None


def measurements(cycle: Cycle, policy: ControlPolicy, proved: float = 1.0) -> list[Measurement]:
    """One row per point of the link, all of the instant of the cycle."""
    at = cycle.snapshot.at
    return [
        measurement(at, point, reading)
        for point, reading in [
            *_site(cycle, policy, proved),
            *_parts(cycle.snapshot),
            *_evses(cycle),
        ]
    ]


def sensed(sensors: Mapping[str, Sensor], at: datetime) -> list[Measurement]:
    """One row per quantity of every sensor, as it must be taken at `at`."""
    return [
        measurement(at, points.sensor(sensor_id, quantity), _usable(reading))
        for sensor_id, sensor in sensors.items()
        for quantity, reading in sensor.readings(at).items()
    ]


def _usable(reading: Reading) -> Reading:
    return reading if reading.quality.usable else replace(reading, value=None)


Point = tuple[str, Reading]


def _site(cycle: Cycle, policy: ControlPolicy, proved: float) -> Iterator[Point]:
    snapshot, decision = cycle.snapshot, cycle.decision
    at, max_age = snapshot.at, snapshot.model.meter_max_age
    flexibility = down_w(snapshot, decision.envelope, decision.building_w, policy, proved)
    yield points.PCC_POWER_W, _now(snapshot.pcc.power_w, at, max_age)
    yield points.PCC_IMPORT_WH, _now(snapshot.pcc.import_wh, at, max_age)
    settled = decision.building_spread_w <= _SPREAD_SHARE * snapshot.model.contract_limit_w
    yield points.BUILDING_POWER_W, _derived(decision.building_w if settled else None, at)
    yield points.FLEX_DOWN_W, _derived(flexibility, at)
    yield points.SITE_LIMIT_W, _exact(decision.envelope.import_w.value, at)
    yield points.CHARGERS_TOTAL, _exact(len(snapshot.chargers), at)
    online = sum(charger.online for charger in snapshot.chargers)
    yield points.CHARGERS_ONLINE, _exact(online, at)
    charging = [c for c in snapshot.chargers if (_power(c, snapshot).value or 0.0) > _CHARGING_W]
    yield points.VEHICLES_CHARGING, _exact(len(charging), at)


def _parts(snapshot: SiteSnapshot) -> Iterator[Point]:
    """Sums over the chargers, batteries and inverters there are, and over what limits bound."""
    at, max_age = snapshot.at, snapshot.model.device_max_age
    charging = [_power(charger, snapshot) for charger in snapshot.chargers]
    stored = [_now(battery.power_w, at, max_age) for battery in snapshot.batteries]
    made = [_now(inverter.power_w, at, max_age) for inverter in snapshot.pv]
    if charging:
        yield points.CHARGING_POWER_W, _sum(charging, at)
    if stored:
        yield points.BATTERY_POWER_W, _sum(stored, at)
        yield points.BATTERY_SOC_PCT, _fleet_soc(snapshot)
    if made:
        yield points.PV_POWER_W, _sum(made, at)
    if charging or stored:
        yield points.LOAD_POWER_W, _sum([*charging, *(_part(b, 1.0) for b in stored)], at)
    if made or stored:
        yield points.GENERATION_POWER_W, _sum([_part(r, -1.0) for r in [*made, *stored]], at)


def _evses(cycle: Cycle) -> Iterator[Point]:
    for charger in cycle.snapshot.chargers:
        spec, at = charger.spec, cycle.snapshot.at
        yield points.evse_power_w(spec.evse_id), _power(charger, cycle.snapshot)
        limit_a = charger.confirmed_limit_a
        limit_w = None if limit_a is None else limit_a * spec.voltage_v * len(spec.phases)
        known = charger.online and limit_w is not None
        yield points.evse_limit_w(spec.evse_id), _exact(limit_w if known else None, at)


def _power(charger: ChargerState, snapshot: SiteSnapshot) -> Reading:
    """Its power; an online charger without a vehicle draws nothing."""
    reading = _now(charger.power_w, snapshot.at, snapshot.model.device_max_age)
    idle = charger.online and not charger.plugged and charger.transaction_id is None
    return _exact(0.0, snapshot.at) if idle and reading.value is None else reading


def _fleet_soc(snapshot: SiteSnapshot) -> Reading:
    """State of charge over all batteries, weighted by their capacity."""
    at, max_age = snapshot.at, snapshot.model.device_max_age
    stored = [(b.soc_pct.fresh(at, max_age), b.spec.capacity_wh) for b in snapshot.batteries]
    known = [(soc, capacity) for soc, capacity in stored if soc is not None]
    if len(known) < len(stored):
        return Reading.missing(at)
    return _exact(sum(soc * c for soc, c in known) / sum(c for _, c in known), at)


def _part(reading: Reading, sign: float) -> Reading:
    """Of a power only what has this sign."""
    value = reading.value
    return reading if value is None or value * sign >= 0 else replace(reading, value=0.0)


def _sum(readings: Sequence[Reading], at: datetime) -> Reading:
    """The sum of what is known: estimated when something is missing, nothing when all is."""
    known = [reading.value for reading in readings if reading.value is not None]
    if not known:
        return Reading.missing(at)
    sound = all(reading.quality is Quality.GOOD for reading in readings)
    quality = Quality.GOOD if sound else Quality.ESTIMATED
    return Reading(value=sum(known), quality=quality, at=at)


def _now(reading: Reading, at: datetime, max_age: timedelta) -> Reading:
    """The reading if it may be used, else its absence with the reason."""
    if reading.fresh(at, max_age) is not None:
        return reading
    return Reading.missing(reading.at, Quality.STALE if reading.quality.usable else reading.quality)


def _derived(value: float | None, at: datetime) -> Reading:
    if value is None:
        return Reading.missing(at, Quality.STALE)
    return Reading(value=value, quality=Quality.ESTIMATED, at=at)


def _exact(value: float | None, at: datetime) -> Reading:
    return (
        Reading.missing(at) if value is None else Reading(value=value, quality=Quality.GOOD, at=at)
    )
