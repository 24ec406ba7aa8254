"""A CAN bus by python-can, read in a thread of its own so that nothing holds up the event loop.

Of every frame only the newest is kept, and only of those somebody asked for: a flood costs the
thread's time and no memory.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import structlog

from contracts.errors import ConfigError, LinkDownError
from site_agent.devices.can.database import FrameId

try:
    import can
except ImportError as error:  # pragma: no cover - every development environment has it
    raise ConfigError('CAN needs packages more: pip install "gridyard[can]"') from error

_log = structlog.get_logger(__name__)
_POLL_S = 0.2
_SEND_S = 0.5
_JOIN_S = 5.0
_STANDARD_MASK, _EXTENDED_MASK = 0x7FF, 0x1FFFFFFF


@dataclass(frozen=True, slots=True, kw_only=True)
class BusSettings:
    """Where a bus is, in python-can's words."""

    interface: str = "socketcan"
    """`socketcan`, `slcan`, `virtual`, ... - the names of python-can's interfaces."""
    channel: str = "can0"
    bitrate: int | None = None
    """None where the system sets it, as with socketcan."""
    options: Mapping[str, str | int | float | bool] = field(default_factory=dict)
    """More of the interface's own."""


class CanBus:
    """An open bus; made by `open_bus`."""

    def __init__(self, bus: can.BusABC, mailbox: _Mailbox) -> None:
        self._bus = bus
        self._mailbox = mailbox

    async def newest(self) -> Mapping[FrameId, bytes]:
        """The newest of every frame that came since the last call; waits for one.

        Raises:
            LinkDownError: the bus has failed.
        """
        return await self._mailbox.collect()

    @property
    def ignored(self) -> int:
        """Frames nobody asked for, and those overtaken by a newer one."""
        return self._mailbox.ignored

    async def send(self, frame: FrameId, data: bytes) -> None:
        """Send a frame.

        Raises:
            LinkDownError: nobody takes it.
        """
        message = can.Message(arbitration_id=frame[0], is_extended_id=frame[1], data=data)
        try:
            await asyncio.to_thread(self._bus.send, message, _SEND_S)
        except (can.CanError, OSError, ValueError) as error:
            raise LinkDownError(f"cannot send on CAN: {error}") from error


def check(settings: BusSettings) -> None:
    """Raise ConfigError unless python-can knows the interface."""
    if settings.interface not in can.VALID_INTERFACES:
        known = ", ".join(sorted(can.VALID_INTERFACES))
        raise ConfigError(f"no CAN interface {settings.interface!r}; there are {known}")


@asynccontextmanager
async def open_bus(settings: BusSettings, wanted: frozenset[FrameId]) -> AsyncIterator[CanBus]:
    """A bus that keeps the frames that are wanted.

    Raises:
        LinkDownError: there is no such bus now.
    """
    opening = _Opening(settings, wanted)
    try:
        bus = await asyncio.to_thread(opening.open)
    except Exception as error:  # some forty interfaces, each with errors of its own
        raise LinkDownError(f"CAN bus {settings.channel}: {error}"[:300]) from error
    finally:
        opening.given_up = True  # a bus that opens after this is shut by its thread
    if bus is None:
        raise LinkDownError(f"CAN bus {settings.channel}: given up")
    mailbox = _Mailbox(wanted)
    notifier = can.Notifier(bus, [mailbox], timeout=_POLL_S)
    try:
        yield CanBus(bus, mailbox)
    finally:
        mailbox.close()
        await asyncio.shield(asyncio.to_thread(_shut, bus, notifier))


class _Opening:
    """Opens a bus in a thread; some interfaces take seconds."""

    def __init__(self, settings: BusSettings, wanted: frozenset[FrameId]) -> None:
        self._settings = settings
        self._wanted = wanted
        self.given_up = False

    def open(self) -> can.BusABC | None:
        settings = self._settings
        more: dict[str, Any] = {**settings.options}  # the interface's own
        if settings.bitrate is not None:
            more["bitrate"] = settings.bitrate
        bus = can.Bus(
            interface=settings.interface,
            channel=settings.channel,
            can_filters=[
                {
                    "can_id": number,
                    "can_mask": _EXTENDED_MASK if extended else _STANDARD_MASK,
                    "extended": extended,
                }
                for number, extended in sorted(self._wanted)
            ],
            **more,
        )
        if self.given_up:
            bus.shutdown()
            return None
        return bus


def _shut(bus: can.BusABC, notifier: can.Notifier) -> None:
    notifier.stop(_JOIN_S)
    try:
        bus.shutdown()
    except (can.CanError, OSError, ValueError) as error:
        _log.debug("CAN bus not shut down in order", why=str(error))
        line = getattr(bus, "serialPortOrig", None)  # slcan gives up before it closes this
        if line is not None:
            line.close()


class _Mailbox(can.Listener):
    """Filled by the bus's thread, emptied by the event loop."""

    def __init__(self, wanted: frozenset[FrameId]) -> None:
        self._wanted = wanted
        self._lock = threading.Lock()
        self._newest: dict[FrameId, bytes] = {}
        self._failed = ""
        self._rung = asyncio.Event()
        self._closing = threading.Event()
        # The only way from a thread into a loop.
        self._loop = asyncio.get_running_loop()  # noqa: TID251
        self.ignored = 0

    def on_message_received(self, msg: can.Message) -> None:
        """Keep a frame (called in the bus's thread)."""
        frame = (msg.arbitration_id, bool(msg.is_extended_id))
        odd = msg.is_error_frame or msg.is_remote_frame or msg.is_fd
        with self._lock:
            if odd or frame not in self._wanted:
                self.ignored += 1
                return
            self.ignored += frame in self._newest
            first = not self._newest
            self._newest[frame] = bytes(msg.data)
        if first:
            self._ring()

    def on_error(self, exc: Exception) -> None:
        """The bus has failed (called in its thread, which then waits to be stopped)."""
        self._failed = str(exc) or type(exc).__name__
        self._ring()
        self._closing.wait()

    async def collect(self) -> Mapping[FrameId, bytes]:
        """The newest frames; waits for one."""
        await self._rung.wait()
        self._rung.clear()
        if self._failed:
            raise LinkDownError(f"CAN bus failed: {self._failed}"[:300])
        with self._lock:
            newest, self._newest = self._newest, {}
        return newest

    def close(self) -> None:
        """Nobody collects any more."""
        self._closing.set()

    def _ring(self) -> None:
        if not self._closing.is_set():
            self._loop.call_soon_threadsafe(self._rung.set)
