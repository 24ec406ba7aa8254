"""Keeps a device's setpoint as a lease: tells it, refreshes it, and judges what it does."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

import structlog

from contracts.errors import GridyardError, ProtocolError, TransientError
from contracts.time import Clock
from site_agent.devices.lease import Lease, Terms
from site_agent.devices.obedience import Obedience

PATIENCE_S = 5.0
"""How long the control loop may be silent before its setpoint is left to lapse."""

V = TypeVar("V")
_log = structlog.get_logger(__name__)


class LeasedSetpoint(Generic[V]):
    """One writer for one setpoint.

    `write` returns when the device holds the value; `deviation_w(value, measured_w)` says how far
    measured power is from it. `obeys` is False while that stays beyond the tolerance.
    """

    def __init__(
        self,
        name: str,
        write: Callable[[V], Awaitable[None]],
        deviation_w: Callable[[V, float], float],
        *,
        valid_for_s: float,
        obedience: Obedience,
        clock: Clock,
        patience_s: float = PATIENCE_S,
    ) -> None:
        self._name = name
        self._write = write
        self._deviation_w = deviation_w
        self._lease = Lease[V](valid_for_s=valid_for_s, patience_s=patience_s)
        self._obedience = obedience
        self._clock = clock
        self._writing = asyncio.Lock()

    @property
    def obeys(self) -> bool:
        """Whether measured power follows the setpoint in force."""
        return self._obedience.obeys

    @property
    def held(self) -> V | None:
        """What the device holds; None when that is unknown, released or has lapsed."""
        return self._lease.held(self._clock.monotonic())

    @property
    def terms(self) -> Terms[V] | None:
        """What the device holds, until when, and why; None as `held`."""
        return self._lease.terms(self._clock.monotonic())

    async def ask(self, value: V, cause: str = "") -> None:
        """The control loop wants `value`; writes only what the device does not hold already.

        Raises:
            TransientError: not confirmed; what the device holds is unknown until the next success.
            PermanentError: the device refuses.
        """
        async with self._writing:
            if self._lease.ask(value, self._clock.monotonic(), cause):
                await self._tell(value)

    async def refresh(self) -> None:
        """Tell the device again if that is due and the control loop still asks for it."""
        async with self._writing:
            value = self._lease.refresh(self._clock.monotonic())
            if value is None:
                return
            try:
                await self._tell(value)
            except GridyardError as error:  # the loop asks again and then gets the error itself
                _log.warning("lease not refreshed", device=self._name, why=str(error))

    def doubt(self) -> None:
        """Somebody may have told the device otherwise: tell it again at the next chance."""
        self._lease.doubt()

    def judge(self, measured_w: float | None) -> None:
        """Compare measured power with the setpoint in force: registers and answers prove nothing.

        A disobedient device is told once more: somebody else may have written to it. While it is
        being told nothing is judged: what it holds just then is not known, and no excuse either.
        """
        if self._writing.locked():
            return
        now_s = self._clock.monotonic()
        value = self._lease.held(now_s)
        if value is None:
            self._obedience.excuse()
        elif measured_w is not None and self._obedience.observe(
            self._deviation_w(value, measured_w), now_s
        ):
            _log.warning(
                "device does not follow its setpoint",
                device=self._name,
                setpoint=value,
                measured_w=measured_w,
                cause=self._lease.cause,
            )
            self._lease.doubt()

    async def _tell(self, value: V) -> None:
        begun_s = self._clock.monotonic()
        another = self._lease.held(begun_s) != value
        self._lease.forget()
        try:
            await self._write(value)
        except ProtocolError as error:
            raise TransientError(str(error)) from error
        self._lease.told(value, begun_s)
        if another:
            self._obedience.expect(begun_s)
