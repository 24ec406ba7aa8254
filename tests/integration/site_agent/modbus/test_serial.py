"""What is particular to a serial line: silence, one master, and devices that are none."""

from __future__ import annotations

import asyncio
import fcntl
import os
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from contracts.clock import SystemClock
from contracts.errors import LinkDownError, TransientError
from site_agent.devices.modbus.link import LinkSettings, RegisterLink
from site_agent.devices.modbus.settings import SerialLine
from support.manual_clock import ManualClock
from support.modbus_link import running
from support.raw_modbus import Peer, Request, Wire, held_back, serving


class ListeningClock(ManualClock):
    """Tells of each silence, in the middle of it."""

    def __init__(self) -> None:
        super().__init__()
        self.silences_s: list[float] = []
        self.during: list[bytes] = []
        self.writer: asyncio.StreamWriter | None = None

    async def sleep(self, seconds: float) -> None:
        self.silences_s.append(seconds)
        if self.writer is not None and self.during:
            self.writer.write(self.during.pop(0))
        await super().sleep(seconds)


@pytest.fixture
async def line() -> AsyncIterator[Peer]:
    peer = Peer(Wire.SERIAL)
    async with serving(peer):
        yield peer


@pytest.mark.row("trap:M1")
@pytest.mark.row("trap:M6")
async def test_after_a_missing_answer_the_bus_is_silent_and_flushed(line: Peer) -> None:
    clock = ListeningClock()
    settings = line.settings(timeout_s=0.2)
    async with running(settings, clock) as link:
        assert await link.read_holding(1, 1, 1) == (1,)
        between_s = settings.silence_s
        assert clock.silences_s == [0.2, between_s], "somebody before us may have asked"
        late: list[Request] = []
        line.script = [held_back(late)]
        with pytest.raises(TransientError, match="no answer"):
            await link.read_holding(1, 1000, 2)
        clock.writer, clock.during = line.writers[0], [late[0].frame(late[0].right())]
        assert await link.read_holding(1, 2000, 2) == (2000, 2001)
        assert clock.silences_s == [0.2, between_s, between_s, 0.2, between_s]
        assert await link.read_holding(1, 3000, 2) == (3000, 3001)


@pytest.mark.row("trap:M6")
async def test_half_of_a_late_answer_does_not_spoil_the_next(line: Peer) -> None:
    clock = ListeningClock()
    async with running(line.settings(), clock) as link:
        late: list[Request] = []
        line.script = [held_back(late)]
        with pytest.raises(TransientError):
            await link.read_holding(1, 1000, 2)
        clock.writer, clock.during = line.writers[0], [late[0].frame(late[0].right())[:5]]
        assert await link.read_holding(1, 2000, 2) == (2000, 2001)


@pytest.mark.row("trap:S14")
async def test_a_line_has_one_master(line: Peer) -> None:
    other = os.open(line.device, os.O_RDWR | os.O_NOCTTY)
    fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
    clock = ManualClock()
    async with running(line.settings(), clock) as link:
        with pytest.raises(LinkDownError):
            await link.read_holding(1, 1, 1)
        os.close(other)
        assert await link.read_holding(1, 1, 1) == (1,)
        async with running(line.settings()) as second:
            with pytest.raises(LinkDownError):
                await second.read_holding(1, 1, 1)
        assert await link.read_holding(1, 2, 1) == (2,)


@pytest.mark.parametrize("device", ["/dev/null", "/dev/does-not-exist", "/"])
async def test_what_is_no_serial_device_is_a_link_that_is_down(device: str) -> None:
    async with running(LinkSettings(serial=SerialLine(device=device))) as link:
        with pytest.raises(LinkDownError):
            await link.read_holding(1, 1, 1)


async def test_a_file_is_not_a_serial_device(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    settings = LinkSettings(serial=SerialLine(device=str(tmp_path / "file")))
    async with running(settings) as link:
        with pytest.raises(LinkDownError):
            await link.read_holding(1, 1, 1)


def test_frames_are_parted_by_three_and_a_half_characters() -> None:
    slow, fast = SerialLine(device="/dev/a", baud=9600), SerialLine(device="/dev/a", baud=115200)
    assert slow.silence_s == pytest.approx(0.0040, abs=1e-4)
    assert fast.silence_s == 0.00175
    patient = LinkSettings(serial=fast, pace_s=0.05)
    assert patient.silence_s == 0.05
    assert replace(patient, pace_s=0.0).silence_s == 0.00175


async def test_stopping_before_the_line_is_set_up(line: Peer) -> None:
    link = RegisterLink(line.settings(), SystemClock())
    async with asyncio.TaskGroup() as tasks:
        serving = tasks.create_task(link.run())
        reading = tasks.create_task(_fails(link))
        await SystemClock().sleep(0)
        serving.cancel()
    assert reading.result()


async def _fails(link: RegisterLink) -> bool:
    with pytest.raises(LinkDownError):
        await link.read_holding(1, 1, 1)
    return True
