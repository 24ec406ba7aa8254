"""What the parts of an event mean to a VEN, row by row of the profile."""

from dataclasses import replace
from datetime import timedelta

import pytest

from contracts.openadr.payloads import (
    ActivePeriod,
    Baseline,
    ItemBase,
    Signal,
    SignalInterval,
)
from gateway.domain.event import Opt, SignalKind
from gateway.domain.timeline import Claim
from gateway.utility.openadr.mapping import Addressee, grid_event
from support.openadr import START, oadr_event
from support.openadr_answering_ven import HOUR, IN, MINUTE, Ven, levels
from support.timelines import held_by, one_at_a_time


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

    entries = one_at_a_time([claim("a", first), claim("b", second)])
    held = held_by(entries, "depot-1", START + MINUTE)
    assert held is not None
    assert held.event_id == winner


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
