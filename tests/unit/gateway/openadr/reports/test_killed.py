"""Killed at any write, and restarted: nothing is lost, nothing is told twice."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import pytest

from contracts.openadr.payloads import Report
from support.openadr import START, DictMemory
from support.openadr_reports import STATUS, TEN, ZERO, Reporter, request

DEPOT = "site/depot-1/status"
STEP_S = 10


class Killed(BaseException):
    """The process is gone."""


class MortalMemory(DictMemory):
    """Dies before or after the n-th write."""

    def __init__(self, at: int, *, written: bool) -> None:
        super().__init__()
        self.at = at
        self.written = written
        self.writes = 0

    async def save(self, utility_id: str, kind: str, key: str, document: object) -> None:
        if self._dies() and not self.written:
            raise Killed
        await super().save(utility_id, kind, key, document)
        if self.writes == self.at:
            raise Killed

    async def forget(self, utility_id: str, kind: str, key: str) -> None:
        if self._dies() and not self.written:
            raise Killed
        await super().forget(utility_id, kind, key)
        if self.writes == self.at:
            raise Killed

    def _dies(self) -> bool:
        self.writes += 1
        return self.writes == self.at


async def story(reporter: Reporter, from_s: int) -> None:
    """Two minutes; the VTN is down for half a minute in the middle."""
    for second in range(from_s, 121, STEP_S):
        reporter.vtn.up = not 40 <= second < 70
        await reporter.clock.advance((START - reporter.clock.now()).total_seconds() + second)
        for _ in range(2):
            await reporter.reporting.send_due("ven")
            await reporter.flush()


async def ask_all(reporter: Reporter) -> None:
    """As a VTN does that repeats what was not answered."""
    await reporter.ask(request("a", start=START))
    await reporter.ask(request("b", start=START, duration=6 * TEN, back=3 * TEN))
    await reporter.ask(request("once", start=START + TEN, back=ZERO))
    await reporter.ask(request("change", granularity=ZERO, start=START))
    await reporter.ask(request("s", DEPOT, specifier=STATUS, start=START, back=TEN))


async def run(at: int, *, written: bool) -> tuple[Reporter, bool]:
    """The story, killed at one write and taken up again three seconds later."""
    memory = MortalMemory(at, written=written)
    first = Reporter(memory)
    try:
        await ask_all(first)
        await story(first, 0)
    except Killed:
        now = first.clock.now()
        successor = await first.restarted(now + timedelta(seconds=3))
        if now < START + TEN:
            await ask_all(successor)
        await story(successor, int((now - START).total_seconds()) + STEP_S)
        return successor, True
    return first, False


async def test_the_story_without_a_death() -> None:
    reporter, died = await run(0, written=True)
    assert not died
    vtn = reporter.vtn
    assert vtn.starts("a") == [10.0 * n for n in range(10)]
    assert vtn.starts("b") == [10.0 * n for n in range(6)]
    assert vtn.starts("once") == [0.0]
    assert vtn.starts("change") == [0.0]
    assert vtn.starts("s") == [10.0 * n for n in range(12)]


@pytest.mark.parametrize("written", [False, True], ids=["before the write", "after the write"])
async def test_at_every_write(written: bool) -> None:
    at, died = 1, True
    while died:
        reporter, died = await run(at, written=written)
        vtn = reporter.vtn
        whole: dict[str, list[float]] = {
            "a": [10.0 * n for n in range(10)],
            "b": [10.0 * n for n in range(6)],
            "once": [0.0],
        }
        for key, starts in whole.items():
            told = list(dict.fromkeys(r.report_id for r in vtn.of(key)))
            assert vtn_once(vtn.of(key)) == starts, f"{key} killed at write {at}"
            assert len(told) >= len(vtn.of(key)) - 1, "at most the one message in flight again"
        changed = vtn_once(vtn.of("change"))
        assert changed == [0.0], f"killed at write {at}"
        seen = vtn_once(vtn.of("s"))
        assert seen == sorted(set(seen)), f"killed at write {at}"
        assert len(seen) >= 9, f"at most the status of the time we were dead: {seen}, write {at}"
        at += 1
    assert at > 40, "the story has many writes"


def vtn_once(reports: Sequence[Report]) -> list[float]:
    """Starts of intervals; a message sent again as it was (same reportID) counts once."""
    known: dict[str | None, Report] = {}
    for report in reports:
        if report.report_id in known:
            assert known[report.report_id].intervals == report.intervals
        known[report.report_id] = report
    return [
        (i.start - START).total_seconds()
        for report in known.values()
        for i in report.intervals
        if i.start is not None
    ]
