"""What is proposed, from what, and how it says so."""

from dataclasses import replace
from datetime import date, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.series import StepSeries
from contracts.time import Interval
from gateway.domain.conflict import Fit
from gateway.domain.enrolment import QuietTime
from gateway.domain.nomination.beside import Rival, taken
from gateway.domain.nomination.estimate import at_confidence
from gateway.domain.nomination.grounds import Grounds, Member, Terms
from gateway.domain.nomination.history import HOUR
from gateway.domain.nomination.nomination import Basis, Quantity
from gateway.domain.nomination.period import period_on
from gateway.domain.nomination.proposal import propose
from gateway.domain.nomination.sizing import PriceStep, Sizes, priced, sized, sizes
from gateway.domain.program.joining import EnrolmentRule
from gateway.domain.program.nominating import NominationRule
from gateway.domain.program.promise import Commitment, Shape
from gateway.domain.program.quota import Per
from gateway.domain.program.season import DayClass
from support.examples import examples
from support.nominations import DAY, MONTH, NOW, ZONE, grounds, offers, past, program

KW = 1000.0
ON_RECORD = 28
"""Days: twenty of them are working days."""


def only(grounds_of: Grounds) -> Quantity:
    (found,) = propose(grounds_of).quantities
    return found


def working_days(values_w: list[float]) -> list[float]:
    """Powers of the 28 days before, given those of its working days, newest first."""
    given_w = iter(values_w)
    weekend = (3, 4, 10, 11, 17, 18, 24, 25)  # Tuesday is the newest
    return [0.0 if back in weekend else next(given_w) for back in range(1, ON_RECORD + 1)]


@pytest.mark.row("portfolio:A3")
@pytest.mark.parametrize(
    ("confidence", "expected_w", "words"),
    [
        # Twenty working days with 1 to 20 kW: on 18 of them there were at least 3 kW.
        (0.9, 3 * KW, "18 of 20 comparable days (working day) had at least 3.0 kW free"),
        (0.95, 2 * KW, "19 of 20"),
        (0.99, 1 * KW, "20 of 20"),
        (0.8, 5 * KW, "16 of 20"),
        (0.5, 10.5 * KW, "not above 10.5 kW, the mean of what they had"),
    ],
)
def test_a_quantity_was_there_on_the_wanted_share_of_the_days(
    confidence: float, expected_w: float, words: str
) -> None:
    rows = past({"a": working_days([n * KW for n in range(1, 21)])})
    found = only(grounds(rows, terms=Terms(confidence=confidence)))
    assert found.power_w == pytest.approx(expected_w)
    assert words in found.words[0]
    assert len(found.days_used) == 20
    assert found.basis is Basis.HISTORY


def test_the_days_of_the_other_type_count_where_the_program_calls_on_them() -> None:
    rows = past({"a": working_days([40 * KW] * 20)})  # nothing at weekends
    assert only(grounds(rows)).power_w == pytest.approx(40 * KW)
    every_day = program(days=DayClass())
    found = only(grounds(rows, mine=every_day))
    assert found.power_w == 0
    assert "8 of 8 comparable days (day off) had at least 0.0 kW" in found.words[0]


def test_the_least_hour_of_a_day_counts() -> None:
    rows = [
        replace(one, down_w=7 * KW if one.start.hour == 15 else one.down_w)
        for one in past({"a": [40 * KW] * ON_RECORD})
    ]
    assert only(grounds(rows)).power_w == pytest.approx(7 * KW)


def test_hours_of_events_are_left_out_and_a_day_of_events_is_named() -> None:
    rows = past({"a": [40 * KW] * ON_RECORD})
    day = NOW.replace(hour=14, minute=0) - timedelta(days=1)
    spoilt = [
        replace(one, down_w=0.0) if day <= one.start < day + 2 * HOUR else one for one in rows
    ]
    assert only(grounds(spoilt, terms=Terms(confidence=0.99))).power_w == 0
    part = grounds(spoilt, events=(Interval.lasting(day, 2 * HOUR),), terms=Terms(confidence=0.99))
    assert only(part).power_w == pytest.approx(40 * KW)
    assert date(2026, 6, 23) in only(part).days_used
    whole = only(grounds(spoilt, events=(Interval.lasting(day, 4 * HOUR),)))
    assert whole.days_out == ((date(2026, 6, 23), "events took all its hours"),)
    assert len(whole.days_used) == 19


def test_a_day_with_a_gap_is_left_out_and_named() -> None:
    gap = NOW.replace(hour=14, minute=0) - timedelta(days=2)
    rows = [one for one in past({"a": [40 * KW] * ON_RECORD}) if one.start != gap]
    found = only(grounds(rows))
    assert found.days_out == ((date(2026, 6, 22), "1 of 4 hours of a are not on record"),)
    assert found.power_w == pytest.approx(40 * KW)


