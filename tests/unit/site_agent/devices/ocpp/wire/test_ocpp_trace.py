from __future__ import annotations

from contracts.testing import FakeClock
from site_agent.devices.ocpp.wire.trace import LONGEST, Direction, Frame, Trace


def test_the_newest_frames_are_kept_in_order() -> None:
    clock, heard = FakeClock(), list[Frame]()
    trace = Trace(clock)
    trace.listeners.append(heard.append)
    for number in range(600):
        trace.note(Direction.IN, f"frame {number}")
    assert [frame.text for frame in trace.frames] == [f"frame {n}" for n in range(100, 600)]
    assert len(heard) == 600
    assert heard[-1] == trace.frames[-1] == Frame(clock.now(), Direction.IN, "frame 599")


def test_long_frames_are_cut_and_push_out_more_than_one() -> None:
    trace = Trace(FakeClock())
    for _ in range(100):
        trace.note(Direction.OUT, "x" * 100_000)
    assert {len(frame.text) for frame in trace.frames} == {LONGEST}
    assert all(frame.cut for frame in trace.frames)
    assert sum(len(frame.text) for frame in trace.frames) <= 256 * 1024
    trace.note(Direction.IN, b"\x00binary")
    assert trace.frames[-1].text == repr(b"\x00binary")
