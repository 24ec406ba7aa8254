"""One M-Bus: one readout at a time, and never a stale answer.

Frames carry no number, so a late answer cannot be told from the one awaited. The *dirty guard*: a
readout that did not end well leaves the way closed; the next one opens it anew and stays silent for
one timeout first, because the bus outlives the socket.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from dataclasses import dataclass

import structlog

from contracts.errors import LinkDownError, ProtocolError, TransientError
from contracts.time import Clock
from site_agent.devices.mbus import frame, records
from site_agent.devices.mbus.frame import Response
from site_agent.devices.mbus.records import Telegram
from site_agent.devices.modbus.rest import Rest
from site_agent.devices.streams import ByteStream, Place, open_stream

MOST_TELEGRAMS = 16
"""Of one readout; a meter that has more is in a loop."""
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkSettings:
    """Where a bus is and how patiently it is used."""

    place: Place
    timeout_s: float = 2.0
    """Bounds each answer as a whole: at 2400 Bd the longest telegram takes 1.2 s."""
    attempts: int = 2
    """Readouts tried before a meter counts as silent; a silent one gets one at a time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MeterAddress:
    """A meter on a bus, by one of the two."""

    primary: int | None = None
    """1 to 250; 254 where there is one meter only."""
    secondary: str | None = None
    """As `frame.select` takes it."""

    def __str__(self) -> str:
        return self.secondary or str(self.primary)


class MBusLink:
    """All meters of one bus share one of these.

    A meter that does not answer rests for 5 s, 10 s, ... 60 s, so that it cannot stall the others.
    A readout that is cancelled leaves the link dirty, which the next one mends.
    """

    def __init__(self, settings: LinkSettings, clock: Clock) -> None:
        self.settings = settings
        self._clock = clock
        self._lock = asyncio.Lock()
        self._stream: ByteStream | None = None
        self._dirty = False
        self._silent: set[MeterAddress] = set()
        self._rests: defaultdict[MeterAddress, Rest] = defaultdict(
            lambda: Rest(clock, step_s=5.0, cap_s=60.0)
        )

    async def read(self, meter: MeterAddress) -> tuple[Telegram, ...]:
        """Everything a meter shows.

        Raises:
            LinkDownError: the bus cannot be reached.
            TransientError: no answer in time, or the meter is resting.
            ProtocolError: nonsense, or an answer of another meter.
        """
        async with self._lock:
            rest = self._rests[meter]
            if rest.remaining_s():
                raise TransientError(f"meter {meter} rests for {rest.remaining_s():.0f} s")
            try:
                answers = await self._attempts(meter)
            except LinkDownError:  # the meter cannot help it, and nobody is held up by it
                raise
            except (TransientError, ProtocolError):
                rest.failed()
                self._silent.add(meter)
                raise
            rest.worked()
            self._silent.discard(meter)
            return answers

    def close(self) -> None:
        """Let go of the bus; the next readout opens it again."""
        if self._stream is not None:
            self._stream.close()
            self._stream = None

    async def _attempts(self, meter: MeterAddress) -> tuple[Telegram, ...]:
        attempts = 1 if meter in self._silent else self.settings.attempts
        for left in reversed(range(attempts)):
            try:
                return await self._readout(meter)
            except (TransientError, ProtocolError) as error:
                if not left:
                    raise
                _log.debug("m-bus readout tried again", meter=str(meter), why=str(error))
        raise ValueError("attempts: at least 1")

    async def _readout(self, meter: MeterAddress) -> tuple[Telegram, ...]:
        """One readout from the first telegram to the last; whatever goes wrong leaves it dirty."""
        stream = await self._ready()
        self._dirty = True
        address = await self._begin(stream, meter)
        telegrams: list[Telegram] = []
        while not telegrams or telegrams[-1].more:
            if len(telegrams) == MOST_TELEGRAMS:
                raise ProtocolError(f"meter {meter} has more than {MOST_TELEGRAMS} telegrams")
            question = frame.request(address, count_bit=not len(telegrams) % 2)
            answer = await self._ask(stream, meter, question)
            if answer is None:
                raise ProtocolError(f"meter {meter} has no data")
            telegrams.append(await _decoded(meter, address, answer))
        self._dirty = False
        return tuple(telegrams)

    async def _begin(self, stream: ByteStream, meter: MeterAddress) -> int:
        """Make the meter begin with its first telegram; the primary address to ask it by."""
        if meter.secondary is not None:
            address, question = frame.SELECTED, frame.select(meter.secondary)
        elif meter.primary is not None:
            address, question = meter.primary, frame.reset(meter.primary)
        else:
            raise ValueError("a meter without an address")
        if await self._ask(stream, meter, question) is not None:
            raise ProtocolError(f"meter {meter} answered without being asked")
        return address

    async def _ask(
        self, stream: ByteStream, meter: MeterAddress, question: bytes
    ) -> Response | None:
        stream.send(question)
        try:
            async with asyncio.timeout(self.settings.timeout_s):
                return await frame.read(stream)
        except TimeoutError as error:
            raise TransientError(f"meter {meter} does not answer") from error

    async def _ready(self) -> ByteStream:
        """A way without an answer still on it."""
        if self._dirty or self._stream is None:
            self.close()
            self._stream = await open_stream(self.settings.place, self.settings.timeout_s)
            if self._dirty:
                await self._silence(self._stream)
        return self._stream

    async def _silence(self, stream: ByteStream) -> None:
        """Let an answer that is still on the bus run into the void."""
        try:
            async with asyncio.timeout(self.settings.timeout_s):
                while True:
                    await stream.read_exactly(1)
        except TimeoutError:
            return


async def _decoded(meter: MeterAddress, address: int, answer: Response) -> Telegram:
    """The telegram, if it is this meter's. Decoding takes milliseconds: off the loop."""
    telegram = await asyncio.to_thread(records.decode, answer)
    if meter.secondary is not None:
        if not _matches(meter.secondary.upper(), telegram.address):
            raise ProtocolError(f"meter {meter} was asked, {telegram.address} answered")
    elif address not in (answer.address, frame.ANY):
        raise ProtocolError(f"meter {meter} was asked, {answer.address} answered")
    return telegram


def _matches(pattern: str, address: str) -> bool:
    """Whether a secondary address fits; F in the identification and FF behind it mean any."""
    number = all(p in ("F", a) for p, a in zip(pattern[:8], address[:8], strict=True))
    rest = zip(_pairs(pattern[8:]), _pairs(address[8:]), strict=False)
    return number and all(p in ("FF", a) for p, a in rest)


def _pairs(text: str) -> list[str]:
    return [text[place : place + 2] for place in range(0, len(text), 2)]
