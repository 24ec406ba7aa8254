"""Orders of the network operator: what holds, for how long, and that nobody can loosen them."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from site_agent.domain.instruction import Bounds
from site_agent.domain.protect.envelope import Bound, Envelope, Limit, Side, combine
from site_agent.domain.protect.limits import limits_at
from site_agent.domain.protect.telecontrol import (
    FREE,
    Contact,
    InputSpec,
    Order,
    Standing,
    Voice,
    order_of,
    remaining_s,
    standing,
    steadied,
    tightest,
)
from support.site import NOON, model

pytestmark = pytest.mark.row("truth:T1")

SPEC = InputSpec(
    input_id="ripple",
    by="network operator",
    valid_for_s=5.0,
    keep_s=60.0,
    fail_safe=Bounds(generation_w=0.0),
)
STAGES = [
    Contact(name="100 %", bounds=FREE),
    Contact(name="60 %", bounds=Bounds(generation_w=-60_000.0)),
    Contact(name="30 %", bounds=Bounds(generation_w=-30_000.0)),
    Contact(name="0 %", bounds=Bounds(generation_w=0.0)),
]
HALF = Order(bounds=Bounds(generation_w=-30_000.0), words="30 %")


@pytest.mark.parametrize(
    ("closed", "watts", "words"),
    [
        ((True, False, False, False), None, "100 %"),
        ((False, True, False, False), -60_000.0, "60 %"),
        ((False, False, True, False), -30_000.0, "30 %"),
        ((False, False, False, True), 0.0, "0 %"),
        ((False, True, False, True), 0.0, "60 % and 0 %"),
        ((True, True, False, False), -60_000.0, "100 % and 60 %"),
    ],
)
def test_stages_of_a_ripple_control_receiver(
    closed: tuple[bool, ...], watts: float | None, words: str
) -> None:
    order = order_of(STAGES, closed)
    assert order == Order(bounds=Bounds(generation_w=watts), words=words)


def test_no_contact_is_no_order() -> None:
    assert order_of(STAGES, (False,) * 4) is None


def test_what_is_looser_must_be_seen_twice() -> None:
    free, quarter = (
        Order(bounds=FREE, words="none"),
        Order(bounds=Bounds(generation_w=-25_000.0), words="25 %"),
    )
    assert steadied(None, free, None) == free
    assert steadied(free, HALF, free) == HALF, "tighter: at once"
    assert steadied(HALF, free, HALF) == HALF, "a moment of none between two stages"
    assert steadied(HALF, quarter, free) == quarter
    assert steadied(HALF, free, free) == free
    other = Order(bounds=Bounds(load_w=4_200.0), words="14a")
    both = steadied(HALF, other, HALF)
    assert both.bounds == Bounds(generation_w=-30_000.0, load_w=4_200.0)


@given(st.lists(st.integers(0, 3), min_size=1, max_size=30))
def test_a_bouncing_contact_never_loosens_for_a_moment(looks: list[int]) -> None:
    orders = [Order(bounds=stage.bounds, words=stage.name) for stage in STAGES]
    counted = [orders[looks[0]]]
    for before, look in pairwise(looks):
        held, seen = counted[-1], orders[look]
        now = steadied(held, seen, orders[before])
        looser = tightest([now.bounds, held.bounds]) != now.bounds
        assert not looser or look == before
        assert tightest([now.bounds, seen.bounds]) == now.bounds, "as tight as what is seen"
        counted.append(now)


def test_a_contact_that_limits_when_its_wire_breaks() -> None:
    dimming = Contact(name="14a", active_closed=False, bounds=Bounds(load_w=4_200.0))
    assert order_of([dimming], (True,)) is None
    assert order_of([dimming], (False,)) == Order(bounds=Bounds(load_w=4_200.0), words="14a")


@pytest.mark.parametrize(
    ("age_s", "voice", "watts", "left_s"),
    [
        (0.0, Voice.HEARD, -30_000.0, 5.0),
        (5.0, Voice.HEARD, -30_000.0, 0.0),
        (5.1, Voice.KEPT, -30_000.0, 59.9),
        (65.0, Voice.KEPT, -30_000.0, 0.0),
        (65.1, Voice.FAIL_SAFE, 0.0, None),
        (1e9, Voice.FAIL_SAFE, 0.0, None),
    ],
)
def test_what_holds_as_an_input_is_lost(
    age_s: float, voice: Voice, watts: float, left_s: float | None
) -> None:
    now = standing(SPEC, HALF, age_s)
    assert (now.voice, now.order.bounds.generation_w) == (voice, watts)
    assert remaining_s(SPEC, HALF, age_s) == pytest.approx(left_s)


def test_an_input_that_was_never_heard_is_at_its_fail_safe() -> None:
    now = standing(SPEC, None, 0.0)
    assert now.voice is Voice.FAIL_SAFE
    assert now.order.bounds == SPEC.fail_safe
    assert now.binds
    assert not standing(replace(SPEC, fail_safe=FREE), None, 0.0).binds
    assert remaining_s(SPEC, None, 0.0) is None


def test_the_cause_names_the_operator_the_input_and_the_order() -> None:
    order = Order(bounds=Bounds(import_w=20_000.0, export_w=-5_000.0, load_w=4_200.0), words="two")
    envelope = envelope_of(order)
    assert envelope.import_w == Bound(
        value=20_000.0, cause="the network operator's import limit (ripple: two)"
    )
    assert envelope.export_w is not None
    assert envelope.export_w.value == -5_000.0
    assert envelope.load_w is not None
    assert envelope.load_w.cause == "the network operator's load limit (ripple: two)"
    assert not envelope.event, "batteries may still charge within it"


def test_the_contract_still_binds_below_an_operators_limit() -> None:
    envelope = envelope_of(Order(bounds=Bounds(import_w=1e9), words="all"))
    assert envelope.import_w.value < 1e9
    assert "operator" not in envelope.import_w.cause


WATTS = st.one_of(st.none(), st.floats(0, 1e6))
NEGATIVE = WATTS.map(lambda w: None if w is None else -w)
BOUNDS = st.builds(Bounds, import_w=WATTS, export_w=NEGATIVE, load_w=WATTS, generation_w=NEGATIVE)
OTHERS = st.lists(
    st.builds(
        Limit,
        side=st.sampled_from([Side.IMPORT, Side.EXPORT, Side.LOAD, Side.GENERATION]),
        bound=st.builds(Bound, value=st.floats(-1e7, 1e7), cause=st.just("others")),
    ),
    max_size=8,
)


@given(st.lists(BOUNDS, max_size=4), OTHERS)
def test_nobody_can_loosen_an_order(orders: list[Bounds], others: list[Limit]) -> None:
    standings = [
        Standing(spec=SPEC, voice=Voice.HEARD, order=Order(bounds=one, words="")) for one in orders
    ]
    envelope = combine([*others, *limits_at(model([]), [], NOON, standings), *others])
    for one in orders:
        assert one.import_w is None or envelope.import_w.value <= one.import_w
        assert one.load_w is None or (envelope.load_w and envelope.load_w.value <= one.load_w)
        assert one.export_w is None or (
            envelope.export_w and envelope.export_w.value >= one.export_w
        )
        assert one.generation_w is None or (
            envelope.generation_w and envelope.generation_w.value >= one.generation_w
        )


@given(st.lists(BOUNDS, min_size=1, max_size=5))
def test_the_tightest_of_several_contacts_counts(bounds: list[Bounds]) -> None:
    one = tightest(bounds)
    assert tightest([one, *bounds]) == one
    for bound in bounds:
        assert bound.load_w is None or (one.load_w is not None and one.load_w <= bound.load_w)
        assert bound.generation_w is None or (
            one.generation_w is not None and one.generation_w >= bound.generation_w
        )


def envelope_of(order: Order) -> Envelope:
    held = Standing(spec=SPEC, voice=Voice.HEARD, order=order)
    return combine(limits_at(model([]), [], NOON, [held]))
