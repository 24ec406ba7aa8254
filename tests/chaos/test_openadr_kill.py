"""A VEN killed again and again between its events, opts and reports.

The VTN's own record shows that every event was answered, and never in two ways, that each opt and
each interval of each report arrived, once; the gateway's database, that no event was carried out
twice. `GRIDYARD_KILL_ROUNDS=5` plays the story five times over.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from contracts.openadr.payloads import CreatedEvent, CreateOpt, Payload, Report, UpdateReport
from contracts.power import kw_from_watts
from contracts.site_link.messages import Instruction
from support.kill_system import Killer, restart_and_settle
from support.live_sites import FLEX_DOWN_W, POWER_W, LiveSites
from support.openadr_kill_system import SITES, OpenAdrKillSystem, instant, kill_system
from support.processes import eventually
from support.system_layout import PROGRAM, VEN_ID
from support.waiting import PATIENCE_S

ROUNDS = int(os.environ.get("GRIDYARD_KILL_ROUNDS", "1"))
KILLS = 3
"""In each round, and one more at the very end."""
SEED = int(os.environ.get("GRIDYARD_KILL_SEED", "20220"))
ROUND_S = 120.0
pytestmark = [
    pytest.mark.chaos,
    pytest.mark.timeout(120 + 2 * ROUND_S * ROUNDS),
    pytest.mark.xdist_group("realtime-chaos"),
]

BOTH = ("depot-1", "depot-2")
LEAVING = "depot-1"
"""The site that is taken out of one event."""
TOLERANCE_S = 3
GRANULARITY = timedelta(seconds=2)
POINTS = {"portfolio/power_w": 2 * POWER_W, "site/depot-1/power_w": POWER_W}
"""What is reported, and what its value always is, W."""
INTERVALS = {"once": 3, "often": 6}
"""Of each report request."""
ADDRESSED: dict[str, Sequence[str]] = {
    "plain": ("depot-1",),
    "shifted": ("depot-2",),
    "moved": BOTH,
    "withdrawn": BOTH,
    "left": BOTH,
}
"""Events that run at the same time address different sites: none outranks another."""
ASKED, ENDED = "asked", "ended"
CARRIED_OUT: dict[tuple[str, str], list[tuple[int, str]]] = {
    ("plain", "depot-1"): [(0, ASKED)],
    ("shifted", "depot-2"): [(0, ASKED), (0, ENDED)],  # ended when its random while was over
    **{("moved", site): [(0, ASKED), (1, ASKED)] for site in BOTH},
    **{("withdrawn", site): [(0, ASKED), (1, ENDED)] for site in BOTH},
    ("left", LEAVING): [(0, ASKED), (0, ENDED)],
    ("left", "depot-2"): [(0, ASKED)],
}
"""Every instruction a site may ever get, each with the modification it follows from."""
AT_ONCE = (1, ENDED)
"""The end of the shifted event when its random while is nothing: by the cancellation itself."""
REPEATABLE = {"once", "not doubled"}
"""Checks of the judge that a message sent again fails: it cannot know of the kill in between."""


class Script:
    """The utility's side of one round; what comes next depends on what has come of it."""

    def __init__(self, system: OpenAdrKillSystem, number: int) -> None:
        self._system = system
        self._number = number
        self._stages = iter(self._play())
        self._awaited: Callable[[], bool] = lambda: True
        self._announced: set[str] = set()
        self._polls_when_asked: dict[str, int] = {}
        self.complete = False
        """Whether the utility has done everything it will do."""

    def name(self, event: str) -> str:
        return f"{event}-{self._number}"

    def go_on(self) -> None:
        """The next stage, if what it waits for has come."""
        if self._awaited():
            self._awaited = next(self._stages, self._never)
        self._ask_again()

    @property
    def fragile(self) -> bool:
        """The short event is on its way: over before a slow restart, it would not be carried out.

        Opposite a VEN that is dead it is never announced.
        """
        return "plain" in self._announced and not (self._done("plain") or self._is_over("plain"))

    @property
    def over(self) -> bool:
        """Whether everything has come that is to come."""
        return (
            self.complete
            and all(self._answered(event) for event in ADDRESSED)
            and all(self._done(event) for event in ADDRESSED if not self._is_over(event))
            and self._is_over("plain")
            and all(self._reported(key) for key in self.served)
            and all(any(key.startswith(f"{kind}-") for key in self.served) for kind in INTERVALS)
            and bool(self.opts)
        )

    @property
    def opts(self) -> list[dict[str, Any]]:
        """Those on the event that a site has left."""
        wanted = self.name("left")
        return [one for one in self._system.look("/openadr/opts") if one["event_id"] == wanted]

    @property
    def asked(self) -> Mapping[str, dict[str, Any]]:
        """The report requests of this round."""
        end = f"-{self._number}"
        return {k: one for k, one in self._system.requests().items() if k.endswith(end)}

    @property
    def served(self) -> list[str]:
        """Those the VEN knows of."""
        return [key for key, one in self.asked.items() if one["codes"] or one["reports"]]

    # --- the story -----------------------------------------------------------------------------

    def _play(self) -> Iterator[Callable[[], bool]]:
        far = 3600 * (1 + 4 * self._number)
        self._announce("moved", start_in_s=far, duration_s=900)
        self._announce("withdrawn", start_in_s=far + 3600, duration_s=900)
        self._announce("left", start_in_s=far + 7200, duration_s=900)
        self._announce("shifted", start_in_s=3, duration_s=600, start_tolerance_s=TOLERANCE_S)
        yield lambda: all(self._done(event) for event in ("moved", "withdrawn", "left"))
        self._ask("once")
        self._ask("often")
        self._announce("plain", start_in_s=4, duration_s=6)
        yield lambda: self._done("plain") or self._is_over("plain")
        later = (instant(self._look("moved")["start"]) + timedelta(minutes=20)).isoformat()
        self._system.act("modify", event_id=self.name("moved"), start=later)
        self._system.act("cancel", event_id=self.name("withdrawn"))
        yield lambda: self._system.opt_out(self.name("left"), LEAVING)
        yield lambda: self._done("shifted") and self._runs("shifted")
        self._system.act("cancel", event_id=self.name("shifted"))
        self.complete = True
        yield self._never

    def _announce(self, event: str, *, duration_s: int, **more: int) -> None:
        """Ask for more than there is: what one site gives does not depend on the other."""
        steps = [{"duration_s": duration_s, "value": -500.0}]
        self._announced.add(event)
        self._system.act(
            "announce",
            event_id=self.name(event),
            market_context=PROGRAM,
            signals=[{"intervals": steps}],
            targets={"resource_ids": ADDRESSED[event]},
            **more,
        )

    def _ask(self, kind: str, again: int = 0) -> None:
        name = f"{kind}-{again}-{self._number}"
        step = int(GRANULARITY.total_seconds())
        request = {
            "name": name,
            "r_ids": list(POINTS),
            "granularity_s": step,
            "report_back_s": 2 * step if kind == "often" else 0,
            "window": {"duration_s": INTERVALS[kind] * step},
        }
        self._system.act("ask-reports", requests=[request])
        self._polls_when_asked[name] = self._system.polls

    def _ask_again(self) -> None:
        """As a utility does that got no oadrCreatedReport: the request died with the VEN."""
        if not self._polls_when_asked or self._system.ven["messages_waiting"]:
            return
        kinds = {kind_of(key) for key in self.served}
        for kind in INTERVALS.keys() - kinds:
            tried = [k for k in self._polls_when_asked if k.startswith(f"{kind}-")]
            if self._system.polls > self._polls_when_asked[tried[-1]] + 2:
                self._ask(kind, len(tried))

    # --- what has come of it -------------------------------------------------------------------

    def _look(self, event: str) -> dict[str, Any]:
        found: dict[str, Any] = self._system.look(f"/events/{self.name(event)}")
        return found

    def _answered(self, event: str) -> bool:
        answers = self._system.answers(self.name(event))
        return self._look(event)["modification"] in answers and all(answers.values())

    def _done(self, event: str) -> bool:
        """Whether every site has all it will be told, as far as the story has come."""
        newest = self._look(event)["modification"]
        ended = self.complete or event != "shifted"
        return all(
            len(carried_out(self._system, self.name(event), site))
            >= len([one for one in self._due(event, site, ended=ended) if one[0] <= newest])
            for site in ADDRESSED[event]
        )

    def _due(self, event: str, site: str, *, ended: bool) -> list[tuple[int, str]]:
        found = CARRIED_OUT[event, site]
        if event == "left":
            return found if self.opts else found[:1]
        return found if ended else found[:1]

    def _is_over(self, event: str) -> bool:
        status: str = self._look(event)["status"]
        return status == "completed"

    def _runs(self, event: str) -> bool:
        start = instant(self._look(event)["start"])
        return datetime.now(UTC) > start + timedelta(seconds=TOLERANCE_S)

    def _reported(self, key: str) -> bool:
        values: int = self.asked[key]["values"]
        return values >= INTERVALS[kind_of(key)] * len(POINTS)

    @staticmethod
    def _never() -> bool:
        return False