def test_too_few_days_are_no_ground_and_a_new_site_is_not_counted() -> None:
    few = only(grounds(past({"a": [40 * KW] * 4})))
    assert few.power_w == 0
    assert few.words[0] == "only 2 comparable days (working day) on record, 5 are needed"
    rows = past({"a": [40 * KW] * ON_RECORD, "b": [40 * KW] * 3})
    found = only(grounds(rows))
    assert found.power_w == pytest.approx(40 * KW)
    assert found.parts == {"a": pytest.approx(40 * KW)}
    assert "b has no record to go by" in found.words
    assert len(found.days_used) == 20


def test_a_clock_change_moves_no_hour() -> None:
    """Hours are comparable by the wall: 16 h in winter is another UTC hour than in summer."""
    change = NOW.replace(month=4, day=8)  # Brussels went to summer time on 29 March
    rows = [
        replace(one, down_w=40 * KW if 16 <= one.start.astimezone(ZONE).hour < 20 else 0.0)
        for one in past({"a": [0.0] * ON_RECORD}, before=change)
    ]
    june = replace(grounds(rows), now=change)
    assert only(june).power_w == pytest.approx(40 * KW)
    assert len(only(june).days_used) == 20


def test_a_zone_of_half_hours_is_covered_by_whole_hours() -> None:
    india = ZoneInfo("Asia/Kolkata")
    rows = past({"a": [40 * KW] * ON_RECORD}, zone=india)
    found = only(grounds(rows, mine=program(zone=india)))
    assert found.power_w == pytest.approx(40 * KW)
    assert len(found.days_used) == 20


@pytest.mark.parametrize(
    ("delivers", "out", "quiet", "expected_w", "words"),
    [
        (0.5, "", (), 20 * KW, "a counts with 50 %: what it gave when it was asked"),
        (1.0, "the owner wants no events", (), 0.0, "no site can be counted"),
        (1.0, "", (QuietTime(start=19 * 60, end=23 * 60),), 0.0, "had at least 0.0 kW"),
        (1.0, "", (QuietTime(start=20 * 60, end=23 * 60),), 40 * KW, "had at least 40.0 kW"),
    ],
)
def test_delivery_and_owners_limits_bound_a_site(
    delivers: float, out: str, quiet: tuple[QuietTime, ...], expected_w: float, words: str
) -> None:
    member = Member(site_id="a", zone=ZONE, delivers=delivers, out=out, quiet=quiet)
    found = propose(grounds(past({"a": [40 * KW] * ON_RECORD}), members=(member,)))
    assert found.quantities[0].power_w == pytest.approx(expected_w)
    assert any(words in word for word in found.quantities[0].words)
    assert found.sites_out == ((("a", out),) if out else ())


JULY = Interval.lasting(NOW, timedelta(days=60))


def rival(power_w: float, fit: Fit = Fit.NOT) -> Rival:
    return Rival(name="BIP", fit=fit, power={"a": StepSeries.of([(JULY, power_w)])})


@pytest.mark.row("portfolio:A9")
@pytest.mark.parametrize(
    ("rivals", "left_w"),
    [
        ((), 40 * KW),
        ((rival(30 * KW),), 10 * KW),
        ((rival(50 * KW),), 0.0),
        ((rival(15 * KW), rival(15 * KW)), 10 * KW),
        # The site draws 30 kW: 10 of its 40 kW are exports.
        ((rival(5 * KW, Fit.EXPORT_ONLY),), 10 * KW),
        ((rival(35 * KW, Fit.EXPORT_ONLY),), 5 * KW),
    ],
)
def test_what_an_exclusive_program_has_is_not_promised_again(
    rivals: tuple[Rival, ...], left_w: float
) -> None:
    rows = past({"a": [40 * KW] * ON_RECORD}, expected_w=30 * KW)
    found = only(grounds(rows, rivals=rivals))
    assert found.power_w == pytest.approx(left_w)
    assert found.taken == (
        {"a": sum(r.power["a"].steps[0].value for r in rivals)} if rivals else {}
    )
    assert len([w for w in found.words if "are promised to BIP" in w]) == len(rivals)


def test_a_rival_counts_only_where_it_has_something() -> None:
    morning = StepSeries.of([(Interval.lasting(NOW, HOUR), 9 * KW)])
    one = Rival(name="BIP", fit=Fit.NOT, power={"a": morning})
    assert taken("a", [Interval.lasting(NOW - HOUR, HOUR)], [one]).power_w == 0
    assert taken("a", [Interval.lasting(NOW - HOUR, 3 * HOUR)], [one]).power_w == 9 * KW
    assert taken("b", [Interval.lasting(NOW, HOUR)], [one]).power_w == 0


