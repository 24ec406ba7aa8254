"""The server's clock, to which every control is scheduled (IEEE 2030.5-2018, 9.2.3)."""

from __future__ import annotations

from datetime import datetime, timedelta

import structlog

from contracts.backoff import Backoff
from contracts.errors import PermanentError, ProtocolError
from contracts.sep2.resources import Time
from contracts.time import Clock
from gateway.utility.sep2.transport import BusyError, Sep2Transport

_log = structlog.get_logger(__name__)
RESYNC_S = 900.0
"""Once synchronised, the time is asked for at most so often."""
_LONGEST_RESYNC_S = 86_400.0
_FIRST_RETRY_S = 15.0
_SMALL = timedelta(seconds=60)
"""A smaller correction never makes the time run backwards."""
_NOISE = timedelta(seconds=1)
"""The server tells whole seconds: less than this is no news."""


class ServerTime:
    """What time it is for the server. Our own clock is never set, only compared.

    Elapsed time is our monotonic one, so a step of the wall clock here moves no control.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._backoff = Backoff(2 * _FIRST_RETRY_S, RESYNC_S)
        self._at_zero: datetime | None = None
        self._floor: datetime | None = None
        self.due_at_s = clock.monotonic()
        """Monotonic time at which the server is to be asked next."""

    @property
    def synchronised(self) -> bool:
        """Whether the server has told its time yet: without it nothing may be acted on."""
        return self._at_zero is not None

    def now(self) -> datetime | None:
        """The server's time now; None while it is not known.

        Never earlier than told before, but after a correction by a minute or more.
        """
        if self._at_zero is None:
            return None
        now = self._at_zero + timedelta(seconds=self._clock.monotonic())
        if self._floor is not None and now < self._floor:
            return self._floor
        self._floor = None
        return now

    def monotonic_at(self, instant: datetime) -> float:
        """Monotonic time at which the server's clock will show `instant`.

        Raises:
            RuntimeError: the server's time is not known.
        """
        if self._at_zero is None:
            raise RuntimeError("the server's time is not known")
        return (instant - self._at_zero).total_seconds()

    async def refresh(self, transport: Sep2Transport, href: str) -> None:
        """Ask the server, if it is due; an answer that is none is asked for again later.

        Raises:
            LinkDownError: the server cannot be reached.
        """
        asked_at = self._clock.monotonic()
        if asked_at < self.due_at_s:
            return
        self.due_at_s = asked_at + self._backoff.next_s()
        try:
            time = await transport.get(href, Time)
        except (PermanentError, ProtocolError, BusyError) as error:
            _log.warning("sep2_time_unreadable", error=str(error))
            return
        answered_at = self._clock.monotonic()
        self._correct(time.current_time - timedelta(seconds=(asked_at + answered_at) / 2))
        self._backoff.reset()
        rate_s = RESYNC_S if time.poll_rate is None else time.poll_rate.total_seconds()
        self.due_at_s = asked_at + min(max(rate_s, RESYNC_S), _LONGEST_RESYNC_S)

    def _correct(self, at_zero: datetime) -> None:
        before = self._at_zero
        if before is not None:
            step = at_zero - before
            if abs(step) <= _NOISE:
                return
            shown = self.now()
            self._floor = shown if -_SMALL < step < timedelta(0) else None
        self._at_zero = at_zero
        _log.info("sep2_time", ahead_s=round((at_zero - self._wall_at_zero()).total_seconds(), 1))

    def _wall_at_zero(self) -> datetime:
        return self._clock.now() - timedelta(seconds=self._clock.monotonic())