@pytest.mark.row("openadr:P4")
def test_events_opts_and_reports_survive_every_kill(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)  # later starts are quicker
    monkeypatch.setenv("PYTHONPYCACHEPREFIX", str(tmp_path / "compiled"))
    rng, kills = random.Random(SEED), 1
    with kill_system(tmp_path) as (system, sites):
        eventually(lambda: ready(system), PATIENCE_S, "the gateway offers its sites' load")
        scripts = [Script(system, number) for number in range(ROUNDS)]
        for script in scripts:
            kills += play(system, script, Killer(system, rng))
        restart_and_settle(system, lambda: system.polls, 4)
        told = system.told()
        for script in scripts:
            assert_answered_in_one_way(system, script)
            assert_carried_out_once(system, script, sites)
            assert_told_once(script)
            assert_reported_once(script, [message for message, _ in told])
        assert_judged_well(system, told)
        assert sum(count - 1 for _, count in told) <= kills, "only what was in flight, once a kill"


def ready(system: OpenAdrKillSystem) -> bool:
    """It has registered and offered its reports, and both sites are heard."""
    return system.in_touch and system.offered and set(system.sites_offering) == set(SITES)


def play(system: OpenAdrKillSystem, script: Script, killer: Killer) -> int:
    """One round, until everything has come and enough kills have been survived; how many."""

    def turn() -> bool:
        if killer.kills < KILLS and not script.fragile and killer.turn():
            killer.again()
        if system.in_touch:  # nothing short is announced to one that only starts
            script.go_on()
        return killer.kills >= KILLS and script.over

    eventually(turn, ROUND_S, "everything has come")
    return killer.kills