@pytest.mark.parametrize(
    ("raw_w", "rules", "power_w", "words"),
    [
        (61_250.0, Sizes(), 61_250.0, ()),
        (
            61_250.0,
            Sizes(step_w=KW),
            61 * KW,
            ("rounded down from 61.2 kW to whole steps of 1.0 kW",),
        ),
        (29_999.999_999_999, Sizes(step_w=10 * KW), 29_999.999_999_999, ()),
        (61_250.0, Sizes(step_w=25 * KW, most_w=60 * KW), 50 * KW, None),
        (99_999.0, Sizes(least_w=100 * KW), 0.0, None),
        (100_000.0, Sizes(least_w=100 * KW), 100 * KW, ()),
        (109_999.0, Sizes(least_w=105 * KW, step_w=10 * KW), 0.0, None),
        (400.0, Sizes(step_w=KW), 0.0, None),
        (0.0, Sizes(), 0.0, ("nothing is left to promise",)),
    ],
)
def test_a_quantity_is_rounded_down_and_never_below_the_least(
    raw_w: float, rules: Sizes, power_w: float, words: tuple[str, ...] | None
) -> None:
    found_w, said = sized(raw_w, rules)
    assert found_w == pytest.approx(power_w)
    assert found_w <= raw_w
    assert words is None or said == words


def test_below_the_least_there_is_no_proposal_and_the_reason_is_told() -> None:
    cbp = program(enrolment=(EnrolmentRule(aggregate_min_w=100 * KW),))
    found = propose(grounds(past({"a": [40 * KW] * ON_RECORD}), mine=cbp))
    assert found.empty
    assert "40.0 kW is less than the program's least, 100.0 kW" in found.why_empty


def test_the_strictest_of_several_rules_counts() -> None:
    rules = (
        EnrolmentRule(step_w=KW, aggregate_min_w=10 * KW, aggregate_max_w=90 * KW),
        EnrolmentRule(aggregate_min_w=20 * KW, aggregate_max_w=80 * KW),
    )
    found = sizes(program(enrolment=rules), MONTH)
    assert found == Sizes(step_w=KW, least_w=20 * KW, most_w=80 * KW)
    assert sizes(program(enrolment=rules), NominationRule(step_w=5 * KW)).step_w == 5 * KW


@pytest.mark.parametrize(
    ("power_w", "cap", "price"),
    [(5 * KW, None, 0.2), (10 * KW, None, 0.2), (11 * KW, None, 0.4), (11 * KW, 0.3, 0.3)],
)
def test_a_bid_carries_the_price_of_its_step_at_most_the_cap(
    power_w: float, cap: float | None, price: float
) -> None:
    curve = (PriceStep(up_to_w=10 * KW, per_kwh=0.2), PriceStep(up_to_w=None, per_kwh=0.4))
    bid = NominationRule(period=Per.DAY, own_price=True, price_cap=cap)
    assert priced(power_w, bid, curve)[0] == price
    assert priced(power_w, bid, curve[:1])[0] in (0.2, cap)
    assert priced(power_w, MONTH, curve) == (None, "")
    assert "settings name none" in priced(power_w, bid, ())[1]


# --- from offers ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("confidence", "part"),
    [(0.5, 40.0), (0.9, 30.0), (0.99, 40.0 - 10.0 * 2.3263 / 1.2816), (0.75, 34.74)],
)
def test_offers_are_taken_at_the_wanted_confidence(confidence: float, part: float) -> None:
    assert at_confidence(40.0, 30.0, confidence) == pytest.approx(part, abs=0.01)
    assert at_confidence(40.0, 50.0, confidence) == 40.0
    assert at_confidence(40.0, 0.0, 0.99) == 0.0


def tomorrow(**more: object) -> Grounds:
    one = program(windows=(), days=DayClass())
    found = {
        "a": offers("a", 40 * KW, 30 * KW, NOW, 36),
        "b": offers("b", 20 * KW, 20 * KW, NOW, 36),
    }
    members = [Member(site_id=site, zone=ZONE) for site in found]
    base = grounds(
        past({"a": [5 * KW] * ON_RECORD, "b": [5 * KW] * ON_RECORD}),
        mine=one,
        rule=DAY,
        members=members,
        offers=found,
    )
    period = period_on(one, DAY, date(2026, 6, 25))
    assert period is not None
    return replace(base, period=period, **more)  # type: ignore[arg-type]


