"""Which charging sessions are told to the gateway, when, and as whose."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from contracts.reading import Quality
from contracts.site_link.codec import decode_row, encode_row
from contracts.site_link.sessions import EndedSession
from contracts.testing import FakeClock
from site_agent.domain.fleet.identity import Identity, Presented
from site_agent.domain.fleet.need import VehicleNeed
from site_agent.flows.report.ended_sessions import TOLD_KEY, EndedSessions
from site_agent.store.memory import MemoryKeyValues, MemoryOutbox, MemorySessions
from support.site import need

MINUTE = timedelta(minutes=1)


class Bench:
    def __init__(self) -> None:
        self.clock = FakeClock()
        self.outbox = MemoryOutbox()
        self.sessions = MemorySessions(self.outbox)
        self.memory = MemoryKeyValues()
        self.here: list[VehicleNeed] = []
        self.taken = True
        self.flow = self.restarted()

    def restarted(self) -> EndedSessions:
        return EndedSessions(
            store=self.sessions,
            outbox=self.outbox,
            memory=self.memory,
            needs=lambda: self.here,
            identify=lambda shown, _: Identity(vehicle={"tag-7": "van-7"}.get(shown.token or "")),
            taken=lambda: self.taken,
            clock=self.clock,
        )

    async def charged(self, tag: str | None = "tag-7", wh: float = 9_000.0) -> int:
        """A session of an hour that has just ended."""
        start = self.clock.now() - 60 * MINUTE
        number = await self.sessions.start("evse-1", tag, start, 1_000.0, f"r{start}{tag}")
        await self.sessions.stop(number, self.clock.now(), 1_000.0 + wh, "EVDisconnected")
        return number

    def told(self) -> list[EndedSession]:
        return [one.row for one in self.outbox.rows if isinstance(one.row, EndedSession)]


@pytest.fixture
def bench() -> Bench:
    return Bench()


async def test_a_session_that_is_over_is_told_once(bench: Bench) -> None:
    number = await bench.charged()
    await bench.flow.look()
    await bench.flow.look()
    [row] = bench.told()
    assert row.session_id == f"{bench.outbox.epoch}-{number}"
    assert (row.evse_id, row.vehicle_id, row.energy_wh) == ("evse-1", "van-7", 9_000.0)
    assert (row.ended_at - row.started_at, row.quality) == (60 * MINUTE, Quality.GOOD)
    assert row.reason == "EVDisconnected"
    assert decode_row(1, encode_row(row)).row == row


async def test_one_that_runs_is_not_told(bench: Bench) -> None:
    await bench.sessions.start("evse-1", "tag-7", bench.clock.now(), 0.0, "r1")
    await bench.flow.look()
    assert bench.told() == []


async def test_a_restart_tells_nothing_again_and_loses_nothing(bench: Bench) -> None:
    await bench.charged()
    await bench.flow.look()
    await bench.charged(tag="tag-8")
    await bench.restarted().look()
    assert [row.vehicle_id for row in bench.told()] == ["van-7", ""]


async def test_an_older_gateway_is_told_nothing_and_a_newer_one_everything(bench: Bench) -> None:
    bench.taken = False
    await bench.charged()
    await bench.flow.look()
    assert bench.told() == []
    bench.taken = True
    await bench.flow.look()
    assert len(bench.told()) == 1


async def test_an_end_that_a_charger_tells_late_replaces_the_presumed_one(bench: Bench) -> None:
    start = bench.clock.now() - 60 * MINUTE
    number = await bench.sessions.start("evse-1", None, start, 1_000.0, "r1")
    await bench.sessions.start("evse-1", None, bench.clock.now(), 5_000.0, "r2")
    await bench.flow.look()
    await bench.sessions.stop(number, start + 30 * MINUTE, 5_000.0, "Local")
    await bench.flow.look()
    presumed, told = bench.told()
    assert presumed.session_id == told.session_id
    assert (presumed.quality, told.quality) == (Quality.ESTIMATED, Quality.GOOD)
    assert told.ended_at == start + 30 * MINUTE


async def test_who_was_seen_at_the_plug_counts_more_than_the_card(bench: Bench) -> None:
    number = await bench.sessions.start("evse-1", "tag-7", bench.clock.now(), 0.0, "r1")
    bench.here = [replace(need("evse-1"), vehicle_id="truck-3")]
    await bench.flow.look()
    bench.here = []
    await bench.sessions.stop(number, bench.clock.now() + MINUTE, 500.0, "Local")
    await bench.flow.look()
    assert [row.vehicle_id for row in bench.told()] == ["truck-3"]


async def test_a_note_that_cannot_be_read_tells_all_again(bench: Bench) -> None:
    await bench.charged()
    await bench.flow.look()
    await bench.memory.put(TOLD_KEY, "{not json")
    await bench.restarted().look()
    assert len(bench.told()) == 2
    assert bench.told()[0].session_id == bench.told()[1].session_id


async def test_a_wrong_clock_of_a_charger_is_left_out(bench: Bench) -> None:
    now = bench.clock.now()
    number = await bench.sessions.start("evse-1", None, now, 0.0, "r1")
    await bench.sessions.stop(number, now - MINUTE, 10.0, "Local")
    await bench.flow.look()
    assert bench.told() == []


def test_a_card_is_no_part_of_what_is_told() -> None:
    shown = Presented(token="secret-tag")
    assert "secret-tag" not in repr(shown)
    assert {"id_tag", "token"} & set(EndedSession.__slots__) == set()
