"""The judge: what should become of controls, and whether the answers say so (CSIP BASIC, AGG)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from contracts.sep2.resources import (
    DERControlResponse,
)
from contracts.testing import FakeClock
from support.sep2_world import World, lfdi_of
from vtn_sim.judge import Check, Outcome
from vtn_sim.sep2.judge import Sep2Verdict

MakeWorld = Callable[..., World]


NOW = FakeClock().now()


class Case:
    """A world in which responses arrive at times."""

    def __init__(self, world: World) -> None:
        self.world = world

    async def at(self, seconds: float) -> None:
        """Move to so many seconds after the start of the test."""
        passed = (self.world.clock.now() - NOW).total_seconds()
        await self.world.clock.advance(seconds - passed)

    def ask(self, name: str, program: str, start: float, end: float, **more: Any) -> None:
        """A control from `start` to `end` seconds after the start of the test."""
        content = {"modes": {"opModImpLimW": 1000}, **more}
        self.world.act(
            "add-control",
            program=program,
            name=name,
            start=(NOW + timedelta(seconds=start)).isoformat(),
            duration_s=int(end - start),
            **content,
        )

    def say(self, name: str, *codes: int, device: int = 1) -> None:
        for code in codes:
            event = self.world.utility.controls.get(name)
            response = DERControlResponse(
                end_device_lfdi=lfdi_of(device), status=code, subject=event.mrid
            )
            hrefs = self.world.utility.hrefs
            self.world.answer("POST", hrefs.responses(hrefs.prefix, "der"), response)

    def verdict(self, name: str, device: str = "one") -> Sep2Verdict:
        found = [v for v in self.world.court.verdicts(name) if v.device == device]
        assert len(found) == 1
        return found[0]

    def outcome(self, name: str, device: str = "one") -> Outcome:
        return self.verdict(name, device).outcome


JUDGE = {"received_within_s": 20, "response_within_s": 10}


@pytest.fixture
def case(make_world: MakeWorld) -> Case:
    return Case(make_world(judge=JUDGE))


def check(verdict: Sep2Verdict, name: str) -> Check:
    return next(one for one in verdict.checks if one.name == name)


async def test_received_started_completed(case: Case) -> None:
    case.ask("c", "narrow", 60, 120)
    assert case.outcome("c") is Outcome.PENDING
    await case.at(5)
    case.say("c", 1)
    assert case.outcome("c") is Outcome.PENDING
    await case.at(62)
    case.say("c", 2)
    await case.at(121)
    case.say("c", 3)
    verdict = case.verdict("c")
    assert verdict.outcome is Outcome.PASS
    assert verdict.text.splitlines()[0] == "c at one: PASS (answered 1, 2, 3)"
    assert "PASS    ended: 3 1.0 s after it was due" in verdict.text


async def test_silence_fails_once_the_time_is_over(case: Case) -> None:
    case.ask("c", "narrow", 60, 120)
    await case.at(21)
    assert check(case.verdict("c"), "received").outcome is Outcome.FAIL
    assert check(case.verdict("c"), "started").outcome is Outcome.PENDING
    await case.at(71)
    assert check(case.verdict("c"), "started").outcome is Outcome.FAIL
    assert check(case.verdict("c"), "ended").outcome is Outcome.PENDING
    await case.at(131)
    assert check(case.verdict("c"), "ended").text == "3 never came"


@pytest.mark.parametrize(
    ("codes", "said"),
    [
        ((1, 1, 2, 3), "1 twice"),
        ((1, 2, 2, 3), "2 twice"),
        ((2, 1, 3), "received after started"),
        ((1, 3, 2), "something came after the end"),
        ((1, 2, 6), "6 does not belong"),
        ((1, 2, 7, 3), "7 does not belong"),
    ],
)
async def test_each_answer_once_and_in_order(case: Case, codes: tuple[int, ...], said: str) -> None:
    case.ask("c", "narrow", 0, 5)
    await case.at(6)
    case.say("c", *codes)
    assert said in check(case.verdict("c"), "proper").text
    assert case.outcome("c") is Outcome.FAIL


async def test_an_answer_before_its_time_is_a_lie(case: Case) -> None:
    case.ask("c", "narrow", 60, 120)
    case.say("c", 1, 2, 3)
    assert check(case.verdict("c"), "started").outcome is Outcome.FAIL
    assert check(case.verdict("c"), "ended").outcome is Outcome.FAIL


async def test_who_was_not_addressed_keeps_silent(case: Case) -> None:
    case.ask("c", "narrow", 0, 60)
    assert [v.device for v in case.world.court.verdicts("c")] == ["one"]
    case.say("c", 1, device=2)
    assert "not addressed" in case.verdict("c", "two").text
    assert case.outcome("c", "two") is Outcome.FAIL


async def test_categories_address_too(make_world: MakeWorld) -> None:
    devices = [
        {"lfdi": lfdi_of(1), "label": "one", "fsas": ["wide"], "device_category": 1},
        {"lfdi": lfdi_of(2), "label": "two", "fsas": ["wide"], "device_category": 2},
    ]
    case = Case(make_world(devices=devices, judge=JUDGE))
    case.ask("c", "wide", 0, 60, device_category=2)
    assert [v.device for v in case.world.court.verdicts("c")] == ["two"]


async def test_a_refused_response_is_held_against_the_device(case: Case) -> None:
    case.ask("c", "narrow", 0, 60)
    hrefs = case.world.utility.hrefs
    mrid = case.world.utility.controls.get("c").mrid
    wrong = DERControlResponse(end_device_lfdi=lfdi_of(1), subject=mrid)
    assert case.world.status("POST", hrefs.responses(hrefs.prefix, "der"), wrong) == 400
    assert check(case.verdict("c"), "accepted").text == "status is missing"


@pytest.mark.parametrize(("required", "codes"), [(0, ()), (1, (1,)), (2, (2, 3))])
async def test_only_what_is_wanted(case: Case, required: int, codes: tuple[int, ...]) -> None:
    case.ask("c", "narrow", 0, 5, response_required=required)
    for code in codes:
        await case.at({1: 0, 2: 1, 3: 6}[code])
        case.say("c", code)
    await case.at(60)
    assert case.outcome("c") is Outcome.PASS
    if required == 0:
        case.say("c", 1)
        assert "no answer was wanted" in check(case.verdict("c"), "proper").text


@pytest.mark.parametrize("code", [4, 10, 252, 253])
async def test_declining_is_an_answer(case: Case, code: int) -> None:
    case.ask("c", "narrow", 60, 120)
    case.say("c", *((1,) if code in (4, 10) else ()), code)
    await case.at(200)
    assert case.outcome("c") is Outcome.PASS
    assert check(case.verdict("c"), "took part").text.startswith(f"said {code}")


async def test_expired_is_no_answer_to_what_was_not(case: Case) -> None:
    case.ask("c", "narrow", 60, 120)
    case.say("c", 254)
    assert case.outcome("c") is Outcome.FAIL


async def test_what_came_after_its_end_is_answered_with_254_or_not_at_all(case: Case) -> None:
    case.ask("a", "narrow", -120, -60)
    case.ask("b", "narrow", -120, -60)
    case.say("a", 254)
    await case.at(60)
    assert case.outcome("a") is Outcome.PASS
    assert case.outcome("b") is Outcome.PASS


async def test_who_comes_back_after_the_end_may_say_so(case: Case) -> None:
    case.ask("c", "narrow", 0, 60)
    await case.at(70)
    case.say("c", 254)
    assert check(case.verdict("c"), "took part").outcome is Outcome.PASS


# --- cancellation --------------------------------------------------------------------------------


async def test_cancelled_while_it_runs(case: Case) -> None:
    case.ask("c", "narrow", 30, 120)
    case.say("c", 1)
    await case.at(31)
    case.say("c", 2)
    await case.at(60)
    case.world.act("cancel-event", event="c")
    await case.at(62)
    case.say("c", 6)
    assert case.outcome("c") is Outcome.PASS
    assert case.verdict("c").codes == (1, 2, 6)


async def test_the_random_tail_of_a_cancellation_is_waited_for(case: Case) -> None:
    case.ask("c", "narrow", 30, 120, randomize_duration_s=-25)
    case.say("c", 1)
    await case.at(31)
    case.say("c", 2)
    await case.at(60)
    case.world.act("cancel-event", event="c", randomized=True)
    await case.at(94)
    assert check(case.verdict("c"), "ended").outcome is Outcome.PENDING
    await case.at(96)
    assert check(case.verdict("c"), "ended").outcome is Outcome.FAIL


async def test_cancelled_long_before_its_start(case: Case) -> None:
    case.ask("c", "narrow", 100, 160)
    case.say("c", 1)
    await case.at(30)
    case.world.act("cancel-event", event="c")
    await case.at(35)
    case.say("c", 6)
    assert case.outcome("c") is Outcome.PASS
    case.say("c", 2)
    assert case.outcome("c") is Outcome.FAIL


async def test_what_was_cancelled_at_once_may_never_have_been_seen(case: Case) -> None:
    case.ask("c", "narrow", 100, 160)
    case.world.act("cancel-event", event="c")
    await case.at(200)
    assert case.outcome("c") is Outcome.PASS


# --- displacement --------------------------------------------------------------------------------


@pytest.mark.parametrize("code", [7, 14])
async def test_displaced_before_the_start_is_dropped_whole(case: Case, code: int) -> None:
    """BASIC-021, AGG-007: the worse one never starts, whichever ends first."""
    case.ask("worse", "wide", 100, 200)
    case.ask("better", "narrow", 120, 160)
    case.say("worse", 1, code)
    case.say("better", 1)
    assert case.outcome("worse") is Outcome.PASS
    await case.at(121)
    case.say("better", 2)
    await case.at(161)
    case.say("better", 3)
    assert case.outcome("better") is Outcome.PASS
    await case.at(170)
    case.say("worse", 2)
    assert case.outcome("worse") is Outcome.FAIL


async def test_the_wide_one_runs_where_nothing_is_better(case: Case) -> None:
    """AGG-007: the rest run the wide event."""
    case.ask("worse", "wide", 100, 200)
    case.ask("better", "narrow", 120, 160)
    case.say("worse", 1, device=2)
    await case.at(101)
    case.say("worse", 2, device=2)
    await case.at(201)
    case.say("worse", 3, device=2)
    assert case.outcome("worse", "two") is Outcome.PASS


async def test_displaced_while_it_runs(case: Case) -> None:
    """BASIC-023, AGG-009: the worse one runs to the start of the better one."""
    case.ask("worse", "wide", 30, 200)
    case.say("worse", 1)
    await case.at(31)
    case.say("worse", 2)
    await case.at(60)
    case.ask("better", "narrow", 90, 150)
    assert check(case.verdict("worse"), "ended").outcome is Outcome.PENDING
    await case.at(91)
    case.say("worse", 7)
    assert case.outcome("worse") is Outcome.PASS


async def test_independent_modes_run_together(case: Case) -> None:
    """BASIC-024, AGG-010."""
    case.ask("worse", "wide", 30, 90, modes={"opModExpLimW": 0})
    case.ask("better", "narrow", 30, 90)
    for name in ("worse", "better"):
        case.say(name, 1)
    await case.at(31)
    for name in ("worse", "better"):
        case.say(name, 2)
    await case.at(91)
    for name in ("worse", "better"):
        case.say(name, 3)
        assert case.outcome(name) is Outcome.PASS


async def test_what_loses_only_some_of_its_modes_goes_on(case: Case) -> None:
    case.ask("worse", "wide", 60, 120, modes={"opModExpLimW": 0, "opModImpLimW": 5})
    case.ask("better", "narrow", 60, 120)
    case.say("worse", 1)
    await case.at(61)
    case.say("worse", 2)
    await case.at(121)
    case.say("worse", 3)
    assert case.outcome("worse") is Outcome.PASS
    assert "without 1 of its modes" in case.verdict("worse").text


async def test_the_newer_one_of_equals_wins(case: Case) -> None:
    case.ask("old", "narrow", 60, 120)
    await case.at(30)
    case.ask("new", "narrow", 60, 120)
    case.say("old", 1, 7)
    assert check(case.verdict("old"), "ended").outcome is Outcome.PASS
    assert "before its start" in case.verdict("old").text
    assert "runs" in case.verdict("new").text


async def test_equals_of_the_same_second_are_not_told_apart(case: Case) -> None:
    case.ask("old", "narrow", 0, 5)
    case.ask("new", "narrow", 0, 5)
    case.say("old", 1)
    await case.at(1)
    case.say("old", 2)
    await case.at(6)
    case.say("old", 3)
    assert case.outcome("old") is Outcome.PASS


async def test_a_better_one_withdrawn_in_time_displaces_nothing_for_sure(case: Case) -> None:
    case.ask("worse", "wide", 60, 120)
    await case.at(5)
    case.ask("better", "narrow", 60, 120)
    await case.at(10)
    case.world.act("cancel-event", event="better")
    case.say("worse", 1, 7)
    assert check(case.verdict("worse"), "ended").outcome is Outcome.PASS


@pytest.mark.parametrize("called_off", [False, True])
async def test_a_device_that_moved_is_judged_mildly(case: Case, called_off: bool) -> None:
    case.ask("c", "narrow", 30, 120)
    case.say("c", 1)
    await case.at(31)
    case.say("c", 2)
    await case.at(60)
    case.world.act("move-device", device="one", fsas=["wide"])
    if called_off:
        case.say("c", 6)
    await case.at(200)
    assert case.outcome("c") is Outcome.PASS
    case.ask("later", "narrow", 210, 220)
    assert case.world.court.verdicts("later") == []
