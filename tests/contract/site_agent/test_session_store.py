"""One suite for the store of charging sessions: SQLite on a file, and the in-memory twin."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from contracts.reading import Quality
from contracts.site_link import points
from contracts.site_link.messages import Measurement
from site_agent.domain.session import (
    END_UNKNOWN,
    FELL,
    PRESUMED,
    START_UNKNOWN,
    ChargingSession,
    MeterSample,
)
from site_agent.ports import Outbox, SessionStore
from site_agent.store.memory import MemoryOutbox, MemorySessions
from site_agent.store.sqlite import open_store

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
EVER = (NOON - timedelta(days=365), NOON + timedelta(days=365))


@dataclass
class Stores:
    sessions: SessionStore
    outbox: Outbox

    async def told(self) -> list[tuple[str, datetime, float | None]]:
        """What goes to the gateway."""
        rows = [numbered.row for numbered in await self.outbox.unsent(0, 1000)]
        return [(r.point, r.at, r.value) for r in rows if isinstance(r, Measurement)]

    async def only(self) -> ChargingSession:
        (session,) = await self.sessions.sessions(*EVER)
        return session


@pytest.fixture(params=["sqlite", "memory"])
def stores(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Stores]:
    if request.param == "memory":
        outbox = MemoryOutbox()
        yield Stores(MemorySessions(outbox), outbox)
        return
    store = open_store(tmp_path / "site.db", NOON)
    yield Stores(store.sessions, store.outbox)
    store.close()


def after(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def sample(seconds: float, register_wh: float | None = None, **values: float) -> MeterSample:
    return MeterSample(at=after(seconds), register_wh=register_wh, **values)


class TestTransactions:
    async def test_a_transaction_is_open_until_it_stops(self, stores: Stores) -> None:
        first = await stores.sessions.start("a", "tag", NOON, 10.0, None)
        running = await stores.sessions.running("a")
        assert running is not None
        assert (running.transaction_id, running.id_tag) == (first, "tag")
        assert await stores.sessions.running("b") is None
        await stores.sessions.stop(first, after(60), 20.0, "Local")
        assert await stores.sessions.running("a") is None
        await stores.sessions.stop(first, after(90), 21.0, "again")
        session = await stores.only()
        assert (session.ended_at, session.reason) == (after(60), "Local")
        assert session.energy.energy_wh == 10.0

    async def test_ids_are_never_given_twice(self, stores: Stores) -> None:
        first = await stores.sessions.start("a", None, NOON, 0.0, None)
        await stores.sessions.stop(first, NOON, 0.0, "Local")
        second = await stores.sessions.start("a", None, NOON, 0.0, None)
        assert second > first

    async def test_the_chargers_own_id_names_one_transaction(self, stores: Stores) -> None:
        first = await stores.sessions.start("a", "tag", NOON, 0.0, "remote-1")
        assert await stores.sessions.start("a", "tag", NOON, 0.0, "remote-1") == first
        assert await stores.sessions.start("b", "tag", NOON, 0.0, "remote-1") != first

    async def test_the_newest_open_one_counts(self, stores: Stores) -> None:
        await stores.sessions.start("a", "old", NOON, 0.0, None)
        newest = await stores.sessions.start("a", "new", NOON, 0.0, None)
        running = await stores.sessions.running("a")
        assert running is not None
        assert (running.transaction_id, running.id_tag) == (newest, "new")

    async def test_a_session_has_its_record(self, stores: Stores) -> None:
        number = await stores.sessions.start("a", "tag", NOON, 1234.5, None)
        running = await stores.sessions.running("a")
        assert running is not None
        assert (running.start_wh, running.ref, running.ended_at) == (1234.5, str(number), None)
        await stores.sessions.stop(number, after(60), 2000.0, "Local")
        session = await stores.only()
        assert session.energy.energy_wh == 765.5
        assert (session.energy.quality, session.energy.remarks) == (Quality.GOOD, ())
        assert (session.ended_at, session.reason, session.id_tag) == (after(60), "Local", "tag")
        assert await stores.sessions.running("a") is None

    async def test_sessions_are_found_by_when_they_ran(self, stores: Stores) -> None:
        first = await stores.sessions.start("a", None, after(0), 0.0, None)
        await stores.sessions.stop(first, after(100), 5.0, "Local")
        second = await stores.sessions.start("a", None, after(100), 5.0, None)

        async def ran(since_s: float, until_s: float) -> list[int]:
            found = await stores.sessions.sessions(after(since_s), after(until_s))
            return [session.transaction_id for session in found]

        assert await ran(-50, 0) == []
        assert await ran(-50, 1) == [first]
        assert await ran(99, 101) == [first, second]
        assert await ran(100, 1000) == [second]

    async def test_an_id_given_by_somebody_else_is_found_and_never_given(
        self, stores: Stores
    ) -> None:
        probe = await stores.sessions.start("a", None, NOON, 0.0, None)
        theirs = str(probe + 2)
        number = await stores.sessions.start("b", None, NOON, None, theirs, ref=theirs)
        found = await stores.sessions.find("b", theirs)
        assert found is not None
        assert (found.transaction_id, found.ref) == (number, theirs)
        assert await stores.sessions.find("a", theirs) is None
        later = [await stores.sessions.start("a", None, NOON, 0.0, None) for _ in range(3)]
        assert theirs not in map(str, later)
        assert len({probe, number, *later}) == 5

    async def test_a_huge_id_of_somebody_else_does_not_move_ours(self, stores: Stores) -> None:
        first = await stores.sessions.start("a", None, NOON, 0.0, None)
        huge = str(2**31 - 1)
        await stores.sessions.start("b", None, NOON, None, huge, ref=huge)
        assert first < await stores.sessions.start("a", None, NOON, 0.0, None) <= first + 3

    async def test_a_presumed_end_gives_way_to_the_chargers_word(self, stores: Stores) -> None:
        number = await stores.sessions.start("a", None, NOON, 100.0, None)
        await stores.sessions.start("b", None, NOON, 5.0, None)
        await stores.sessions.start("a", None, after(500), 900.0, None)
        presumed, elsewhere, _ = await stores.sessions.sessions(*EVER)
        assert elsewhere.ended_at is None
        assert (presumed.energy.energy_wh, presumed.energy.quality) == (800, Quality.ESTIMATED)
        assert presumed.energy.remarks == (END_UNKNOWN,)
        assert (presumed.ended_at, presumed.reason) == (after(500), PRESUMED)
        await stores.sessions.stop(number, after(300), 700.0, "Local")
        await stores.sessions.start("a", None, after(600), 950.0, None)
        told, *_ = await stores.sessions.sessions(*EVER)
        assert (told.energy.energy_wh, told.energy.quality) == (600, Quality.GOOD)
        assert (told.ended_at, told.reason) == (after(300), "Local")

    async def test_a_start_that_is_known_ends_nothing(self, stores: Stores) -> None:
        first = await stores.sessions.start("a", None, NOON, 100.0, "one")
        second = await stores.sessions.start("a", None, after(10), 200.0, "two")
        assert await stores.sessions.start("a", None, NOON, 100.0, "one") == first
        running = await stores.sessions.running("a")
        assert running is not None
        assert running.transaction_id == second

    async def test_a_record_of_the_past_ends_nothing(self, stores: Stores) -> None:
        first = await stores.sessions.start("a", None, NOON, 100.0, "one")
        past = await stores.sessions.start("a", None, NOON, None, "x", ref="x", alone=False)
        await stores.sessions.stop(past, NOON, 5.0, "Local")
        running = await stores.sessions.running("a")
        assert running is not None
        assert running.transaction_id == first

    async def test_a_start_told_after_its_end_completes_the_record(self, stores: Stores) -> None:
        number = await stores.sessions.start("a", None, after(90), None, "tx", ref="tx")
        await stores.sessions.stop(number, after(90), 700.0, "Local")
        assert (await stores.only()).energy.energy_wh is None
        assert await stores.sessions.start("a", "tag", NOON, 100.0, "tx", ref="tx") == number
        session = await stores.only()
        assert (session.energy.energy_wh, session.energy.quality) == (600, Quality.GOOD)
        assert (session.started_at, session.id_tag, session.ended_at) == (NOON, "tag", after(90))


class TestSamples:
    async def test_energy_of_a_running_session_is_that_so_far(self, stores: Stores) -> None:
        number = await stores.sessions.start("a", None, NOON, 100.0, None)
        stores.sessions.sampled("a", number, [sample(10, 150.0), sample(20, 180.0)])
        assert (await stores.only()).energy.energy_wh == 80

    @pytest.mark.row("personality:replays-late")
    @pytest.mark.row("safety:S5")
    async def test_a_sample_lands_once_however_often_it_is_told(self, stores: Stores) -> None:
        number = await stores.sessions.start("a", None, NOON, 100.0, None)
        stores.sessions.sampled("a", number, [sample(10, 150.0, power_w=7000.0)])
        again = [sample(10, 999.0, power_w=1.0), sample(50, 200.0, power_w=6000.0)]
        assert await stores.sessions.sampled_late("a", number, again) == 1
        assert await stores.sessions.sampled_late("a", number, again) == 0
        assert (await stores.only()).energy.energy_wh == 100
        assert await stores.told() == [(points.evse_power_w("a"), after(50), 6000.0)]

    async def test_a_second_message_of_one_instant_adds_what_the_first_lacked(
        self, stores: Stores
    ) -> None:
        number = await stores.sessions.start("a", None, NOON, 100.0, None)
        stores.sessions.sampled("a", number, [sample(10, power_w=7000.0)])
        stores.sessions.sampled("a", number, [sample(10, 160.0)])
        assert (await stores.only()).energy.energy_wh == 60

    @pytest.mark.row("safety:S5")
    async def test_the_gateway_hears_late_only_of_what_it_could_not_know(
        self, stores: Stores
    ) -> None:
        number = await stores.sessions.start("a", None, NOON, 100.0, None)
        stores.sessions.sampled("a", number, [sample(0, power_w=5000.0)])
        late = [sample(s, power_w=6000.0) for s in (29, 31, 60)] + [sample(70, 160.0)]
        assert await stores.sessions.sampled_late("a", number, late) == 4
        told = [at for _, at, _ in await stores.told()]
        assert told == [after(31), after(60)]
        assert await stores.sessions.sampled_late("a", 0, [sample(90, power_w=1.0)]) == 1
        assert len(await stores.told()) == 2  # of no transaction: kept, but no news

    async def test_the_gateway_hears_by_our_clock(self, stores: Stores) -> None:
        number = await stores.sessions.start("a", None, NOON, 100.0, None)
        behind = timedelta(hours=1)
        await stores.sessions.sampled_late("a", number, [sample(60, power_w=6000.0)], behind)
        assert await stores.told() == [(points.evse_power_w("a"), after(3660), 6000.0)]

    async def test_a_late_register_settles_a_session_that_is_over(self, stores: Stores) -> None:
        number = await stores.sessions.start("a", None, NOON, None, "tx", ref="tx")
        await stores.sessions.stop(number, after(100), 700.0, "Local")
        assert (await stores.only()).energy.quality is Quality.OFFLINE
        await stores.sessions.sampled_late("a", number, [sample(50, 300.0), sample(20, 200.0)])
        session = await stores.only()
        assert session.energy.energy_wh == 500
        assert session.energy.remarks == (START_UNKNOWN,)

    async def test_registers_count_in_the_order_of_their_time(self, stores: Stores) -> None:
        number = await stores.sessions.start("a", None, NOON, 300.0, None)
        await stores.sessions.stop(number, after(100), 480.0, "Local")
        await stores.sessions.sampled_late("a", number, [sample(60, 460.0), sample(40, 376.0)])
        assert (await stores.only()).energy.energy_wh == 180
        assert (await stores.only()).energy.quality is Quality.GOOD

    async def test_a_register_that_begins_anew_is_said(self, stores: Stores) -> None:
        number = await stores.sessions.start("a", None, NOON, 10_000.0, None)
        stores.sessions.sampled("a", number, [sample(10, 14_000.0), sample(20, 500.0)])
        await stores.sessions.stop(number, after(100), 2_000.0, "Local")
        session = await stores.only()
        assert session.energy.energy_wh == 6_000
        assert session.energy.remarks == (FELL,)
