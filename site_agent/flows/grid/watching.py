"""Watches the grid for the control loop: outage, island, return, and load let back in steps.

What it remembers over a restart: that an outage is on, and a return under way. So an agent that
starts in an outage goes on with it, and one that starts in a return begins its waiting time anew.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

import structlog

from contracts.errors import TransientError
from contracts.site_link.messages import Severity
from contracts.time import Clock
from site_agent.domain.decide.control import DEFAULT_POLICY
from site_agent.domain.grid import island as islands
from site_agent.domain.grid.choices import GridPolicies
from site_agent.domain.grid.island import Island
from site_agent.domain.grid.outage import answers, look
from site_agent.domain.grid.restore import Restoration
from site_agent.domain.grid.stages import Stage, charge_pct, stage_of
from site_agent.domain.grid.watch import LIVE, Grid, GridState, step, taken_up
from site_agent.domain.policy import ControlPolicy
from site_agent.domain.protect.envelope import Envelope, Limit
from site_agent.domain.protect.room import moment_of
from site_agent.domain.site import ROOT, SiteSnapshot
from site_agent.flows.grid.restoration import Returns, as_json, from_json
from site_agent.flows.report.notices import Condition, Key
from site_agent.ports import KeyValues

KEY = "grid"
GRID_OUTAGE = "grid-outage"
GRID_RETURNING = "grid-returning"
ISLAND = "island"
RESTORING = "restoring"
_RETRY_S = 5.0

_log = structlog.get_logger(__name__)

Contact = Callable[[datetime], bool | None]
"""Whether the contact of a transfer switch shows an island; None: it does not tell."""


def no_contact(now: datetime) -> bool | None:
    """No transfer switch tells."""
    del now
    return None


class GridWatch:
    """One site's grid. The control loop asks `picture`, then `limits`, every cycle."""

    def __init__(
        self,
        site_id: str,
        policies: GridPolicies,
        memory: KeyValues,
        clock: Clock,
        contact: Contact = no_contact,
        control: ControlPolicy = DEFAULT_POLICY,
    ) -> None:
        self._policies = policies
        self._memory = memory
        self._clock = clock
        self._contact = contact
        self._control = control
        self._building_w: float | None = None
        self._returns = Returns(site_id, policies.restore)
        self._heard = False
        self._stage: Stage | None = None
        self._changed = asyncio.Event()
        self.state: GridState = LIVE
        self.island: Island | None = None
        """What the island can bear, while there is one."""

    @property
    def island_words(self) -> str:
        """Why the site runs on its own; empty while it does not."""
        return "" if self.island is None else self.island.words

    async def load(self) -> None:
        """Take up an outage or a return from before a restart."""
        found = await self._memory.get(KEY)
        if found is not None:
            now = self._clock.now()
            self.state = taken_up(_state(found), now)
            self._returns.under_way = from_json(json.loads(found).get("return"))
            _log.info("grid", state=self.state.grid.value, words="from before the restart")

    async def run(self) -> None:
        """Store what a restart must know, until cancelled."""
        while True:
            await self._changed.wait()
            self._changed.clear()
            try:
                await self._memory.put(KEY, _text(self.state, self._returns.under_way))
            except TransientError as error:
                _log.warning("state of the grid not stored", why=str(error))
                await self._clock.sleep(_RETRY_S)
                self._changed.set()

    def picture(self, snapshot: SiteSnapshot) -> SiteSnapshot:
        """The snapshot as the state of the grid makes it."""
        self._look(snapshot)
        away = self.state.grid is Grid.OUTAGE and islands.runs(snapshot)
        span = islands.building_span(snapshot, moment_of(snapshot, self._control), alone=away)
        self._building_w = islands.held(self._building_w, span)
        policy = self._policies.island
        if not away:
            self.island = self._stage = None
        if away:
            soc = charge_pct(snapshot.batteries, snapshot.at, snapshot.model.device_max_age)
            self._stage = stage_of(soc, self._stage, policy)
            self.island = islands.island(snapshot, self._stage, self._building_w, policy)
            return islands.picture(snapshot, self.island, policy)
        if self.state.grid is Grid.RETURNING:
            return islands.waiting(snapshot, policy, self._waits())
        return snapshot

    def limits(self, snapshot: SiteSnapshot, envelope: Envelope) -> Iterator[Limit]:
        """What the grid's state imposes beside `envelope`."""
        if self.island is not None:
            yield from islands.limits(snapshot, self.island)
        before = self._returns.under_way
        yield from self._returns.limits(snapshot, envelope, held=self.state.grid is not Grid.LIVE)
        if self._returns.under_way is not before:
            self._changed.set()

    def conditions(self) -> Mapping[Key, Condition]:
        """What people should know."""
        return dict(self._conditions())

    def _look(self, snapshot: SiteSnapshot) -> None:
        before = self.state
        self._heard = self._heard or answers(snapshot)
        seen = look(snapshot, self._contact(snapshot.at), heard=self._heard)
        self.state = step(before, seen, snapshot.at, self._policies.grid)
        if self.state.grid is before.grid:
            return
        _log.warning("grid", state=self.state.grid.value, words=self.state.words)
        self._changed.set()
        if self.state.grid is Grid.LIVE:
            self._returns.begin("the outage", snapshot)

    def _waits(self) -> str:
        minutes = self._policies.grid.stable_for
        if self.state.doubtful:
            minutes = self._policies.grid.silent_stable_for
        return f"the grid is back; load returns once it has held for {_minutes(minutes)}"

    def _conditions(self) -> Iterator[tuple[Key, Condition]]:
        if self.state.grid is Grid.OUTAGE:
            words = f"the public grid is away: {self.state.words}"
            yield (GRID_OUTAGE, ROOT), Condition(severity=Severity.ALARM, text=words)
        if self.state.grid is Grid.RETURNING:
            yield (GRID_RETURNING, ROOT), Condition(severity=Severity.INFO, text=self._waits())
        if self.island is not None:
            words = f"the site runs on its own: {self.island.words}"
            yield (ISLAND, ROOT), Condition(severity=Severity.WARNING, text=words)
        if self._returns.words:
            condition = Condition(severity=Severity.INFO, text=self._returns.words)
            yield (RESTORING, ROOT), condition


def _minutes(span: timedelta) -> str:
    return f"{span / timedelta(minutes=1):g} min"


def _text(state: GridState, under_way: Restoration | None) -> str:
    return json.dumps(
        {
            "grid": state.grid,
            "since": None if state.since is None else state.since.isoformat(),
            "words": state.words,
            "doubtful": state.doubtful,
            "return": as_json(under_way),
        }
    )


def _state(text: str) -> GridState:
    found = json.loads(text)
    since = found["since"]
    return replace(
        LIVE,
        grid=Grid(found["grid"]),
        since=None if since is None else datetime.fromisoformat(since),
        words=found["words"],
        doubtful=found["doubtful"],
    )
