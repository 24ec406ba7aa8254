"""Who is in command of a device, and whether both sides live: LocRemCtl and heartbeats.

Models 715 (any DER) and 802 (a battery bank). Under local control (LocRemCtl 1) a device is not
ours to steer. Our heartbeat (`ControllerHb`, `CtrlHb`) counts up once a second, but only while the
control loop asks for something. **When the agent or its loop dies** the count stands still, and a
device that watches it falls back as its maker has made it: that adds to the lapse of a setpoint,
and never replaces it. Theirs (`DERHb`, `Hb`) that stands still after it has counted means that what
lies behind the registers is dead, however well the registers answer.
"""

from __future__ import annotations

import structlog

from contracts.errors import PermanentError, TransientError
from contracts.time import Clock
from site_agent.devices.leased import PATIENCE_S
from site_agent.devices.modbus.link import Priority
from site_agent.devices.sunspec.codec import ModelCodec, Values
from site_agent.devices.sunspec.unit import Codecs, Read, SunSpecUnit

STUCK_S = 10.0
"""How long their heartbeat may stand still: it should count every second, but some are slower."""
_SLOW = 3.0
"""So many of its own intervals, where these are longer."""
_PERIOD_S = 0.9
"""A little less than the second in which heartbeats count, for polls are never quite on time."""
REFUSED_S = 300.0
"""After so long a heartbeat that was refused is tried again: many take no writes while asleep."""
_LOCAL = 1.0
_log = structlog.get_logger(__name__)


class LocalControlError(TransientError):
    """The device is under local control: it takes no setpoints from us."""


_COMMAND: tuple[Codecs, ...] = tuple(
    {model_id: ModelCodec(model_id, ("LocRemCtl",))} for model_id in (715, 802)
)


async def require_remote(unit: SunSpecUnit) -> None:
    """Look once who is in command.

    Raises:
        LocalControlError: somebody at the device has taken it.
        TransientError, ProtocolError: as `SunSpecUnit.read`.
    """
    for codecs in _COMMAND:
        if await unit.has(codecs):
            values = (await unit.read(codecs, Priority.SLOW)).values
            if values["LocRemCtl"] == _LOCAL:
                raise LocalControlError("the device is under local control: release it there")


class Supervision:
    """What models 715 and 802 say of command and life; a device with neither is ours and alive."""

    def __init__(self, unit: SunSpecUnit, name: str, *, clock: Clock) -> None:
        self._name = name
        self._clock = clock
        self._sides = (
            _Side(unit, name, 715, ours="ControllerHb", theirs="DERHb", modulus=0xFFFFFFFF),
            _Side(unit, name, 802, ours="CtrlHb", theirs="Hb", modulus=0xFFFF),
        )
        self._asked_s = self._next_s = float("-inf")
        self._local = False

    @property
    def local(self) -> bool:
        """Whether somebody at the device has taken command."""
        return self._local

    @property
    def alive(self) -> bool:
        """False while one of its heartbeats stands still."""
        now_s = self._clock.monotonic()
        return not any(side.stuck(now_s) for side in self._sides)

    def require(self) -> None:
        """The control loop wants something of the device just now.

        Raises:
            LocalControlError: somebody at the device has taken command.
        """
        self._asked_s = self._clock.monotonic()
        if self._local:
            raise LocalControlError(f"{self._name} is under local control: release it there")

    async def poll(self) -> bool:
        """Once a second at most: look who is in command, look at their heartbeat, count ours.

        Returns whether command has just been given back. Raises: as `SunSpecUnit.read`.
        """
        now_s = self._clock.monotonic()
        if now_s < self._next_s:
            return False
        self._next_s = now_s + _PERIOD_S
        driven = now_s - self._asked_s <= PATIENCE_S
        for side in self._sides:
            await side.poll(now_s, beat=driven and not self._local)
        local = any(side.local for side in self._sides)
        if local is not self._local:
            _log.warning("local control", device=self._name, taken=local)
        given_back = self._local and not local
        self._local = local
        return given_back


class _Side:
    """One of the two models; `modulus` keeps our count off "not implemented"."""

    def __init__(
        self, unit: SunSpecUnit, name: str, model_id: int, *, ours: str, theirs: str, modulus: int
    ) -> None:
        self._unit = unit
        self._name = name
        self._ours, self._theirs = ours, theirs
        self._modulus = modulus
        self._codecs: Codecs = {model_id: ModelCodec(model_id, ("LocRemCtl", ours, theirs))}
        self._takes = False
        self._refused_s = float("-inf")
        self._count: float | None = None
        self._counted_s: float | None = None
        self._interval_s: float | None = None
        self.local = False

    def stuck(self, now_s: float) -> bool:
        """Whether their heartbeat has been seen to count, and stands still now."""
        if self._counted_s is None or self._interval_s is None:
            return False
        return now_s - self._counted_s > max(STUCK_S, _SLOW * self._interval_s)

    async def poll(self, now_s: float, *, beat: bool) -> None:
        if not await self._unit.has(self._codecs):
            self.local = self._takes = False
            self._count = self._counted_s = self._interval_s = None
            return
        if beat and self._takes and now_s - self._refused_s >= REFUSED_S:
            self._note(await self._beat(now_s), now_s)
        else:
            self._note((await self._unit.read(self._codecs, Priority.SLOW)).values, now_s)

    async def _beat(self, now_s: float) -> Values:
        """One more than what is there, so that a restart of ours goes on counting."""

        def count_on(before: Read) -> dict[str, float]:
            return {self._ours: ((before.values[self._ours] or 0.0) + 1.0) % self._modulus}

        try:
            return (await self._unit.poke(self._codecs, count_on, Priority.FAST)).values
        except PermanentError as error:
            self._refused_s = now_s
            _log.warning("no heartbeat taken", device=self._name, why=str(error))
            return (await self._unit.read(self._codecs, Priority.SLOW)).values

    def _note(self, values: Values, now_s: float) -> None:
        self.local = values["LocRemCtl"] == _LOCAL
        self._takes = values[self._ours] is not None
        count = values[self._theirs]
        if count is None:
            self._counted_s = self._interval_s = None
        elif self._count is not None and count != self._count:
            before_s, self._counted_s = self._counted_s, now_s
            self._interval_s = None if before_s is None else now_s - before_s
        self._count = count
