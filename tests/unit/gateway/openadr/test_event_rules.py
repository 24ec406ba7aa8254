"""The event rules of the profile, row by row, on the answering half of a VEN."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from contracts.errors import TransientError
from contracts.openadr import codec
from contracts.openadr.payloads import (
    ActivePeriod,
    Baseline,
    DistributeEvent,
    EventStatus,
    ItemBase,
    OadrEvent,
    OptType,
    ResponseRequired,
    Signal,
    SignalInterval,
    Target,
)
from contracts.testing import FakeClock
from contracts.time import Interval
from gateway.domain.event import GridEvent, Opt, OptDecision, SignalKind
from gateway.domain.timeline import Claim, in_force, resolve
from gateway.utility.openadr.answers import EventAnswers
from gateway.utility.openadr.mapping import Addressee, grid_event
from gateway.utility.openadr.memory import Registration, VenMemory
from support.openadr import START, DictMemory, RecordingIntake, distribution, oadr_event
from support.openadr_participation import Sites

REGISTRATION = Registration(ven_id="ven-1", registration_id="reg", vtn_id="VTN", poll_s=1.0)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
PEAK = "http://utility.example/peak"


class Intake(RecordingIntake):
    """Fails for one event as a test says."""

    def __init__(self) -> None:
        super().__init__()
        self.failing: dict[str, Exception] = {}

    async def receive(self, events: Sequence[GridEvent]) -> Mapping[str, OptDecision]:
        for event in events:
            if event.event_id in self.failing:
                raise self.failing[event.event_id]
        return await super().receive(events)


class Ven:
    """The answering half of a VEN, restartable; ten minutes before the start."""

    def __init__(
        self,
        memory: DictMemory | None = None,
        *,
        clock: FakeClock | None = None,
        sites: Sites | None = None,
        market_contexts: frozenset[str] = frozenset(),
        name: str = "gridyard",
    ) -> None:
        self.documents = memory or DictMemory()
        self.intake = Intake()
        self.clock = clock or FakeClock(START - 10 * MINUTE)
        self.sites = sites or Sites()
        self.answers = EventAnswers(
            "util",
            self.intake,
            VenMemory(self.documents, "util"),
            self.clock,
            seed=name,
            participation=self.sites,
            market_contexts=market_contexts,
        )

    async def reborn(self) -> "Ven":
        again = Ven(self.documents, clock=self.clock, sites=self.sites)
        await again.answers.restore()
        return again

    async def hears(self, *events: OadrEvent) -> dict[str, tuple[int, OptType]]:
        return await self.gets(distribution(*events))

    async def gets(self, message: DistributeEvent) -> dict[str, tuple[int, OptType]]:
        answer = await self.answers.answer(message, REGISTRATION)
        if answer is None:
            return {}
        found = {r.event_id: (r.code, r.opt_type) for r in answer.event_responses}
        assert len(found) == len(answer.event_responses), "an event answered twice"
        return found

    @property
    def last(self) -> GridEvent:
        return self.intake.received[-1]


IN, OUT = OptType.IN, OptType.OUT


def moved(event: OadrEvent, *, after: timedelta = 5 * MINUTE, **more: object) -> OadrEvent:
    period = replace(event.active_period, start_after=after, **more)  # type: ignore[arg-type]
    return replace(event, active_period=period)


def levels(*values: float, uids: tuple[str | None, ...] = (), each: timedelta = HOUR) -> Signal:
    found = uids or tuple(str(n) for n in range(len(values)))
    steps = tuple(
        SignalInterval(uid=uid, duration=each, value=value)
        for uid, value in zip(found, values, strict=True)
    )
    return Signal(name="SIMPLE", type="level", signal_id="s", intervals=steps)


@pytest.mark.row("openadr:E1")
async def test_an_empty_distribution_is_no_trouble_and_needs_no_answer() -> None:
    ven = Ven()
    assert await ven.hears() == {}
    assert not ven.answers.brought_news


@pytest.mark.row("openadr:E2")
async def test_never_means_no_answer_and_the_event_is_taken_all_the_same() -> None:
    ven = Ven()
    silent = replace(oadr_event("quiet"), response_required=ResponseRequired.NEVER)
    assert await ven.hears(silent, oadr_event("loud")) == {"loud": (200, IN)}
    assert {e.event_id for e in ven.intake.received} == {"quiet", "loud"}


@pytest.mark.row("openadr:E3")
async def test_each_event_is_answered_once_with_its_ids_as_text() -> None:
    ven = Ven()
    ids = ("007", "1.2.3", "true", "a b/ü")
    twice = oadr_event("007", modification=1)
    message = distribution(*(oadr_event(i) for i in ids), twice, request_id="0042")
    answer = await ven.answers.answer(message, REGISTRATION)
    assert answer is not None
    sent = codec.decode(codec.encode(answer))
    assert sent == answer
    assert {(r.event_id, r.modification_number) for r in answer.event_responses} == {
        ("007", 1), ("1.2.3", 0), ("true", 0), ("a b/ü", 0)
    }  # fmt: skip
    assert {r.request_id for r in answer.event_responses} == {"0042"}


@pytest.mark.row("openadr:E4")
async def test_up_is_an_update_and_down_is_out_of_sequence() -> None:
    ven = Ven()
    assert await ven.hears(oadr_event(modification=1)) == {"e1": (200, IN)}
    assert await ven.hears(oadr_event(modification=4)) == {"e1": (200, IN)}
    assert await ven.hears(oadr_event(modification=3)) == {"e1": (450, IN)}
    assert [e.modification for e in ven.intake.received] == [1, 4]


@pytest.mark.row("openadr:E5")
async def test_missing_is_cancelled_and_only_that() -> None:
    ven = Ven()
    await ven.hears(oadr_event("e1"), oadr_event("e2"))
    await ven.hears(oadr_event("e2"))
    assert ven.intake.withdrawn == ["util/e1"]
    again = await ven.reborn()
    await again.hears(oadr_event("e2"))
    assert again.intake.withdrawn == []


@pytest.mark.row("openadr:E6")
@pytest.mark.parametrize("how", ["explicit", "implied"])
async def test_a_running_event_with_startafter_ends_a_random_while_after_its_cancellation(
    how: str,
) -> None:
    ven = Ven()
    await ven.hears(moved(oadr_event(), after=30 * MINUTE))
    start = ven.last.window.start
    await ven.clock.advance((start - ven.clock.now()).total_seconds() + 60)
    cancelled = moved(oadr_event(modification=1, status=EventStatus.CANCELLED))
    if how == "explicit":
        assert await ven.hears(cancelled) == {"e1": (200, IN)}
        assert await ven.hears(cancelled) == {"e1": (200, IN)}
    else:
        await ven.hears()
    assert not any(e.cancelled for e in ven.intake.received)
    again = await ven.reborn()
    await again.hears()  # a cancelled event may vanish at any time
    await again.answers.cancel_due()
    assert again.intake.withdrawn == []
    await ven.clock.advance((30 * MINUTE).total_seconds())
    await again.answers.cancel_due()
    await again.answers.cancel_due()
    assert again.intake.withdrawn == ["util/e1"]


@pytest.mark.row("openadr:E6")
@pytest.mark.parametrize("tolerance", [timedelta(0), 5 * MINUTE], ids=["no startafter", "with"])
async def test_an_event_that_has_not_begun_is_cancelled_at_once(tolerance: timedelta) -> None:
    ven = Ven()
    await ven.hears(moved(oadr_event(), after=tolerance))
    await ven.hears(oadr_event(modification=1, status=EventStatus.CANCELLED))
    assert [(e.modification, e.cancelled) for e in ven.intake.received] == [(0, False), (1, True)]


@pytest.mark.row("openadr:E6")
async def test_a_cancellation_is_taken_even_if_nothing_else_of_it_can_be_used() -> None:
    ven = Ven()
    await ven.hears(oadr_event())
    bad = oadr_event(modification=1, status=EventStatus.CANCELLED, signals=())
    assert await ven.hears(bad) == {"e1": (200, IN)}
    assert ven.intake.withdrawn == ["util/e1"]


@pytest.mark.row("openadr:E7")
@pytest.mark.parametrize("status", [EventStatus.CANCELLED, EventStatus.COMPLETED])
async def test_an_unknown_event_that_is_over_is_only_acknowledged(status: EventStatus) -> None:
    ven = Ven()
    assert await ven.hears(oadr_event(status=status)) == {"e1": (200, IN)}
    assert ven.intake.received == []
    assert ven.documents.documents == {}


@pytest.mark.row("openadr:E8")
@pytest.mark.parametrize(
    ("signal", "code"),
    [
        (levels(1, 2, each=30 * MINUTE), 200),
        (levels(2, 1, uids=("1", "0"), each=30 * MINUTE), 200),
        (levels(1, 2, uids=(None, None), each=30 * MINUTE), 200),
        (levels(1, 2, uids=("1", "2"), each=30 * MINUTE), 454),
        (levels(1, 2, uids=("0", "0"), each=30 * MINUTE), 454),
        (levels(1, 2, uids=("0", "2"), each=30 * MINUTE), 454),
        (levels(1, 2, each=20 * MINUTE), 454),
        (levels(1, 2, each=HOUR), 454),
        (levels(1, each=timedelta(0)), 200),
    ],
    ids=["right", "shuffled", "none", "from 1", "twice", "gap", "short", "long", "to the end"],
)
async def test_uids_count_from_zero_and_durations_add_up(signal: Signal, code: int) -> None:
    ven = Ven()
    assert (await ven.hears(oadr_event(signals=(signal,))))["e1"][0] == code
    if code == 200:
        first = ven.last.signals[0].series.steps[0]
        assert (first.interval.start, first.value) == (START, 1.0)


@pytest.mark.row("openadr:E9")
@pytest.mark.parametrize(("level", "code"), [(0, 200), (3, 200), (1.5, 454), (4, 454), (-1, 454)])
async def test_simple_levels_are_0_to_3(level: float, code: int) -> None:
    answer = await Ven().hears(oadr_event(signals=(levels(level),)))
    assert answer["e1"][0] == code


@pytest.mark.row("openadr:E9")
async def test_a_current_value_never_outranks_the_intervals() -> None:
    ven = Ven()
    loud = replace(levels(1), current_value=3.0)
    assert await ven.hears(oadr_event(signals=(loud,))) == {"e1": (200, IN)}
    assert [s.value for s in ven.last.signals[0].series] == [1.0]


@pytest.mark.row("openadr:E10")
@pytest.mark.parametrize(
    ("text", "test"),
    [("true", True), ("x", True), ("0", True), ("false", False), ("FALSE", False), (None, False)],
)
async def test_any_word_but_false_is_a_test(text: str | None, test: bool) -> None:
    ven = Ven()
    event = oadr_event()
    await ven.hears(replace(event, descriptor=replace(event.descriptor, test_event=text)))
    assert ven.last.test is test


@pytest.mark.row("openadr:E11")
async def test_start_and_end_move_by_one_draw_kept_over_modifications_and_restarts() -> None:
    ven = Ven()
    await ven.hears(moved(oadr_event()))
    first = ven.last.window
    assert timedelta(0) <= first.start - START <= 5 * MINUTE
    assert first.duration == HOUR
    assert ven.last.signals[0].series.steps[0].interval.start == first.start
    again = await ven.reborn()
    longer = moved(oadr_event(modification=1, duration=2 * HOUR))
    await again.hears(longer)
    assert again.last.window == Interval.lasting(first.start, 2 * HOUR)
    await again.hears(moved(oadr_event(modification=2), after=timedelta(0)))
    assert again.last.window == Interval.lasting(START, HOUR)


@pytest.mark.row("openadr:E11")
async def test_draws_are_spread_over_the_tolerance_and_between_vens() -> None:
    starts = set()
    for name in range(60):
        ven = Ven(name=f"ven {name}")
        await ven.hears(moved(oadr_event()))
        starts.add((ven.last.window.start - START).total_seconds())
    assert min(starts) < 60
    assert max(starts) > 240
    assert len(starts) > 40


@pytest.mark.row("openadr:E11")
async def test_a_running_event_is_not_moved_by_a_tolerance_it_did_not_have() -> None:
    ven = Ven()
    await ven.hears(oadr_event())
    await ven.clock.advance(15 * 60)
    await ven.hears(moved(oadr_event(modification=1)))
    assert ven.last.window.start == START


@pytest.mark.row("openadr:E11")
async def test_an_event_that_vanishes_at_its_nominal_end_runs_to_its_own() -> None:
    ven = Ven()
    await ven.hears(moved(oadr_event(), after=30 * MINUTE))
    await ven.clock.advance((10 * MINUTE + HOUR).total_seconds())
    await ven.hears()
    assert ven.intake.withdrawn == []


@pytest.mark.row("openadr:E12")
async def test_an_open_ended_event_stays_until_an_end_is_set() -> None:
    ven = Ven()
    endless = timedelta(0)
    await ven.hears(oadr_event(duration=endless, signals=(levels(2, each=endless),)))
    assert ven.last.window.end is None
    await ven.clock.advance(timedelta(days=3).total_seconds())
    whole = timedelta(days=3) + HOUR
    ended = oadr_event(modification=1, duration=whole, signals=(levels(2, each=whole),))
    assert await ven.hears(ended) == {"e1": (200, IN)}
    assert ven.last.window == Interval.lasting(START, whole)
    assert ven.intake.withdrawn == []
    await ven.clock.advance(2 * 3600)
    await ven.hears()
    assert ven.intake.withdrawn == []


@pytest.mark.row("openadr:E12")
async def test_an_open_ended_event_that_vanishes_is_cancelled() -> None:
    ven = Ven()
    await ven.hears(oadr_event(duration=timedelta(0), signals=(levels(2, each=timedelta(0)),)))
    await ven.clock.advance(timedelta(days=3).total_seconds())
    await ven.hears()
    assert ven.intake.withdrawn == ["util/e1"]


def several() -> tuple[Signal, ...]:
    price = ItemBase(kind="currencyPerKWh", units="USD")
    step = (SignalInterval(uid="0", duration=HOUR, value=80.0),)
    return (
        levels(2),
        Signal(name="ELECTRICITY_PRICE", type="price", signal_id="p", intervals=step, item=price),
        Signal(
            name="LOAD_DISPATCH",
            type="setpoint",
            signal_id="d",
            intervals=step,
            item=ItemBase.power_real("k"),
        ),
    )


@pytest.mark.row("openadr:E13")
async def test_several_signals_each_keep_their_unit() -> None:
    ven = Ven()
    await ven.hears(oadr_event(signals=several()))
    assert {s.kind: s.series.steps[0].value for s in ven.last.signals} == {
        SignalKind.LEVEL: 2.0,
        SignalKind.PRICE: 80.0,
        SignalKind.SETPOINT_W: 80_000.0,
    }


@pytest.mark.row("openadr:E14")
@pytest.mark.parametrize(
    ("item", "watts"), [(ItemBase.power_real("k"), [90e3, 70e3]), (ItemBase.energy_real(), None)]
)
async def test_a_baseline_is_kept_and_a_strange_one_spoils_nothing(
    item: ItemBase, watts: list[float] | None
) -> None:
    steps = tuple(
        SignalInterval(uid=str(n), duration=30 * MINUTE, value=v) for n, v in enumerate((90, 70))
    )
    given = Baseline(
        baseline_id="b", name="b", start=START, duration=HOUR, intervals=steps, item=item
    )
    ven = Ven()
    assert await ven.hears(replace(oadr_event(), baseline=given)) == {"e1": (200, IN)}
    found = ven.last.baseline
    assert (None if found is None else [s.value for s in found]) == watts


@pytest.mark.row("openadr:E15")
@pytest.mark.parametrize(
    ("first", "second", "winner"),
    [(1, 2, "a"), (2, 1, "b"), (0, 5, "b"), (None, 9, "b"), (3, 0, "a")],
)
def test_of_overlapping_events_of_two_market_contexts_the_higher_priority_is_in_force(
    first: int | None, second: int | None, winner: str
) -> None:
    def claim(name: str, priority: int | None) -> Claim:
        event = oadr_event(name, priority=priority)
        context = replace(event.descriptor, market_context=f"http://utility.example/{name}")
        found = grid_event(
            replace(event, descriptor=context), utility_id="util", us=Addressee(ven_id="ven-1")
        )
        return Claim(event=found, opt=Opt.IN, sites=frozenset({"depot-1"}))

    entries = resolve([claim("a", first), claim("b", second)])
    held = in_force(entries, "depot-1", START + MINUTE)
    assert held is not None
    assert held.event_id == winner


@pytest.mark.row("openadr:E16")
@pytest.mark.parametrize(
    ("target", "code", "named"),
    [
        (Target(), 200, ()),
        (Target(ven_ids=("ven-1",)), 200, ()),
        (Target(party_ids=("ven-1",)), 200, ()),
        (Target(resource_ids=("depot-1",)), 200, ("depot-1",)),
        (Target(group_ids=("north",)), 200, ("north",)),
        (Target(resource_ids=("depot-1", "not-ours")), 200, ("depot-1",)),
        (Target(ven_ids=("ven-1",), resource_ids=("not-ours",)), 200, ()),
        (Target(ven_ids=("ven-2",), group_ids=("north",)), 200, ("north",)),
        (Target(ven_ids=("ven-2",)), 462, None),
        (Target(resource_ids=("not-ours",)), 462, None),
        (Target(group_ids=("south",)), 462, None),
        (Target(pnodes=("n1",)), 462, None),
        (Target(other_kinds=("x",)), 462, None),
    ],
)
async def test_targets_are_or_ed_and_what_names_others_is_refused(
    target: Target, code: int, named: tuple[str, ...] | None
) -> None:
    ven = Ven()
    assert (await ven.hears(oadr_event(target=target)))["e1"][0] == code
    assert (ven.last.targets if ven.intake.received else None) == named


@pytest.mark.row("openadr:E17")
async def test_an_unknown_signal_is_answered_460_for_ever_and_nobody_is_bothered() -> None:
    ven = Ven()
    strange = replace(levels(1), name="x-own", type="x-own")
    event = oadr_event(signals=(strange,))
    assert await ven.hears(event) == {"e1": (460, OUT)}
    again = await ven.reborn()
    assert await again.hears(event) == {"e1": (460, OUT)}
    assert not again.answers.brought_news
    await again.hears()
    assert (again.intake.received, again.intake.withdrawn) == ([], [])
    assert ven.documents.documents == {}


@pytest.mark.row("openadr:E17")
async def test_a_modification_that_cannot_be_used_leaves_the_one_before_in_force() -> None:
    ven = Ven()
    await ven.hears(oadr_event())
    bad = oadr_event(modification=1, signals=())
    assert await ven.hears(bad) == {"e1": (460, OUT)}
    assert await ven.hears(bad) == {"e1": (460, OUT)}
    assert ven.intake.withdrawn == []
    assert await ven.hears(oadr_event(modification=2)) == {"e1": (200, IN)}
    assert [e.modification for e in ven.intake.received] == [0, 2]


@pytest.mark.row("openadr:E18")
async def test_another_vtns_distribution_is_answered_452_and_changes_nothing() -> None:
    ven = Ven()
    await ven.hears(oadr_event())
    foreign = replace(distribution(oadr_event("x")), vtn_id="vtn")
    answer = await ven.answers.answer(foreign, REGISTRATION)
    assert answer is not None
    assert (answer.response.code, answer.event_responses) == (452, ())
    assert ven.intake.withdrawn == []
    assert [e.event_id for e in ven.intake.received] == ["e1"]


@pytest.mark.row("openadr:E18")
@pytest.mark.parametrize(
    ("contexts", "code"),
    [(frozenset(), 200), (frozenset({PEAK}), 200), (frozenset({"http://other.example"}), 452)],
)
async def test_a_market_context_we_are_not_enrolled_in_is_answered_452(
    contexts: frozenset[str], code: int
) -> None:
    ven = Ven(market_contexts=contexts)
    assert (await ven.hears(oadr_event()))["e1"][0] == code


@pytest.mark.row("openadr:E19")
async def test_times_go_out_in_utc_with_z() -> None:
    ven = Ven()
    answer = await ven.answers.answer(distribution(oadr_event()), REGISTRATION)
    assert answer is not None
    text = codec.encode(distribution(oadr_event())).decode()
    stamps = re.findall(r">(\d{4}-\d\d-\d\dT[^<]+)<", text)
    assert stamps
    assert all(stamp.endswith("Z") for stamp in stamps)


async def test_the_spans_around_an_event_are_kept() -> None:
    ven = Ven()
    event = oadr_event()
    period = ActivePeriod(
        start=START, duration=HOUR, notification=HOUR, ramp_up=10 * MINUTE, recovery=5 * MINUTE
    )
    await ven.hears(replace(event, active_period=period))
    found = ven.last
    assert (found.notification, found.ramp_up) == (HOUR, 10 * MINUTE)
    assert found.recovery == 5 * MINUTE


@pytest.mark.parametrize(
    "error",
    [TransientError("disk full"), ValueError("a bug")],
    ids=["not now", "a bug"],
)
async def test_one_events_failure_never_touches_anothers_answer(error: Exception) -> None:
    ven = Ven()
    ven.intake.failing["bad"] = error
    events = (oadr_event("good"), oadr_event("bad"), oadr_event("better"))
    answer = await ven.hears(*events)
    assert answer.pop("bad", (200, OUT)) == (200, OUT)
    assert answer == {"good": (200, IN), "better": (200, IN)}
    assert ven.answers.unanswered is isinstance(error, TransientError)
    ven.intake.failing.clear()
    assert (await ven.hears(*events))["bad"] == (200, IN)
    assert [e.event_id for e in ven.intake.received].count("good") == 1
