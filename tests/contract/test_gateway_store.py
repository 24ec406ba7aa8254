"""One suite for every way to keep the gateway's data: a file, and memory."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlmodel import Session

from contracts.errors import ConfigError, PermanentError
from contracts.reading import Quality, Reading
from contracts.series import StepSeries
from contracts.site_link.messages import (
    Batch,
    Fallback,
    Instruction,
    InstructionState,
    InstructionStatus,
    InstructionStep,
    Measurement,
    Notice,
    NumberedRow,
    Row,
    Severity,
    VehicleReadiness,
)
from contracts.time import Interval
from gateway.domain.dispatch import AllocatedStep, DispatchPlan, SiteAllocation
from gateway.domain.event import GridEvent, Opt, OptDecision, Signal, SignalKind
from gateway.ports import JournalEntry, Ledger, TelemetryStore, UtilityMemory
from gateway.store.database import Database
from gateway.store.leader import leadership
from gateway.store.ledger import SqlLedger
from gateway.store.tables import METADATA
from gateway.store.telemetry import SqlTelemetry
from gateway.store.utility_memory import SqlUtilityMemory

T0 = datetime(2026, 3, 4, 12, tzinfo=UTC)
SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
WINDOW = Interval.lasting(T0, HOUR)
HOLD = timedelta(seconds=30)


@pytest.fixture(params=["file", "memory"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    kept = (
        Database.open(tmp_path / "gateway.db") if request.param == "file" else Database.in_memory()
    )
    yield kept
    kept.close()


@pytest.fixture
def ledger(database: Database) -> Ledger:
    return SqlLedger(database)


@pytest.fixture
def telemetry(database: Database) -> TelemetryStore:
    return SqlTelemetry(database, max_hold=HOLD)


@pytest.fixture
def memory(database: Database) -> UtilityMemory:
    return SqlUtilityMemory(database)


# --- the schema ----------------------------------------------------------------------------------


async def test_migrations_and_tables_say_the_same(database: Database) -> None:
    def differences(session: Session) -> list[object]:
        context = MigrationContext.configure(session.connection())
        return list(compare_metadata(context, METADATA))

    assert await database.read(differences) == []


async def test_a_file_that_is_no_database_is_a_clear_mistake(tmp_path: Path) -> None:
    path = tmp_path / "gateway.db"
    path.write_text("these are not the bytes you are looking for" * 50)
    with pytest.raises(ConfigError, match=r"gateway\.db: cannot be opened or upgraded"):
        Database.open(path)


async def test_a_database_of_a_newer_release_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "gateway.db"
    newer = Database.open(path)
    await newer.write(
        lambda s: s.connection().exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    )
    newer.close()
    with pytest.raises(ConfigError, match="9999"):
        Database.open(path)


def test_only_one_gateway_runs_on_a_data_folder(tmp_path: Path) -> None:
    with (
        leadership(tmp_path / "data"),
        pytest.raises(PermanentError, match=r"another gateway \(process \d+\) runs"),
        leadership(tmp_path / "data"),
    ):
        pass
    with leadership(tmp_path / "data"):
        pass


# --- events --------------------------------------------------------------------------------------


def grid_event(name: str = "e1", modification: int = 0, start: datetime = T0) -> GridEvent:
    window = Interval.lasting(start, HOUR)
    return GridEvent(
        utility_id="u1",
        event_id=name,
        modification=modification,
        program_id="p1",
        created_at=T0 - HOUR,
        window=window,
        signals=(Signal(kind=SignalKind.DELTA_W, series=StepSeries.of([(window, -5e3)])),),
        targets=("depot-1",),
        ramp_up=MINUTE,
        comment="naïve & <odd>",
    )


def opted(event: GridEvent, opt: Opt = Opt.IN) -> OptDecision:
    return OptDecision(
        event_key=event.key, modification=event.modification, opt=opt, cause="because"
    )


async def test_an_event_comes_back_as_it_went_in(ledger: Ledger) -> None:
    event = grid_event()
    await ledger.put_event(event, opted(event), T0 - MINUTE)
    stored = await ledger.event("u1/e1")
    assert stored is not None
    assert (stored.event, stored.decision) == (event, opted(event))
    assert (stored.received_at, stored.opted_out_sites) == (T0 - MINUTE, frozenset())
    assert await ledger.event("u1/other") is None


async def test_the_newest_modification_counts_and_first_notice_is_kept(ledger: Ledger) -> None:
    first, second = grid_event(), grid_event(modification=3)
    await ledger.put_event(first, opted(first), T0 - 3 * MINUTE)
    await ledger.put_event(second, opted(second, Opt.OUT), T0 - MINUTE)
    late = grid_event(modification=1)
    await ledger.put_event(late, opted(late), T0)
    stored = await ledger.event("u1/e1")
    assert stored is not None
    assert (stored.event.modification, stored.decision.opt) == (3, Opt.OUT)
    assert (stored.notified_at, stored.received_at) == (T0 - 3 * MINUTE, T0 - MINUTE)


async def test_the_same_modification_again_replaces_the_answer_only(ledger: Ledger) -> None:
    event = grid_event()
    await ledger.put_event(event, opted(event), T0 - MINUTE)
    await ledger.put_event(event.cancel(), opted(event, Opt.OUT), T0)
    stored = await ledger.event("u1/e1")
    assert stored is not None
    assert stored.event.cancelled
    assert stored.decision.opt is Opt.OUT
    assert stored.received_at == T0 - MINUTE


async def test_events_newest_first_and_by_end(ledger: Ledger) -> None:
    for name, start in (("old", T0 - 9 * HOUR), ("mid", T0), ("new", T0 + HOUR)):
        event = grid_event(name, start=start)
        await ledger.put_event(event, opted(event), T0)
    endless = replace(
        grid_event("endless", start=T0 - 99 * HOUR),
        window=Interval(start=T0 - 99 * HOUR, end=None),
    )
    await ledger.put_event(endless, opted(endless), T0)
    shortened = replace(
        grid_event("new", modification=1), window=Interval.lasting(T0 - 5 * HOUR, HOUR)
    )
    assert [s.event.event_id for s in await ledger.events()] == ["new", "mid", "old", "endless"]
    open_now = await ledger.events(ending_after=T0)
    assert [s.event.event_id for s in open_now] == ["new", "mid", "endless"]
    await ledger.put_event(shortened, opted(shortened), T0)
    open_now = await ledger.events(ending_after=T0)
    assert [s.event.event_id for s in open_now] == ["mid", "endless"]


async def test_a_sites_opt_out_is_kept_through_modifications(ledger: Ledger) -> None:
    event = grid_event()
    await ledger.put_event(event, opted(event), T0)
    for _ in range(2):
        await ledger.opt_out_site(event.key, "depot-2", T0, "owner said so")
    newer = grid_event(modification=1)
    await ledger.put_event(newer, opted(newer), T0)
    stored = await ledger.event(event.key)
    assert stored is not None
    assert stored.opted_out_sites == {"depot-2"}
    (word,) = await ledger.opt_outs(event.key)
    assert (word.site_id, word.at, word.cause) == ("depot-2", T0, "owner said so")
    assert await ledger.opt_outs("u1/other") == []
    assert (await ledger.events())[0].opted_out_sites == {"depot-2"}


# --- plans and instructions ----------------------------------------------------------------------


def dispatch_plan(revision: int = 1, event_key: str = "u1/e1") -> DispatchPlan:
    return DispatchPlan(
        event_key=event_key,
        modification=0,
        revision=revision,
        created_at=T0,
        reason="new event",
        target=StepSeries.of([(WINDOW, 5e3)]),
        allocations=(
            SiteAllocation(
                site_id="depot-1",
                steps=(AllocatedStep(interval=WINDOW, reduction_w=5e3, import_limit_w=1 / 3),),
                cause="fair share",
            ),
        ),
        shortfall=StepSeries(),
    )


def instruction(
    name: str, site: str = "depot-1", event: str = "u1/e1", minutes: int = 90
) -> Instruction:
    return Instruction(
        instruction_id=name,
        site_id=site,
        site_seq=1,
        event_id=event,
        program_id="p1",
        issued_at=T0,
        start=T0,
        expires_at=T0 + minutes * MINUTE,
        steps=(InstructionStep(start=T0, end=T0 + HOUR, import_limit_w=12.5),),
        fallback=Fallback(),
        cause="fair share",
    )


async def test_plans_and_instructions_are_numbered_and_come_back(ledger: Ledger) -> None:
    sent = await ledger.put_plan(
        dispatch_plan(), [instruction("i1"), instruction("i2", site="depot-2")]
    )
    again = await ledger.put_plan(dispatch_plan(2), [instruction("i3"), instruction("i4")])
    assert [(i.instruction_id, i.site_seq) for i in (*sent, *again)] == [
        ("i1", 1),
        ("i2", 1),
        ("i3", 2),
        ("i4", 3),
    ]
    assert await ledger.plans("u1/e1") == [dispatch_plan(1), dispatch_plan(2)]
    stored = await ledger.instructions("u1/e1")
    assert [(s.instruction, s.revision) for s in stored] == [
        (sent[0], 1),
        (sent[1], 1),
        (again[0], 2),
        (again[1], 2),
    ]


async def test_a_plan_that_cannot_be_stored_leaves_nothing_behind(ledger: Ledger) -> None:
    await ledger.put_plan(dispatch_plan(), [instruction("i1")])
    with pytest.raises(Exception, match="UNIQUE"):
        await ledger.put_plan(dispatch_plan(2), [instruction("i2"), instruction("i1")])
    assert [p.revision for p in await ledger.plans("u1/e1")] == [1]
    assert [s.instruction.instruction_id for s in await ledger.instructions("u1/e1")] == ["i1"]
    (numbered,) = await ledger.put_plan(dispatch_plan(2), [instruction("i2")])
    assert numbered.site_seq == 2


async def test_unseen_are_the_newest_of_each_event_not_expired(ledger: Ledger) -> None:
    await ledger.put_plan(dispatch_plan(), [instruction("old"), instruction("x", site="depot-2")])
    await ledger.put_plan(dispatch_plan(2), [instruction("new")])
    await ledger.put_plan(
        dispatch_plan(event_key="u1/e2"), [instruction("other", event="u1/e2", minutes=10)]
    )

    async def unseen(after: int, minutes: int) -> list[str]:
        found = await ledger.unseen_instructions("depot-1", after, T0 + minutes * MINUTE)
        return [one.instruction_id for one in found]

    assert await unseen(0, 0) == ["new", "other"]
    assert await unseen(2, 0) == ["other"]
    assert await unseen(0, 10) == ["new"]
    assert await unseen(0, 90) == []


async def test_numbers_go_on_above_what_a_site_has_seen(ledger: Ledger) -> None:
    await ledger.site_has_seen("depot-1", 41)
    await ledger.site_has_seen("depot-1", 7)
    (numbered,) = await ledger.put_plan(dispatch_plan(), [instruction("i1")])
    assert numbered.site_seq == 42


def status(state: InstructionState, seconds: int) -> InstructionStatus:
    return InstructionStatus(
        at=T0 + seconds * SECOND,
        instruction_id="i1",
        event_id="u1/e1",
        state=state,
        reason="why not",
    )


async def test_statuses_are_kept_once_in_order_of_time(ledger: Ledger) -> None:
    await ledger.put_plan(dispatch_plan(), [instruction("i1")])
    applied, stored = status(InstructionState.APPLIED, 9), status(InstructionState.STORED, 1)
    for one in (applied, stored, applied):
        await ledger.put_status("depot-1", one)
    await ledger.put_status("depot-1", replace(stored, instruction_id="nobody's"))
    (found,) = await ledger.instructions("u1/e1")
    assert found.statuses == (stored, applied)


# --- journal, reports, jobs, memory --------------------------------------------------------------


async def test_the_journal_is_in_order_of_time(ledger: Ledger) -> None:
    entries = [
        JournalEntry(at=T0 + n * SECOND, subject="u1/e1", action=f"a{n}", cause="c") for n in (2, 1)
    ]
    for entry in entries:
        await ledger.log(entry)
    await ledger.log(JournalEntry(at=T0, subject="else", action="a", cause="c"))
    assert await ledger.journal("u1/e1") == entries[::-1]


async def test_report_versions_are_immutable_and_once_is_once(ledger: Ledger) -> None:
    assert await ledger.report("u1/e1") is None
    assert await ledger.put_report("u1/e1", {"n": 1}, final=False, once="m0") == 1
    assert await ledger.put_report("u1/e1", {"n": 2}, final=False, once="m0") == 1
    assert await ledger.put_report("u1/e1", {"n": 3}, final=True) == 2
    assert await ledger.put_report("u1/e2", {"n": 9}, final=False, once="m0") == 1
    assert await ledger.report("u1/e1") == {"n": 3, "version": 2, "final": True}
    assert await ledger.report("u1/e1", 1) == {"n": 1, "version": 1, "final": False}
    assert await ledger.report("u1/e1", 9) is None


async def test_a_job_is_claimed_exactly_once(ledger: Ledger) -> None:
    assert await ledger.claim_job("settle", T0)
    assert not await ledger.claim_job("settle", T0)
    assert await ledger.claim_job("settle", T0 + SECOND)
    assert await ledger.claim_job("start", T0)


async def test_what_adapters_remember(memory: UtilityMemory) -> None:
    await memory.save("u1", "event", "a", {"x": [1, None, "ü"]})
    await memory.save("u1", "event", "b", 7)
    await memory.save("u2", "event", "a", "other")
    await memory.save("u1", "event", "b", 8)
    assert await memory.load("u1", "event") == {"a": {"x": [1, None, "ü"]}, "b": 8}
    await memory.forget("u1", "event", "a")
    await memory.forget("u1", "event", "never there")
    assert await memory.load("u1", "event") == {"b": 8}
    assert await memory.load("u1", "report") == {}


# --- telemetry -----------------------------------------------------------------------------------


def measured(
    seconds: float,
    value: float | None,
    quality: Quality = Quality.GOOD,
    point: str = "pcc_power_w",
) -> Measurement:
    return Measurement(at=T0 + seconds * SECOND, point=point, value=value, quality=quality)


def batch(*rows: tuple[int, Row], site: str = "depot-1", epoch: str = "ep") -> Batch:
    numbered = tuple(NumberedRow(seq=seq, row=row) for seq, row in rows)
    return Batch(site_id=site, epoch=epoch, rows=numbered, sent_at=T0)


Read = Callable[..., Awaitable[list[tuple[float, float, float]]]]


@pytest.fixture
def read(telemetry: TelemetryStore) -> Read:
    """The series as `(from second, to second, value)`."""

    async def steps(start: float = -3600, end: float = 3600) -> list[tuple[float, float, float]]:
        window = Interval(start=T0 + start * SECOND, end=T0 + end * SECOND)
        found = await telemetry.series("depot-1", "pcc_power_w", window)
        return [
            (
                (s.interval.start - T0).total_seconds(),
                ((s.interval.end or T0) - T0).total_seconds(),
                s.value,
            )
            for s in found
        ]

    return steps


async def test_values_hold_until_the_next_but_not_for_ever(
    telemetry: TelemetryStore, read: Read
) -> None:
    rows = [measured(0, 1.0), measured(10, 2.0), measured(100, 3.0)]
    assert await telemetry.ingest(batch(*enumerate(rows, start=1)), T0) == 3
    assert await read() == [(0, 10, 1), (10, 40, 2), (100, 130, 3)]
    assert await read(5, 105) == [(5, 10, 1), (10, 40, 2), (100, 105, 3)]
    assert await read(41, 99) == []
    assert await telemetry.series("depot-1", "other", WINDOW) == StepSeries()
    assert await telemetry.series("depot-9", "pcc_power_w", WINDOW) == StepSeries()


async def test_a_value_that_is_missing_or_untrusted_is_a_gap(
    telemetry: TelemetryStore, read: Read
) -> None:
    rows = [
        measured(0, 1.0),
        measured(10, None, Quality.OFFLINE),
        measured(20, 2.0, Quality.ESTIMATED),
        measured(25, 9.0, Quality.STALE),
    ]
    await telemetry.ingest(batch(*enumerate(rows, start=1)), T0)
    assert await read() == [(0, 10, 1), (20, 25, 2)]


async def test_rows_sent_again_are_absorbed(telemetry: TelemetryStore, read: Read) -> None:
    first = batch((1, measured(0, 1.0)), (2, measured(10, 2.0)))
    assert await telemetry.ingest(first, T0) == 2
    changed = batch((1, measured(0, 99.0)), (2, measured(10, 99.0)), (3, measured(20, 3.0)))
    assert await telemetry.ingest(changed, T0) == 3
    assert await telemetry.ingest(first, T0) == 3
    assert await read(0, 30) == [(0, 10, 1), (10, 20, 2), (20, 30, 3)]


async def test_a_later_row_about_the_same_instant_corrects_it(
    telemetry: TelemetryStore, read: Read
) -> None:
    await telemetry.ingest(batch((1, measured(0, 1.0)), (2, measured(0, 1.5))), T0)
    await telemetry.ingest(batch((3, measured(0, 2.0))), T0)
    assert await read(0, 5) == [(0, 5, 2)]


async def test_batches_out_of_order_are_stored_and_acknowledged_when_the_gap_closes(
    telemetry: TelemetryStore, read: Read, ledger: Ledger
) -> None:
    assert await telemetry.ingest(batch((5, measured(50, 5.0)), (6, measured(60, 6.0))), T0) == 0
    assert await telemetry.ingest(batch((3, measured(30, 3.0)), (4, measured(40, 4.0))), T0) == 0
    assert await telemetry.ingest(batch((1, measured(10, 1.0)), (2, measured(20, 2.0))), T0) == 6
    assert [value for _, _, value in await read()] == [1, 2, 3, 4, 5, 6]
    assert await telemetry.ingest(batch((7, measured(70, 7.0))), T0) == 7
    assert await ledger.journal("depot-1") == []


async def test_a_batch_sent_again_ahead_of_a_gap_says_the_gap_is_final(
    telemetry: TelemetryStore, ledger: Ledger
) -> None:
    assert await telemetry.ingest(batch((1, measured(0, 1.0))), T0) == 1
    ahead = batch((8, measured(80, 8.0)))
    assert await telemetry.ingest(ahead, T0) == 1
    assert await telemetry.ingest(batch((8, measured(80, 8.0)), (9, measured(90, 9.0))), T0) == 9
    (entry,) = await ledger.journal("depot-1")
    assert entry.action == "telemetry gap"
    assert "rows 2 to 7" in entry.cause


async def test_rows_missing_inside_a_batch_were_thinned_by_the_site(
    telemetry: TelemetryStore,
) -> None:
    assert await telemetry.ingest(batch((1, measured(0, 1.0)), (9, measured(90, 9.0))), T0) == 9


async def test_epochs_and_sites_count_for_themselves(telemetry: TelemetryStore) -> None:
    assert await telemetry.ingest(batch((1, measured(0, 1.0)), (2, measured(1, 1.0))), T0) == 2
    assert await telemetry.ingest(batch((1, measured(2, 1.0)), epoch="new"), T0) == 1
    assert await telemetry.ingest(batch((1, measured(3, 1.0)), site="depot-2"), T0) == 1
    assert await telemetry.ingest(batch((3, measured(4, 1.0))), T0) == 3


async def test_values_from_the_future_are_refused_and_said(
    telemetry: TelemetryStore, ledger: Ledger, read: Read
) -> None:
    rows = batch((1, measured(0, 1.0)), (2, measured(3000, 7.0)))
    assert await telemetry.ingest(rows, T0) == 2
    assert await read() == [(0, 30, 1)]
    (entry,) = await ledger.journal("depot-1")
    assert (entry.action, entry.cause[:8]) == ("clock ahead", "1 values")


async def test_latest_is_the_newest_of_every_point_however_it_arrived(
    telemetry: TelemetryStore,
) -> None:
    rows = [
        measured(5, 2.0),
        measured(0, 1.0),
        measured(3, None, Quality.OFFLINE, point="battery_soc_pct"),
        measured(1, 50.0, point="battery_soc_pct"),
    ]
    await telemetry.ingest(batch(*enumerate(rows, start=1)), T0)
    await telemetry.ingest(batch((1, measured(9, 9.0)), site="depot-10"), T0)
    assert await telemetry.latest("depot-1") == {
        "pcc_power_w": Reading(value=2.0, quality=Quality.GOOD, at=T0 + 5 * SECOND),
        "battery_soc_pct": Reading(value=None, quality=Quality.OFFLINE, at=T0 + 3 * SECOND),
    }
    assert await telemetry.latest("depot-9") == {}


async def test_the_other_rows_of_a_batch_reach_the_ledger(
    telemetry: TelemetryStore, ledger: Ledger
) -> None:
    await ledger.put_plan(dispatch_plan(), [instruction("i1")])
    applied = status(InstructionState.APPLIED, 1)
    notice = Notice(
        at=T0, code="charger-offline", subject="cp1", severity=Severity.ALARM, raised=True, text="!"
    )
    cleared = replace(notice, at=T0 + MINUTE, raised=False)
    word = VehicleReadiness(
        at=T0,
        vehicle_id="bus-7",
        evse_id="cp1/1",
        soc_pct=40.0,
        required_wh=2e4,
        departure=T0 + HOUR,
        on_track=True,
    )
    late = replace(word, at=T0 - MINUTE, on_track=False)
    newer = replace(word, at=T0 + SECOND, on_track=False)
    rows: list[Row] = [cleared, notice, newer, applied, word, late]
    for seqs in (1, 7):  # the second time under other numbers: still the same rows
        await telemetry.ingest(batch(*enumerate(rows, start=seqs)), T0)
    assert await ledger.notices(WINDOW) == [("depot-1", notice), ("depot-1", cleared)]
    assert await ledger.notices(WINDOW, "depot-2") == []
    assert await ledger.notices(Interval.lasting(T0, SECOND)) == [("depot-1", notice)]
    assert await ledger.readiness("depot-1") == [newer]
    assert (await ledger.instructions("u1/e1"))[0].statuses == (applied,)
    assert [e.action for e in await ledger.journal("u1/e1")] == ["depot-1: instruction applied"]
    assert [e.action for e in await ledger.journal("depot-1")] == [
        "charger-offline raised: cp1",
        "charger-offline cleared: cp1",
    ]


async def test_loaded_history_keeps_its_length_its_label_and_never_replaces_measurements(
    telemetry: TelemetryStore, read: Read
) -> None:
    await telemetry.ingest(batch((1, measured(900, 7.0))), T0 + HOUR)
    quarter = timedelta(minutes=15)
    past = StepSeries.of((Interval.lasting(T0 + n * quarter, quarter), float(n)) for n in range(3))
    for _ in range(2):
        await telemetry.insert_history("depot-1", "pcc_power_w", past, "synthetic")
    assert await read() == [(0, 900, 0), (900, 930, 7), (1800, 2700, 2)]
    assert await telemetry.history_label("depot-1", Interval.lasting(T0, MINUTE)) == "synthetic"
    assert await telemetry.history_label("depot-1", Interval.lasting(T0 + HOUR, HOUR)) is None
    assert await telemetry.history_label("depot-2", WINDOW) is None


# --- over a restart ------------------------------------------------------------------------------


async def test_everything_is_there_after_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "gateway.db"
    database = Database.open(path)
    event = grid_event()
    await SqlLedger(database).put_event(event, opted(event), T0)
    sent = await SqlLedger(database).put_plan(dispatch_plan(), [instruction("i1")])
    await SqlTelemetry(database, max_hold=HOLD).ingest(batch((1, measured(0, 1.0))), T0)
    await SqlUtilityMemory(database).save("u1", "k", "a", json.loads('{"x": 1}'))

    # No close: as after kill -9. A second engine on the same file sees every commit.
    again = Database.open(path)
    ledger = SqlLedger(again)
    assert [s.event for s in await ledger.events()] == [event]
    assert await ledger.plans(event.key) == [dispatch_plan()]
    assert await ledger.unseen_instructions("depot-1", 0, T0) == list(sent)
    assert await SqlTelemetry(again, max_hold=HOLD).ingest(batch((1, measured(0, 5.0))), T0) == 1
    latest = await SqlTelemetry(again, max_hold=HOLD).latest("depot-1")
    assert latest["pcc_power_w"].value == 1.0
    assert await SqlUtilityMemory(again).load("u1", "k") == {"a": {"x": 1}}
    again.close()
    database.close()