def kind_of(key: str) -> str:
    """Of a report request."""
    return key.partition("-")[0]


def assert_answered_in_one_way(system: OpenAdrKillSystem, script: Script) -> None:
    for event in ADDRESSED:
        answers = system.answers(script.name(event))
        assert answers, event
        assert set(map(frozenset, answers.values())) == {frozenset({("optIn", 200)})}, event


def assert_carried_out_once(system: OpenAdrKillSystem, script: Script, sites: LiveSites) -> None:
    """As planned, at the times announced, and the sites have it."""
    for (event, site), expected in CARRIED_OUT.items():
        name = script.name(event)
        seen = system.look(f"/events/{name}")
        if event == "plain" and answered_at(seen) >= instant(seen["end"]):
            continue  # nobody could: this machine was too slow
        found = carried_out(system, name, site)
        if event == "shifted" and found[-1] == AT_ONCE:
            found[-1] = expected[-1]
        assert found == expected, (event, site)
        stored = [one for _, one in system.instructions(name, site)]
        newest = stored[-1].instruction_id
        eventually(partial(knows, sites, site, newest), PATIENCE_S, f"{site} is told {event}")
        limits = [step.import_limit_w for one in stored for step in one.steps]
        assert limits == [pytest.approx(POWER_W - FLEX_DOWN_W)] * len(limits)
        assert_in_time(seen, stored)
        begun = [action for action in system.journal(name) if action == "the event has begun"]
        assert len(begun) <= 1, event


