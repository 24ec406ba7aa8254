"""The way of setpoints to one device: one at a time, and its silence is nobody else's trouble."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

import structlog

from contracts.backoff import Backoff
from contracts.errors import GridyardError, PermanentError
from contracts.tasks import first_of
from contracts.time import Clock

log = structlog.get_logger(__name__)

_FIRST_REST_S, _LONGEST_REST_S = 1.0, 10.0
_REFUSED_REST_S = 60.0

S = TypeVar("S")


class Lane(Generic[S]):
    """Sends setpoints to one device and remembers what it has accepted.

    A device that fails or refuses rests for a while (1 s, doubling to 10 s; 60 s when it refuses),
    and counts as silent until it accepts again. `patience_s` is how long an answer may take before
    it counts as silent, `timeout_s` how long before it is given up.
    """

    def __init__(
        self,
        device_id: str,
        send: Callable[[S], Awaitable[None]],
        *,
        clock: Clock,
        patience_s: float = 2.0,
        timeout_s: float = 30.0,
    ) -> None:
        self.device_id = device_id
        self.accepted: S | None = None
        self.accepted_s = float("-inf")
        """When it was accepted, seconds of the monotonic clock."""
        self.failure: str | None = None
        """Why the last attempt failed; None when it did not."""
        self._send = send
        self._clock = clock
        self._patience_s, self._timeout_s = patience_s, timeout_s
        self._wanted: S | None = None
        self._asked_s = 0.0
        self._rest_until_s = float("-inf")
        self._rest = Backoff(_FIRST_REST_S, _LONGEST_REST_S, chance=lambda: 0.0)
        self._asked, self._idle = asyncio.Event(), asyncio.Event()
        self._idle.set()

    @property
    def silent(self) -> bool:
        """Whether the device does not answer: what it holds is its last accepted setpoint."""
        late = self._clock.monotonic() - self._asked_s >= self._patience_s
        return self.failure is not None or (not self._idle.is_set() and late)

    @property
    def under_way(self) -> S | None:
        """What the device may take at any moment: asked for, and not answered yet."""
        return None if self._idle.is_set() else self._wanted

    def ask(self, setpoint: S) -> bool:
        """Send this now; False when it is busy or resting (the next cycle asks again)."""
        if not self._idle.is_set() or self._clock.monotonic() < self._rest_until_s:
            return False
        self._wanted, self._asked_s = setpoint, self._clock.monotonic()
        self._idle.clear()
        self._asked.set()
        return True

    async def answered(self) -> None:
        """Return once nothing is under way."""
        await self._idle.wait()

    async def run(self) -> None:
        """Send what is asked, until cancelled."""
        while True:
            await self._asked.wait()
            self._asked.clear()
            if self._wanted is not None:
                await self._deliver(self._wanted)
            self._idle.set()

    async def _deliver(self, setpoint: S) -> None:
        error = await self._attempt(setpoint)
        if error is None:
            if self.failure is not None:
                log.info("device accepts setpoints again", device=self.device_id)
            self.accepted, self.accepted_s = setpoint, self._clock.monotonic()
            self.failure = None
            self._rest.reset()
            return
        if self.failure is None:
            log.warning("device takes no setpoint", device=self.device_id, why=str(error))
        self.failure = str(error)
        refused = isinstance(error, PermanentError)
        rest_s = _REFUSED_REST_S if refused else self._rest.next_s()
        self._rest_until_s = self._clock.monotonic() + rest_s

    async def _attempt(self, setpoint: S) -> BaseException | None:
        done = False
        failed: BaseException | None = None

        async def send() -> None:
            nonlocal done
            await self._send(setpoint)
            done = True

        try:
            await first_of(send(), self._clock.sleep(self._timeout_s))
        except* GridyardError as group:
            failed = group.exceptions[0]
        if done or failed is not None:
            return failed
        return TimeoutError(f"no answer within {self._timeout_s:g} s")
