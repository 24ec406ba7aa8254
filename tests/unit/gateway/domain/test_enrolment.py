"""What an owner allows, and who may join a program."""

from datetime import date, timedelta
from zoneinfo import ZoneInfo

import pytest

from gateway.domain.eligibility import Answer, Candidate, earliest_start, eligibility
from gateway.domain.enrolment import (
    Consent,
    Enrolment,
    OwnerLimits,
    QuietTime,
    objections,
)
from gateway.domain.program import Program, Rules
from gateway.domain.program.joining import Beside, Deadline, EnrolmentRule, Exclusivity
from gateway.domain.program.season import Season
from support.calls import HOUR, NEW_YORK, call, program

BERLIN = ZoneInfo("Europe/Berlin")
SUMMER = Season(name="summer", first=(5, 1), last=(9, 30))
KW = 1000.0


@pytest.mark.row("portfolio:A2")
@pytest.mark.row("portfolio:A7")
@pytest.mark.parametrize(
    ("limits", "ready", "words"),
    [
        (OwnerLimits(), None, None),
        (OwnerLimits(max_duration=4 * HOUR), None, None),
        (OwnerLimits(max_duration=3 * HOUR), None, "lasts 4 h; the owner allows 3 h"),
        (OwnerLimits(quiet=(QuietTime(start=20 * 60, end=6 * 60),)), None, None),
        (OwnerLimits(quiet=(QuietTime(start=19 * 60, end=6 * 60),)), None, "no event from 19:00"),
        (
            OwnerLimits(quiet=(QuietTime(start=0, end=1440, kinds=frozenset({5, 6})),)),
            None,
            None,
        ),
        (OwnerLimits(max_events_per_month=2), None, None),
        (OwnerLimits(max_events_per_month=1), None, "event 2 of the month; the owner allows 1"),
        (OwnerLimits(max_events_per_season=2), None, "event 3 of the season; the owner allows 2"),
        (OwnerLimits(min_ready_share=0.9), 0.9, None),
        (OwnerLimits(min_ready_share=0.9), 0.5, "50 % of the vehicles are on track"),
        (OwnerLimits(min_ready_share=0.9), None, None),
    ],
)
def test_what_the_owner_allows(limits: OwnerLimits, ready: float | None, words: str | None) -> None:
    history = (call("2026-07-02 16:00"), call("2026-06-02 16:00"))
    asked = call("2026-07-14 16:00", 4)
    assert asked.window.end is not None
    one = program(seasons=(SUMMER,))
    said = list(objections(limits, NEW_YORK, one, asked, history, ready, asked.window.end))
    assert len(said) == (words is not None)
    assert all(words in text for text in said if words)


def test_quiet_times_are_on_the_wall_of_the_site() -> None:
    asked = call("2026-07-14 16:00", 1)  # 22:00 in Berlin
    quiet = QuietTime(start=22 * 60, end=23 * 60)
    assert quiet.touches(asked.window, BERLIN)
    assert not quiet.touches(asked.window, NEW_YORK)


@pytest.mark.row("portfolio:A2")
def test_an_enrolment_holds_from_its_first_to_its_last_day() -> None:
    one = Enrolment(
        site_id="s",
        program_id="p",
        nominated_w=1.0,
        since=date(2026, 5, 1),
        until=date(2026, 9, 30),
    )
    days = (date(2026, 4, 30), date(2026, 5, 1), date(2026, 9, 30), date(2026, 10, 1))
    assert [one.holds_on(day) for day in days] == [False, True, True, False]


def candidate(nominated_kw: float = 100, **more: object) -> Candidate:
    enrolment: dict[str, object] = {"since": date(2026, 6, 1)}
    enrolment |= {k: more.pop(k) for k in ("since", "until", "consent") if k in more}
    return Candidate(
        enrolment=Enrolment(
            site_id="s",
            program_id="p1",
            nominated_w=nominated_kw * KW,
            **enrolment,  # type: ignore[arg-type]
        ),
        applied_on=date(2026, 4, 15),
        **more,  # type: ignore[arg-type]
    )


NEW_YORK_RULE = EnrolmentRule(
    deadlines=(
        Deadline(apply_by=(4, 1), starts=(5, 1)),
        Deadline(apply_by=(5, 1), starts=(6, 1)),
    )
)


