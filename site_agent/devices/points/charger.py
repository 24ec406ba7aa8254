"""A `Charger` from any source: one without OCPP, steered like any other.

**When the agent dies** the charger's own watchdog ends the limit within `lapse_s` of its source and
it falls to the fail-safe current set in it (`fail_safe_current_a` in our settings must be that one:
silent chargers are counted with it). When only the control loop falls silent the same happens
`PATIENCE_S` later. A charger without such a watchdog shows `lapse` NONE: it is told its fail-safe
current when the control loop falls silent or the agent ends in order, but keeps its last limit if
we are killed.
"""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import datetime

from contracts.power import power_from_current_w
from contracts.reading import Reading
from contracts.time import Clock
from site_agent.devices.points.control import Control
from site_agent.devices.points.nature import Edge, able, lapse_of, require
from site_agent.devices.points.source import Source
from site_agent.devices.points.stay import Stays
from site_agent.devices.points.steered import Steered
from site_agent.domain.device import ChargerSetpoint, ChargerSpec, ChargerState, Lapse
from site_agent.domain.fleet.access import Access
from site_agent.domain.fleet.identity import Presented
from site_agent.domain.session import MeterSample
from site_agent.ports import SessionStore, Wake

PATIENCE_S = 45.0
"""The control loop asks a charger again every 20 s only."""
_STEP_A = 0.1
_CURRENTS = ("current_l1", "current_l2", "current_l3")


class PointCharger(Steered):
    """Needs `plugged` and `active_power` or `current_l1`.

    It tells nothing of who is there: it may charge where the site lets in those without a card.
    """

    def __init__(
        self,
        source: Source,
        spec: ChargerSpec,
        *,
        clock: Clock,
        wake: Wake,
        sessions: SessionStore,
        access: Access | None = None,
    ) -> None:
        require(source, "charger", "plugged", "active_power|current_l1")
        self._spec = replace(spec, max_discharge_a=0.0)
        known = access or Access()
        nobody = Presented()
        self._admits = known.verdict(nobody, (spec.evse_id,), clock.now()).accepted
        self._identity = known.identify(nobody, spec.evse_id)
        self._edge = Edge(spec.evse_id, wake)
        self._stays = Stays(spec.evse_id, sessions)
        self._plugged: bool | None = None
        self._since: datetime | None = None
        w_per_a = power_from_current_w(1.0, len(spec.phases), spec.voltage_v)
        setpoint = Control(
            spec.evse_id,
            source,
            "current_limit",
            deviation_w=lambda limit_a, power_w: max(0.0, power_w - limit_a * w_per_a),
            rated_w=spec.max_current_a * w_per_a,
            clock=clock,
            safe=spec.fail_safe_current_a,
            patience_s=PATIENCE_S,
        )
        super().__init__(source, setpoint, clock)

    @property
    def spec(self) -> ChargerSpec:
        """What it is."""
        return self._spec

    async def run(self) -> None:
        """Read, and refresh the limit, until cancelled; the last limit is left to lapse."""
        await self._stays.restore()
        await super().run()

    def state(self, now: datetime) -> ChargerState:
        """What is known of it; whether it obeys is judged by whoever compares all devices."""
        board, limit_a = self._source.board, self._setpoint.most
        occupied = self._occupied
        return ChargerState(
            spec=self._spec,
            online=able(self._source, now) and board.fresh("plugged", now) is not None,
            plugged=occupied,
            transaction_id=self._stays.transaction_id,
            id_tag=None,
            power_w=board.reading("active_power", now),
            current_a=self._current(now),
            energy_wh=self._energy(now),
            soc_pct=board.reading("soc", now),
            confirmed_limit_a=limit_a,
            limit_in_force_since=None if limit_a is None else self._since,
            lapse=lapse_of(self._source, Lapse.DEVICE),
            controllable=self._setpoint.possible,
            ceiling_a=None if self._admits else 0.0,
            identity=self._identity if occupied else None,
        )

    async def set_limit(self, setpoint: ChargerSetpoint) -> None:
        """Returns when the charger holds the limit (0 pauses; negative ones mean 0).

        Returns at once while it is known to hold it; raises as `Charger.set_limit`.
        """
        wanted_a = setpoint.limit_a if self._admits else 0.0
        limit_a = math.floor(max(0.0, wanted_a) / _STEP_A + 1e-6) * _STEP_A
        limit_a = round(min(limit_a, self._spec.max_current_a), 1)
        before_a = self._setpoint.held
        await self._setpoint.ask(limit_a, setpoint.cause)
        if limit_a != before_a:
            self._since = self._clock.now()

    @property
    def _occupied(self) -> bool:
        open_stay = self._stays.transaction_id is not None
        return open_stay if self._plugged is None else self._plugged

    def _current(self, now: datetime) -> Reading:
        """Of its most loaded phase, as old as the oldest of them."""
        told = [self._source.board.reading(point, now) for point in _CURRENTS]
        known = [reading for reading in told if reading.value is not None]
        if not known:
            return told[0]
        highest = max(known, key=lambda reading: abs(reading.value or 0.0))
        return replace(highest, at=min(reading.at for reading in known))

    def _register(self, now: datetime) -> Reading:
        board = self._source.board
        return board.reading("session_energy" if self._own_count else "import_energy", now)

    @property
    def _own_count(self) -> bool:
        return "import_energy" not in self._source.board.points

    def _energy(self, now: datetime) -> Reading:
        """Since the vehicle was plugged in."""
        register, start_wh = self._register(now), self._stays.start_wh
        if self._stays.transaction_id is None or register.value is None:
            return Reading.missing(now)
        if start_wh is None:
            return self._source.board.reading("session_energy", now)
        return replace(register, value=max(0.0, register.value - start_wh))

    async def _heard(self) -> None:
        now = self._clock.now()
        board = self._source.board
        plugged = board.fresh("plugged", now)
        if plugged is not None:
            self._plugged = plugged == 1.0
            register_wh = self._register(now).value
            await self._stays.seen(self._plugged, now, register_wh, own_count=self._own_count)
        self._sample(self._clock.now())
        await super()._heard()

    def _sample(self, now: datetime) -> None:
        power_w = self._source.board.reading("active_power", now)
        current_a = self._current(now)
        measured = power_w if power_w.quality.usable else current_a
        if measured.quality.usable:
            sample = MeterSample(
                at=measured.at,
                power_w=power_w.value,
                current_a=current_a.value,
                register_wh=self._register(now).value,
                soc_pct=self._source.board.fresh("soc", now),
            )
            self._stays.metered(sample)

    def _notice(self, now: datetime) -> None:
        charging = self._source.board.fresh("charging", now)
        online = able(self._source, now)
        self._edge.see(online, self._plugged, charging, self._stays.transaction_id)
