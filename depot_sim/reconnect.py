"""Coming back: the loop of every device that is a client."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from structlog.typing import FilteringBoundLogger

from contracts.backoff import Backoff
from contracts.tasks import heed_cancellation
from contracts.time import Clock

_LONGEST_NAP_S = 1.0
"""How long a fault may be over before it is noticed."""


async def stay_connected(
    attempt: Callable[[], Awaitable[None]],
    *,
    errors: tuple[type[Exception], ...],
    away_s: Callable[[], float],
    backoff: Backoff,
    clock: Clock,
    log: FilteringBoundLogger,
) -> None:
    """Attempt a connection again and again until cancelled.

    `attempt` lives as long as its connection and resets `backoff` once it stands; it may end with
    any of `errors`. `away_s` says how long a fault still keeps the device from the network.
    """
    while True:
        while (left_s := away_s()) > 0:
            await clock.sleep(min(left_s, _LONGEST_NAP_S))
        try:
            await attempt()
        except* errors as group:
            log.info("link-down", reason=repr(_first(group)))
        heed_cancellation()
        await clock.sleep(backoff.next_s())


def _first(error: BaseException) -> BaseException:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