@pytest.mark.row("portfolio:A2")
@pytest.mark.parametrize(
    ("rule", "who", "about", "answer"),
    [
        (EnrolmentRule(site_min_w=100 * KW), candidate(), "size of the site", Answer.YES),
        (EnrolmentRule(site_min_w=101 * KW), candidate(), "size of the site", Answer.NO),
        (EnrolmentRule(aggregate_min_w=151 * KW), candidate(), "size together", Answer.NO),
        (EnrolmentRule(aggregate_max_w=150 * KW), candidate(), "size together", Answer.YES),
        (EnrolmentRule(step_w=KW), candidate(99.5), "step", Answer.NO),
        (EnrolmentRule(step_w=0.1 * KW), candidate(99.5), "step", Answer.YES),
        (EnrolmentRule(drop_min_share=0.15), candidate(), "drop", Answer.UNKNOWN),
        (
            EnrolmentRule(drop_min_share=0.15),
            candidate(highest_demand_w=600 * KW),
            "drop",
            Answer.YES,
        ),
        (
            EnrolmentRule(demand_min_w=200 * KW),
            candidate(highest_demand_w=150 * KW),
            "highest demand",
            Answer.NO,
        ),
        (EnrolmentRule(history_days=30), candidate(history_days=29), "meter history", Answer.NO),
        (EnrolmentRule(history_days=30), candidate(), "meter history", Answer.UNKNOWN),
        (
            EnrolmentRule(accuracy_max=0.2),
            candidate(baseline_error=0.2),
            "baseline error",
            Answer.YES,
        ),
        (EnrolmentRule(bias_max=0.04), candidate(baseline_bias=-0.05), "baseline bias", Answer.NO),
        (NEW_YORK_RULE, candidate(), "deadline", Answer.YES),
        (NEW_YORK_RULE, candidate(since=date(2026, 5, 1)), "deadline", Answer.NO),
        (EnrolmentRule(change_business_days=10), candidate(), "deadline", Answer.YES),
        (EnrolmentRule(change_business_days=40), candidate(), "deadline", Answer.NO),
        (EnrolmentRule(lock_in_months=36), candidate(), None, None),
        (
            EnrolmentRule(lock_in_months=36),
            candidate(until=date(2028, 12, 31)),
            "lock-in",
            Answer.NO,
        ),
        (
            EnrolmentRule(change_months=frozenset({11})),
            candidate(until=date(2027, 11, 30)),
            "leaving",
            Answer.YES,
        ),
    ],
)
def test_who_may_join(
    rule: EnrolmentRule, who: Candidate, about: str | None, answer: Answer | None
) -> None:
    one = program(enrolment=(rule,), seasons=(SUMMER,))
    found = [c for c in eligibility(one, who, together_w=150 * KW) if c.about != "consent"]
    assert [(c.about, c.answer) for c in found] == ([] if about is None else [(about, answer)])


def test_who_applies_too_late_for_this_year_begins_next_year() -> None:
    assert earliest_start(NEW_YORK_RULE, date(2026, 5, 2)) == date(2027, 5, 1)
    assert earliest_start(NEW_YORK_RULE, date(2026, 4, 1)) == date(2026, 5, 1)


@pytest.mark.row("portfolio:A2")
def test_consent_is_asked_for() -> None:
    said = Consent(by="the depot's owner", given=date(2026, 4, 1), text="contract 7")
    (without,) = eligibility(program(), candidate(), 0.0)
    (given,) = eligibility(program(), candidate(consent=said), 0.0)
    assert (without.answer, given.answer) == (Answer.UNKNOWN, Answer.YES)
    assert given.text == "the depot's owner on 2026-04-01"


@pytest.mark.row("portfolio:A2")
@pytest.mark.parametrize(
    ("beside", "answer"),
    [(Beside.NOT, Answer.NO), (Beside.SAME_AGGREGATOR, Answer.YES), (Beside.ALLOWED, Answer.YES)],
)
@pytest.mark.parametrize("other_speaks", [False, True])
def test_beside_other_programs_whichever_of_them_speaks(
    beside: Beside, answer: Answer, other_speaks: bool
) -> None:
    def made(template: str, named: str, speaks: bool) -> Program:
        rule = Exclusivity(beside=beside, others=(named,))
        return Program(
            program_id=template,
            name=template,
            utility_id="u1",
            template=template,
            rules=Rules(exclusivity=(rule,) if speaks else ()),
        )

    mine = made("cbp-type", "bip-type", not other_speaks)
    other = made("bip-type", "cbp-type", other_speaks)
    found = eligibility(mine, candidate(beside=(other,)), 0.0)
    assert [c.answer for c in found if c.about == "other programs"] == [answer]


def test_a_month_is_as_long_as_on_the_average() -> None:
    rule = EnrolmentRule(lock_in_months=12)
    bound = date(2026, 6, 1) + timedelta(days=365)
    found = eligibility(program(enrolment=(rule,)), candidate(until=bound), 0.0)
    assert Answer.YES in [c.answer for c in found if c.about == "lock-in"]
