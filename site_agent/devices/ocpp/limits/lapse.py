"""The trial whether a charger lets go of a limit by itself, judged by its meter."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from contracts.errors import TransientError
from contracts.time import Clock
from site_agent.devices.ocpp.limits.follow import most
from site_agent.domain.device import Lapse

_LEASE_S = 20.0
_SHOWS_WITHIN = timedelta(seconds=60)
"""How long a charger may take to come down, as everywhere."""
_LOOK_EVERY_S = 1.0
_EARLY = timedelta(seconds=3)
"""How much sooner than reckoned a limit may end: it is told in whole seconds of their clock."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """What a meter shows of one EVSE."""

    at: datetime
    drawn_a: float
    """Of the most loaded phase."""
    soc_pct: float | None = None


async def probe(
    give: Callable[[float], Awaitable[None]],
    sight: Callable[[datetime], Sight | None],
    undisturbed: Callable[[], bool],
    *,
    limit_a: float,
    rest_a: float,
    clock: Clock,
) -> Lapse:
    """Give `limit_a` once more for a short while, and look what comes after.

    Raises:
        TransientError: it cannot be told: too little is drawn, or something came between.
    """
    _fit_for_trial(sight(clock.now()), limit_a, rest_a)
    await give(_LEASE_S)
    ends_at = clock.now() + timedelta(seconds=_LEASE_S)
    drew = False
    while clock.now() <= ends_at + _SHOWS_WITHIN:
        await clock.sleep(_LOOK_EVERY_S)
        if not undisturbed():
            raise TransientError("something came between: another limit, a cut, the end")
        seen = sight(clock.now())
        if seen is None or ends_at - _EARLY < seen.at <= ends_at:
            continue
        above = seen.drawn_a > most(rest_a)
        if seen.at <= ends_at:
            drew = above
        elif not above and not drew:
            raise TransientError("its vehicle stopped drawing by itself")
        elif not above:
            return Lapse.DEVICE
    if seen is None or seen.at < ends_at + _SHOWS_WITHIN / 2:
        raise TransientError("its meter has fallen silent")
    return Lapse.NONE


def _fit_for_trial(seen: Sight | None, limit_a: float, rest_a: float) -> None:
    if seen is None or seen.drawn_a <= most(rest_a):
        raise TransientError("draws too little above its fail-safe share to tell")
    if seen.drawn_a > most(limit_a):
        raise TransientError("does not keep the limit in force")
