"""A CSIP aggregator killed again and again in the middle of its controls.

The utility's own record shows that no Response was lost or told twice, and that chance was asked
once for every control and device. `GRIDYARD_KILL_ROUNDS=5` plays the controls five times over.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from gateway.domain.der.draw import draw
from support.kill_system import Killer, restart_and_settle
from support.processes import eventually
from support.sep2_kill_system import SITES, Sep2KillSystem, kill_system
from support.sep2_server import device_lfdi

ROUNDS = int(os.environ.get("GRIDYARD_KILL_ROUNDS", "1"))
KILLS = 3
"""In each round, and one more at the very end."""
SEED = int(os.environ.get("GRIDYARD_KILL_SEED", "20305"))
ROUND_S = 90.0
pytestmark = [
    pytest.mark.chaos,
    pytest.mark.timeout(60 + 2 * ROUND_S * ROUNDS),
    pytest.mark.xdist_group("realtime-chaos"),
]

RUNS, CANCELLED, DISPLACED = (1, 2, 3), (1, 2, 6), (1, 2, 7)
NEVER_BEGAN, TOO_LATE = (1, 7), (254,)
LAST_WORDS = {3, 6, 7, 254}
EXPECTED: dict[str, set[tuple[int, ...]]] = {
    "plain": {RUNS, TOO_LATE},  # killed at every look until its end
    "older": {DISPLACED},
    "newer": {RUNS},
    "withdrawn": {CANCELLED},
    "outranked": {NEVER_BEGAN, DISPLACED},  # a restart may keep the better one from us for long
    "better": {RUNS},
}
"""Of each control, what every device may answer."""


class Script:
    """The controls of one round; what comes next depends on what has been answered."""

    def __init__(self, system: Sep2KillSystem, number: int) -> None:
        self._system = system
        self._number = number
        self._stages = iter(self._play())
        self._awaited: Callable[[], bool] = lambda: True
        self._short: list[str] = []
        self.complete = False
        """Whether the utility has done everything it will do."""

    def name(self, control: str) -> str:
        return f"{control}-{self._number}"

    def limit_w(self, control: str) -> float:
        """One of its own."""
        return 1_000.0 * (10 * self._number + list(EXPECTED).index(control) + 10)

    @property
    def open(self) -> dict[tuple[str, str], list[int]]:
        """What has been answered of controls whose last word is still to come."""
        answers = self._system.answers()
        told = {
            (control, site): [one["status"] for one in answers.get((self.name(control), site), ())]
            for control in EXPECTED
            for site in SITES
        }
        return {place: codes for place, codes in told.items() if not set(codes) & LAST_WORDS}

    @property
    def fragile(self) -> bool:
        """A short control is on its way: over before a slow restart, it would be refused."""
        return any(not self._said(control, 1) for control in self._short)

    def go_on(self) -> None:
        """The next stage, if what it waits for has come."""
        if self._awaited():
            self._awaited = next(self._stages, self._never)

    def _play(self) -> Iterator[Callable[[], bool]]:
        self._add("plain", "opModExpLimW", start_in_s=5, duration_s=6)
        self._add("older", "opModImpLimW", start_in_s=3, duration_s=900)
        self._add("withdrawn", "opModLoadLimW", start_in_s=3, duration_s=900)
        self._add("outranked", "opModGenLimW", start_in_s=5, duration_s=60)
        yield lambda: self._said("outranked", 1)
        self._add("better", "opModGenLimW", "feeder", start_in_s=3, duration_s=4)
        self._short.append("better")
        yield lambda: self._said("older", 2) and self._said("withdrawn", 2)
        self._add("newer", "opModImpLimW", start_in_s=3, duration_s=4)
        self._short.append("newer")
        self._system.act("cancel-event", event=self.name("withdrawn"), randomized=True)
        self.complete = True
        yield self._never

    def _add(self, control: str, mode: str, program: str = "system", **more: int) -> None:
        self._system.act(
            "add-control",
            name=self.name(control),
            program=program,
            modes={mode: self.limit_w(control)},
            description=self.name(control),
            randomize_start_s=3,
            randomize_duration_s=2,
            **more,
        )

    def _said(self, control: str, code: int) -> bool:
        answers = self._system.answers()
        name = self.name(control)
        return all(
            any(one["status"] == code for one in answers.get((name, site), ())) for site in SITES
        )

    @staticmethod
    def _never() -> bool:
        return False


class Chance:
    """Every draw of randomisation that was ever stored."""

    def __init__(self, system: Sep2KillSystem) -> None:
        self._system = system
        self.known: dict[tuple[str, str], set[str]] = {}

    def note(self) -> None:
        for place, draws in self._system.drawn().items():
            self.known.setdefault(place, set()).add(draws)


@pytest.mark.row("sep2:26", "sep2:30", "sep2:43")
def test_no_response_is_lost_or_told_twice_and_nothing_begins_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)  # later starts are quicker
    monkeypatch.setenv("PYTHONPYCACHEPREFIX", str(tmp_path / "compiled"))
    rng = random.Random(SEED)
    with kill_system(tmp_path) as system:
        chance = Chance(system)
        system.wait_in_touch()
        scripts = [Script(system, number) for number in range(ROUNDS)]
        for script in scripts:
            play(system, script, Killer(system, rng), chance)
        restart_and_settle(system, lambda: polls(system), 4)  # two of each program
        chance.note()
        for script in scripts:
            assert_answered_once(system, script)
            assert_begun_as_first_said(system, script, chance)


def play(system: Sep2KillSystem, script: Script, killer: Killer, chance: Chance) -> None:
    """One round, until every control is over and enough kills have been survived."""

    def turn() -> bool:
        if killer.kills < KILLS and not script.fragile and killer.turn():
            chance.note()
            killer.again()
        if system.in_touch:  # nothing short is announced to one that only starts
            script.go_on()
        return killer.kills >= KILLS and script.complete and not script.open

    eventually(turn, ROUND_S, "every control is over")


def polls(system: Sep2KillSystem) -> int:
    return int(system.look("/sep2/requests").get("GET DERControlList", 0))


def assert_answered_once(system: Sep2KillSystem, script: Script) -> None:
    answers = system.answers()
    for control, expected in EXPECTED.items():
        name = script.name(control)
        for site in SITES:
            told = answers[name, site]
            assert tuple(one["status"] for one in told) in expected, (name, site)
            assert [one["problem"] for one in told] == [None] * len(told)
        verdicts = system.look(f"/sep2/events/{name}/verdicts")
        # Displaced close to its start it may still tell for a minute that it had begun.
        fair = {"pass", "pending"} if control == "outranked" else {"pass"}
        assert {one["outcome"] for one in verdicts} <= fair, verdicts
        assert len(verdicts) == len(SITES)


def assert_begun_as_first_said(system: Sep2KillSystem, script: Script, chance: Chance) -> None:
    """Drawn once, and Response 2 bears the start that follows from mRID and LFDI."""
    answers, events = system.answers(), {one["name"]: one for one in system.look("/sep2/events")}
    for control in EXPECTED:
        event = events[script.name(control)]
        for number, site in enumerate(SITES, start=1):
            told = {
                one["status"]: instant(one["created_at"]) for one in answers[event["name"], site]
            }
            start = randomized_start(event, device_lfdi(number))
            assert len(chance.known[event["mrid"], device_lfdi(number)]) == 1, (control, site)
            if RUNS[1] in told and told[1] < start:
                assert told[2] == start, (control, site)


def randomized_start(event: dict[str, Any], lfdi: str) -> datetime:
    asked = event["asked"]
    drawn = draw(
        event["mrid"],
        lfdi,
        randomize_start=timedelta(seconds=asked["randomize_start_s"]),
        randomize_duration=timedelta(seconds=asked["randomize_duration_s"]),
    )
    return instant(event["start"]) + drawn.start


def instant(text: str) -> datetime:
    return datetime.fromisoformat(text)