def assert_in_time(event: dict[str, Any], stored: Sequence[Instruction]) -> None:
    """The newest steps end with the event, later by no more than its tolerance."""
    steps = [one.steps for one in stored if one.steps][-1]
    late = steps[-1].end - instant(event["end"])
    tolerance = timedelta(seconds=event["asked"]["start_tolerance_s"])
    assert timedelta(0) <= late <= tolerance
    start = max(instant(event["start"]) + late, stored[-1].issued_at)
    assert steps[0].start <= start


def knows(sites: LiveSites, site: str, instruction_id: str) -> bool:
    """After a kill a site may look for us for a while; what was replaced then never reaches it."""
    return any(one.instruction_id == instruction_id for one in sites.told[site])


def answered_at(event: dict[str, Any]) -> datetime:
    return min(instant(one["at"]) for d in event["deliveries"] for one in d["answers"])


def carried_out(system: OpenAdrKillSystem, event_id: str, site: str) -> list[tuple[int, str]]:
    return [
        (modification, ASKED if one.steps else ENDED)
        for modification, one in system.instructions(event_id, site)
    ]


def assert_told_once(script: Script) -> None:
    """One opt by its optID, of the one site."""
    (opt,) = script.opts
    assert (opt["opt"], opt["resource_ids"]) == ("optOut", [LEAVING])
    assert opt["cancelled_at"] is None


def assert_reported_once(script: Script, told: Sequence[Payload]) -> None:
    """Every interval of every request that was taken, in one message each, with its value."""
    updates = [message for message in told if isinstance(message, UpdateReport)]
    reports = [report for message in updates for report in message.reports]
    for key in script.served:
        kind = kind_of(key)
        start = instant(script.asked[key]["asked_at"]).replace(microsecond=0)
        expected = [start + number * GRANULARITY for number in range(INTERVALS[kind])]
        mine = [report for report in reports if report.report_request_id == key]
        for r_id, value_w in POINTS.items():
            values = list(values_of(mine, r_id))
            assert sorted(at for at, _ in values) == expected, (key, r_id)
            assert {value for _, value in values} == {kw_from_watts(value_w)}, (key, r_id)


def values_of(reports: Sequence[Report], r_id: str) -> Iterator[tuple[datetime, object]]:
    for interval in (interval for report in reports for interval in report.intervals):
        assert interval.start is not None
        assert interval.duration == GRANULARITY
        yield from ((interval.start, p.value) for p in interval.payloads if p.r_id == r_id)


def assert_judged_well(system: OpenAdrKillSystem, told: Sequence[tuple[Payload, int]]) -> None:
    """PASS, but for what was sent again unchanged, and for requests that died with the VEN."""
    again = {name for message, count in told if count > 1 for name in names_in(message)}
    lost = {k for k, one in system.requests().items() if not one["codes"] and not one["reports"]}
    for verdict in system.look(f"/openadr/vens/{VEN_ID}/verdict")["verdicts"]:
        name = verdict["event_id"]
        if name.removeprefix("report ") in lost:
            continue
        for check in verdict["checks"]:
            repeatable = check["name"] in REPEATABLE or name.startswith("event ")
            excused = name in again and repeatable
            assert check["outcome"] == "pass" or excused, (name, check)


def names_in(message: Payload) -> Iterator[str]:
    """What a message is about, as the judge names it."""
    match message:
        case CreatedEvent():
            yield from (f"event {one.event_id}" for one in message.event_responses)
        case CreateOpt():
            yield f"opt {message.opt_id}"
        case UpdateReport():
            yield from (f"report {one.report_request_id}" for one in message.reports)
        case _:
            return
