"""The steps of the checklist that need a vehicle: limits are lowered for a while, never raised."""

from __future__ import annotations

import math
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime

from contracts.errors import GridyardError, PermanentError, TransientError
from contracts.time import Clock
from site_agent.devices.ocpp.evse.charger import OcppCharger
from site_agent.devices.ocpp.operate.steps import (
    Step,
    drawn,
    failed,
    keeps,
    not_tried,
    passed,
    seen,
)
from site_agent.domain.device import ChargerSetpoint, ChargerState, Lapse

_FOLLOWS_S = 60.0
"""How long a charger may take to follow a limit; longer counts as not following."""
_NEWS_S = 60.0
"""How long a vehicle may take to draw enough for a trial."""
_STILL_A = 1.0
_ROOM_A = 2.0
"""A vehicle must draw this much above the minimum for a lower limit to show."""
_STEPS = ("phases", "limit followed", "0 A taken", "resumes", "lapse")


class Trials:
    """What one EVSE makes of limits, by its meter."""

    def __init__(self, evse: OcppCharger, clock: Clock) -> None:
        self._evse = evse
        self._clock = clock

    # --- with a vehicle ---------------------------------------------------------------------------

    async def run(self) -> AsyncGenerator[Step, None]:
        """Every step; without a vehicle that charges, none of them is tried."""
        enough_a = self._evse.spec.min_current_a + _ROOM_A
        state = await self._seen_drawing(_NEWS_S, enough_a) or await self._seen_drawing(0.0)
        if state is None or self._state().transaction_id is None:
            for name in _STEPS:
                yield not_tried(name, "plug in a vehicle that charges, and check in again")
            return
        yield self._phases(state)
        yield await self._followed(drawn(state))
        yield await self._paused()
        yield await self._resumes()
        yield await self._lapses()

    def _phases(self, state: ChargerState) -> Step:
        used, wired = state.phases_used, len(self._evse.spec.phases)
        if used is None:
            return not_tried("phases", "it does not measure current phase by phase")
        if used > wired:
            return failed(
                "phases", f"draws on {used}, the settings say {wired}", "correct `phases`"
            )
        return passed("phases", f"draws on {used} of {wired}")

    async def _followed(self, drawn_a: float) -> Step:
        floor_a = self._evse.spec.min_current_a
        if drawn_a < floor_a + _ROOM_A:
            return not_tried(
                "limit followed", f"the vehicle draws {drawn_a:.1f} A, too little to show it"
            )
        limit_a = float(max(math.ceil(floor_a), math.floor(drawn_a / 2)))
        async with self._trying(limit_a) as begun:
            state = await self._seen_keeping(limit_a, begun)
            took_s = (self._clock.now() - begun).total_seconds()
        if state is None:
            return failed(
                "limit followed",
                f"{limit_a:g} A accepted, {drawn(self._state()):.1f} A drawn "
                f"after {_FOLLOWS_S:.0f} s",
                "the agent counts this charger at what it draws; update its firmware",
            )
        return passed("limit followed", f"{drawn_a:.1f} A to {limit_a:g} A within {took_s:.0f} s")

    async def _paused(self) -> Step:
        async with self._trying(0.0) as begun:
            state = await self._seen_keeping(0.0, begun)
            took_s = (self._clock.now() - begun).total_seconds()
        if not self._state().pausable:
            return failed(
                "0 A taken",
                f"it takes {self._evse.spec.min_current_a:g} A instead of 0 A",
                "it cannot be paused; the agent plans for that",
            )
        if state is None:
            return failed("0 A taken", "it goes on charging", "the agent counts what it draws")
        return passed("0 A taken", f"stopped within {took_s:.0f} s")

    async def _resumes(self) -> Step:
        if await self._seen_drawing(_FOLLOWS_S) is not None:
            return passed("resumes", "charges again after the pause")
        if not self._evse.asked_a:
            return not_tried("resumes", "the control loop asks for 0 A")
        return failed("resumes", "does not charge again", "see how-to: a vehicle that stays asleep")

    async def _lapses(self) -> Step:
        """A limit is left to run out; about a minute and a half."""
        try:
            lapse = await self._evse.steering.probe_lease()
        except (TransientError, PermanentError) as error:
            return not_tried("lapse", str(error))
        if lapse is Lapse.DEVICE:
            return passed("lapse", "it lets go of a limit that is not renewed")
        return failed(
            "lapse",
            "it keeps a limit that is not renewed",
            "the agent gives it only what the site bears with no agent alive",
        )

    # --- inside -----------------------------------------------------------------------------------

    def _state(self) -> ChargerState:
        return self._evse.state(self._clock.now())

    async def _seen_drawing(
        self, within_s: float, above_a: float = _STILL_A
    ) -> ChargerState | None:
        return await seen(self._evse, self._clock, lambda s: drawn(s) > above_a, within_s)

    async def _seen_keeping(self, limit_a: float, since: datetime) -> ChargerState | None:
        def kept(state: ChargerState) -> bool:
            return keeps(state, limit_a, since)

        return await seen(self._evse, self._clock, kept, _FOLLOWS_S)

    @asynccontextmanager
    async def _trying(self, limit_a: float) -> AsyncIterator[datetime]:
        """Hold a lower limit meanwhile; when it was told."""
        self._evse.trial_a = limit_a
        try:
            await self._ask()
            yield self._clock.now()
        finally:
            self._evse.trial_a = None
            await self._ask()

    async def _ask(self) -> None:
        """Tell the charger now what the control loop has asked for last, or the trial."""
        asked_a = self._evse.asked_a
        spec = self._evse.spec
        setpoint = ChargerSetpoint(
            evse_id=spec.evse_id,
            limit_a=spec.fail_safe_current_a if asked_a is None else asked_a,
            cause="check-in",
        )
        try:
            await self._evse.set_limit(setpoint)
        except GridyardError:
            return  # the steps see by the meter what comes of it; the control loop asks again