def test_the_hours_ahead_rest_on_the_offers_themselves() -> None:
    held = propose(tomorrow()).quantities
    assert len(held) == 24
    assert {one.basis for one in held} == {Basis.OFFERS}
    assert held[0].power_w == pytest.approx(50 * KW)
    assert held[0].parts == {"a": pytest.approx(30 * KW), "b": pytest.approx(20 * KW)}
    assert held[0].words == ("2 sites offer 50.0 kW at 90 % confidence",)


def test_hours_that_offers_do_not_reach_rest_on_history() -> None:
    late = tomorrow()
    short = {**late.offers, "a": offers("a", 40 * KW, 30 * KW, NOW, 18)}  # up to 04:00 UTC
    held = propose(replace(late, offers=short)).quantities
    assert [one.basis for one in held] == [Basis.OFFERS] * 6 + [Basis.HISTORY] * 18
    assert held[-1].power_w == pytest.approx(10 * KW)


def test_a_site_that_is_offline_gives_nothing_and_is_named() -> None:
    late = tomorrow()
    silent = replace(late.offers["b"], slots=(), out="it is offline")
    held = propose(replace(late, offers={**late.offers, "b": silent})).quantities
    assert held[0].parts == {"a": pytest.approx(30 * KW)}
    assert "b is not counted: it is offline" in held[0].words


# --- a firm service level -------------------------------------------------------------------------


def test_a_level_is_the_load_that_was_left() -> None:
    level = program(commitment=(Commitment(shape=Shape.TO),))
    found = only(grounds(past({"a": working_days([n * KW for n in range(21, 41)])}), mine=level))
    # On 18 of 20 days no more than 100 - 23 = 77 kW were left of 100 expected.
    assert found.level_w == pytest.approx(77 * KW)
    assert found.power_w == pytest.approx(23 * KW)
    assert found.words[-1] == "a level of 77.0 kW: 100.0 kW expected less 23.0 kW"
    stepped = only(
        grounds(
            past({"a": working_days([n * KW for n in range(21, 41)])}),
            mine=level,
            rule=replace(MONTH, step_w=10 * KW),
        )
    )
    assert stepped.level_w == pytest.approx(80 * KW)  # less reduction is a higher level


def test_a_level_above_what_the_program_takes_is_none() -> None:
    level = program(commitment=(Commitment(shape=Shape.TO, level_share_max=0.7),))
    found = propose(grounds(past({"a": [20 * KW] * ON_RECORD}), mine=level))
    assert found.empty
    assert "the program takes at most 70 % of the highest load, 100.0 kW" in found.why_empty


# --- invariants -----------------------------------------------------------------------------------

POWERS = st.lists(st.integers(0, 200_000), min_size=ON_RECORD, max_size=ON_RECORD)


@settings(max_examples=examples(60), deadline=None)
@given(
    powers=st.dictionaries(st.sampled_from(["a", "b", "c"]), POWERS, min_size=1),
    confidence=st.floats(0.5, 0.99),
    step=st.sampled_from([None, 1.0, 1000.0, 7777.0]),
    held=st.floats(0, 250_000),
    shape=st.sampled_from([Shape.BY, Shape.TO]),
    delivers=st.floats(0, 1),
)
def test_never_more_than_was_offered_and_left_by_others(
    powers: dict[str, list[int]],
    confidence: float,
    step: float | None,
    held: float,
    shape: Shape,
    delivers: float,
) -> None:
    members = [Member(site_id=s, zone=ZONE, delivers=delivers) for s in sorted(powers)]
    found = only(
        grounds(
            past(powers),
            mine=program(commitment=(Commitment(shape=shape),)),
            rule=replace(MONTH, step_w=step),
            members=members,
            rivals=(rival(held),),
            terms=Terms(confidence=confidence),
        )
    )
    slack = 1e-6
    assert sum(found.parts.values()) == pytest.approx(found.power_w, abs=1e-3)
    for site, part_w in found.parts.items():
        free_w = max(powers[site]) * delivers - (held if site == "a" else 0.0)
        assert 0 < part_w <= max(0.0, free_w) * (1 + slack) + slack
    if step is not None and found.power_w:
        over = found.power_w % step
        assert min(over, step - over) <= step * 1e-6


@settings(deadline=None)
@given(down=st.floats(0, 1e6), share=st.floats(0, 1), confidence=st.floats(0.5, 0.99))
def test_at_any_confidence_an_offer_is_not_exceeded(
    down: float, share: float, confidence: float
) -> None:
    assert 0.0 <= at_confidence(down, share * down, confidence) <= down
