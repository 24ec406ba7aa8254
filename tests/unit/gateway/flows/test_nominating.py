"""Proposals are made before each gate, decided, and counted."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.errors import PermanentError
from contracts.testing import FakeClock
from contracts.time import Interval
from gateway.assembly.nominating import Nominating
from gateway.domain.enrolment import Enrolment, OwnerLimits
from gateway.domain.nomination.grounds import Terms
from gateway.domain.nomination.nomination import Nomination, State, Status
from gateway.domain.portfolio import Portfolio, Site
from gateway.domain.program import Program
from gateway.domain.program.joining import Beside, Exclusivity
from gateway.domain.program.nominating import NominationRule
from gateway.domain.program.notice import Notice
from gateway.domain.program.quota import Per
from gateway.domain.program.season import DayClass
from gateway.flows.nominating.options import NominatingOptions
from gateway.flows.sites.live import Live
from gateway.store.database import Database
from gateway.store.delivery import SqlDelivery
from gateway.store.ledger import SqlLedger
from gateway.store.nominations import SqlNominations
from support.examples import examples
from support.nominations import DAY, NOW, ZONE, past, program

World = Any  # of conftest
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
KW = 1000.0
GATE = Notice(by=17 * 60, days_before=3)
RULE = NominationRule(period=Per.MONTH, gate=GATE)
GATE_OF_JULY = datetime(2026, 6, 28, 15, tzinfo=UTC)
CBP = program(program_id="cbp", nominations=(RULE,))


@dataclass
class Desk:
    """What nominates, with a store in memory and hours on record."""

    programs: tuple[Program, ...] = (CBP,)
    enrolments: tuple[Enrolment, ...] = ()
    options: Mapping[str, NominatingOptions] = field(default_factory=dict)
    clock: FakeClock = field(default_factory=lambda: FakeClock(NOW))
    offered_w: Mapping[str, float] = field(default_factory=lambda: {"a": 40 * KW})

    def __post_init__(self) -> None:
        sites = tuple(
            Site(site_id=s, name=s, time_zone=ZONE, import_limit_w=200 * KW) for s in self.offered_w
        )
        enrolled = self.enrolments or tuple(
            Enrolment(site_id=s, program_id=p.program_id, nominated_w=0.0)
            for p in self.programs
            for s in self.offered_w
        )
        portfolio = Portfolio(sites=sites, programs=self.programs, enrolments=enrolled)
        database = Database.in_memory()
        self.book, self.ledger = SqlNominations(database), SqlLedger(database)
        made = Nominating(
            database,
            portfolio,
            self.ledger,
            Live(sites, self.clock, offline_after=MINUTE),
            SqlDelivery(database),
            self.clock,
            self.options,
        )
        self.desk, self.calendar, self.commitments = made.desk, made.calendar, made.commitments

    async def with_record(self) -> Desk:
        """Of 28 days."""
        await self.book.record(past({s: [w] * 28 for s, w in self.offered_w.items()}))
        return self

    async def propose(self, program_id: str = "cbp", **more: Any) -> Nomination:
        made, _ = await self.desk.propose(
            program_id, more.pop("dates", None), "Ann", "test", more.pop("request", None)
        )
        return made

    async def accept(self, one: Nomination) -> Nomination:
        return await self.desk.decide(one.nomination_id, Status.ACCEPTED, "Ann", "fits")

    async def state(self, one: Nomination) -> State:
        found = await self.desk.nomination(one.nomination_id)
        assert found is not None
        return found.state(self.clock.now())

    async def actions(self, subject: str) -> list[str]:
        return [entry.action for entry in await self.ledger.journal(subject)]


# --- the desk -------------------------------------------------------------------------------------


@pytest.mark.row("portfolio:A3")
async def test_a_newer_revision_replaces_an_older_one_when_it_is_accepted() -> None:
    world = await Desk().with_record()
    first = await world.accept(await world.propose())
    assert (first.label, first.gate, first.revision) == ("2026-07", GATE_OF_JULY, 1)
    second = await world.propose()
    assert (second.revision, await world.state(first)) == (2, State.ACCEPTED)
    third_is_second, new = await world.desk.propose("cbp", None, "Ann", "again")
    assert (third_is_second, new) == (second, False)
    await world.accept(second)
    assert await world.state(first) is State.SUPERSEDED
    assert await world.state(second) is State.ACCEPTED
    assert await world.actions(first.nomination_id) == [
        "nomination proposed",
        "nomination accepted",
        "nomination superseded",
    ]
    (*_, last) = await world.ledger.journal(first.nomination_id)
    assert last.cause == f"by {second.nomination_id} (by Ann)"


async def test_after_the_gate_nothing_changes_and_a_proposal_says_so() -> None:
    world = await Desk().with_record()
    accepted = await world.accept(await world.propose())
    pending = await world.propose()
    await world.clock.advance((GATE_OF_JULY - NOW).total_seconds())
    for one, wanted in (
        (pending, Status.ACCEPTED),
        (accepted, Status.WITHDRAWN),
    ):
        with pytest.raises(PermanentError, match="closed at 2026-06-28T15:00"):
            await world.desk.decide(one.nomination_id, wanted, "Ann", "late")
    late = await world.propose(dates=(date(2026, 7, 4), None))
    assert (late.late, await world.state(late)) == (True, State.LAPSED)
    assert await world.state(accepted) is State.ACCEPTED
    with pytest.raises(PermanentError, match="closed at"):
        await world.accept(late)
    assert (await world.propose()).label == "2026-08"  # the next that is open


@pytest.mark.row("portfolio:A3")
async def test_what_is_in_force_is_what_is_committed() -> None:
    enrolled = (Enrolment(site_id="a", program_id="cbp", nominated_w=12 * KW),)
    world = await Desk(enrolments=enrolled).with_record()
    evening = Interval.lasting(datetime(2026, 7, 1, 14, tzinfo=UTC), 4 * HOUR)
    morning = Interval.lasting(datetime(2026, 7, 1, 6, tzinfo=UTC), HOUR)

    async def promised(window: Interval) -> float | None:
        return (await world.commitments.of("cbp", window))["a"].mean(window)

    made = await world.propose()
    assert await promised(evening) == 12 * KW
    await world.accept(made)
    assert await promised(evening) == pytest.approx(40 * KW)
    assert await promised(morning) == 12 * KW
    await world.desk.decide(made.nomination_id, Status.WITHDRAWN, "Ann", "a mistake")
    assert await promised(evening) == 12 * KW


@pytest.mark.parametrize(
    ("programs", "asked", "words"),
    [
        ((CBP,), "none", "there is no program 'none'"),
        ((program(program_id="x"),), "x", "has no rule for nominations"),
        ((program(program_id="x", nominations=(NominationRule(),)),), "x", "first and last day"),
        ((program(program_id="x", nominations=(RULE,)),), "x", "only 0 comparable days"),
    ],
)
async def test_what_cannot_be_proposed_says_why(
    programs: tuple[Program, ...], asked: str, words: str
) -> None:
    with pytest.raises(PermanentError, match=words):
        await Desk(programs=programs).propose(asked)


async def test_a_key_is_for_one_program_over_a_restart_too() -> None:
    world = await Desk(programs=(CBP_ALONE, BIP)).with_record()
    one = await world.propose("cbp", request="key")
    assert await world.propose("cbp", request="key") == one
    with pytest.raises(PermanentError, match="another program"):
        await world.propose("bip", request="key")


async def test_a_contract_is_proposed_for_its_dates_and_bars_what_overlaps() -> None:
    contract = program(program_id="cbp", nominations=(NominationRule(),))
    world = await Desk(programs=(contract,)).with_record()
    with pytest.raises(PermanentError, match="on or after its first day"):
        await world.propose(dates=(date(2026, 7, 2), date(2026, 7, 1)))
    one = await world.accept(await world.propose(dates=(date(2026, 7, 1), date(2026, 9, 30))))
    assert one.label == "2026-07-01_2026-09-30"
    other = await world.propose(dates=(date(2026, 9, 1), date(2026, 10, 31)))
    with pytest.raises(PermanentError, match="accepted for a part of the period"):
        await world.accept(other)


@pytest.mark.parametrize(
    ("enrolment", "why"),
    [
        ({"until": date(2026, 7, 10)}, "enrolled for a part of the period only"),
        ({"owner": OwnerLimits(max_duration=timedelta(minutes=30))}, "the owner allows 30 min"),
        ({"owner": OwnerLimits(max_events_per_month=0)}, "the owner allows 0"),
    ],
)
async def test_a_site_that_cannot_keep_it_is_not_counted(
    enrolment: dict[str, Any], why: str
) -> None:
    enrolled = (
        Enrolment(site_id="a", program_id="cbp", nominated_w=0.0, **enrolment),
        Enrolment(site_id="b", program_id="cbp", nominated_w=0.0),
    )
    world = await Desk(enrolments=enrolled, offered_w={"a": 40 * KW, "b": 25 * KW}).with_record()
    made = await world.propose()
    assert made.quantities[0].parts == {"b": pytest.approx(25 * KW)}
    ((site, said),) = made.sites_out
    assert site == "a"
    assert why in said


# --- one kW, one promise --------------------------------------------------------------------------

NOT_WITH = Exclusivity(beside=Beside.NOT, others=("bip",))
CBP_ALONE = program(program_id="cbp", nominations=(RULE,), exclusivity=(NOT_WITH,))
BIP = program(program_id="bip", nominations=(NominationRule(period=Per.MONTH, step_w=7 * KW),))


@pytest.mark.row("portfolio:A9")
async def test_what_was_sold_since_the_proposal_cannot_be_accepted() -> None:
    world = await Desk(programs=(CBP_ALONE, BIP)).with_record()
    cbp, bip = await world.propose("cbp"), await world.propose("bip")
    assert cbp.quantities[0].power_w == pytest.approx(40 * KW)
    assert bip.quantities[0].power_w == pytest.approx(35 * KW)
    await world.accept(bip)
    with pytest.raises(PermanentError, match=r"35\.0 kW of a are promised .* propose again"):
        await world.accept(cbp)
    again = await world.accept(await world.propose("cbp"))
    assert again.quantities[0].power_w == pytest.approx(5 * KW)
    assert "35.0 kW of a are promised to BIP" in again.quantities[0].words


async def test_what_an_enrolment_promises_elsewhere_counts_too() -> None:
    enrolled = (
        Enrolment(site_id="a", program_id="cbp", nominated_w=0.0),
        Enrolment(site_id="a", program_id="bip", nominated_w=30 * KW),
    )
    world = await Desk(programs=(CBP_ALONE, BIP), enrolments=enrolled).with_record()
    assert (await world.propose("cbp")).quantities[0].power_w == pytest.approx(10 * KW)


STEPS = st.lists(
    st.tuples(st.sampled_from(["cbp", "bip"]), st.sampled_from(list("paw"))), max_size=8
)


@pytest.mark.row("portfolio:A3")
@settings(max_examples=examples(15), deadline=None)
@given(steps=STEPS, offered=st.integers(0, 60))
def test_a_kilowatt_is_never_nominated_in_two_exclusive_programs(
    steps: list[tuple[str, str]], offered: int
) -> None:
    """Whatever is proposed, accepted and withdrawn, in whichever order."""

    async def played() -> None:
        world = await Desk(
            programs=(CBP_ALONE, BIP), offered_w={"a": offered * KW, "b": 9 * KW}
        ).with_record()
        for program_id, what in steps:
            try:
                await _step(world, program_id, what)
            except PermanentError:
                continue
            held = [n for n in await world.book.nominations() if n.status is Status.ACCEPTED]
            for site, most_w in world.offered_w.items():
                parts = [n.quantities[0].parts.get(site, 0.0) for n in held]
                assert sum(parts) <= most_w + 1e-3
            assert len({n.program_id for n in held}) == len(held)

    asyncio.run(played())


async def _step(world: Desk, program_id: str, what: str) -> None:
    mine = await world.book.nominations(program_id)
    if what == "p":
        await world.propose(program_id)
    elif mine and what == "a":
        await world.accept(mine[-1])
        await world.accept(mine[0])
    elif mine:
        for one in mine:
            if one.status is Status.ACCEPTED:
                await world.desk.decide(one.nomination_id, Status.WITHDRAWN, "Ann", "so")


# --- the clock ------------------------------------------------------------------------------------


@pytest.mark.row("portfolio:A3")
async def test_before_each_gate_there_is_a_proposal_and_by_rule_it_is_accepted() -> None:
    for auto, state in ((False, State.PROPOSED), (True, State.ACCEPTED)):
        options = {"cbp": NominatingOptions(ahead=timedelta(days=2), auto=auto)}
        world = await Desk(options=options).with_record()
        await world.calendar.tick()
        assert await world.book.nominations() == []
        await world.clock.advance((GATE_OF_JULY - timedelta(days=2) - NOW).total_seconds())
        for _ in range(3):
            await world.calendar.tick()
            await world.clock.advance(61)
        (one,) = await world.book.nominations()
        assert (one.label, await world.state(one)) == ("2026-07", state)
        assert one.decisions[0].by == "rule: before the gate"
        assert one.decisions[0].cause == "2 d before the gate"


async def test_what_a_person_has_proposed_is_left_alone() -> None:
    world = await Desk(options={"cbp": NominatingOptions(ahead=timedelta(days=9))}).with_record()
    mine = await world.propose()
    await world.calendar.tick()
    assert await world.book.nominations() == [mine]


async def test_that_there_is_nothing_to_propose_is_journaled_once_and_tried_again() -> None:
    options = {"cbp": NominatingOptions(terms=Terms(least_days=3), ahead=timedelta(days=9))}
    world = Desk(options=options)
    for _ in range(4):
        await world.calendar.tick()
        await world.clock.advance(3601)
    assert await world.actions("cbp") == ["no nomination"]
    await world.with_record()
    await world.calendar.tick()
    assert [one.label for one in await world.book.nominations()] == ["2026-07"]


# --- the day ahead --------------------------------------------------------------------------------


async def test_a_day_is_bid_by_the_hour() -> None:
    pdr = program(
        program_id="pdr", nominations=(replace(DAY, own_price=True),), windows=(), days=DayClass()
    )
    world = await Desk(programs=(pdr,)).with_record()
    made = await world.propose("pdr")
    assert made.label == "2026-06-25"
    assert len(made.quantities) == 24
    assert {round(one.power_w) for one in made.quantities} == {40_000}
    assert "the settings name none" in made.quantities[0].words[-1]
