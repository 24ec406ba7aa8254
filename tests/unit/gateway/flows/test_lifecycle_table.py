"""The decision table of an event's life: every turn is written down, and is what happened."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from _pytest.mark import ParameterSet

from contracts.time import Interval
from gateway.domain.event import EventSource, GridEvent, Opt, SignalKind
from gateway.domain.program import Policy, Program, Rules
from gateway.domain.program.joining import Beside, Exclusivity
from gateway.domain.program.notice import Notice
from gateway.flows.events.desk import Ask, Change
from gateway.store.database import Database

Case = dict[str, Any]
World = Any
KEY = "u1/e1"
MINUTE = timedelta(minutes=1)
TABLE = yaml.safe_load((Path(__file__).parent / "lifecycle.yaml").read_text(encoding="utf-8"))
CRISIS = Program(program_id="crisis", name="Crisis", utility_id="u2", emergency=True)
ALONE = Rules(exclusivity=(Exclusivity(others=("relief",), beside=Beside.NOT),))
OTHERS = {"": (), "beside": (CRISIS,), "instead": (replace(CRISIS, rules=ALONE),)}


def cases() -> list[ParameterSet]:
    return [pytest.param(case, id=case["name"]) for case in TABLE]


class Story:
    """Does what a case says to a gateway at work, minute by minute."""

    def __init__(self, world: World, event: Callable[..., GridEvent]) -> None:
        self.world, self.event = world, event
        self.noon: datetime = event().window.start
        self.said: list[str] = []

    async def tell(self, step: Case) -> None:
        """One step, at its minute."""
        await self._wait_until(step.pop("at"))
        ((what, how),) = step.items()
        await getattr(self, f"_{what}")(how)
        await self.world.settle()
        await self.world.lifecycle.tick()
        await self.world.settle()

    async def _wait_until(self, minute: float) -> None:
        while (left := self.noon + minute * MINUTE - self.world.clock.now()) > timedelta(0):
            await self.world.pass_time(min(1.0, left / MINUTE))
            await self.world.lifecycle.tick()
            await self.world.settle()

    async def _tick(self, _: object) -> None:
        """Only time passes."""

    async def _receive(self, how: Case) -> None:
        event = self._made(how)
        answer = await self.world.intake.receive([event])
        self.said.append(answer[event.key].opt.value)

    async def _enter(self, how: Case) -> None:
        await self.world.desk.enter(replace(self._made(how), source=EventSource.MANUAL))

    async def _withdraw(self, cause: str) -> None:
        await self.world.intake.withdraw(KEY, cause)

    async def _refuse(self, cause: str) -> None:
        await self.world.intake.note(KEY, "modification 0 refused, code 459", cause)

    async def _decide(self, opt: str) -> None:
        await self.world.desk.decide(KEY, Opt(opt), "the operator")

    async def _change(self, how: Case) -> None:
        window = Interval(start=self.noon, end=self.noon + how["end"] * MINUTE)
        ask = Ask(kind=SignalKind.DELTA_W, value=how["kw"] * 1000.0)
        change = Change(revision=how["revision"], window=window, ask=ask)
        await self.world.desk.change(KEY, change, "telephone")

    async def _cancel(self, cause: str) -> None:
        await self.world.desk.cancel_entered(KEY, cause)

    async def _opt_out(self, site_id: str) -> None:
        await self.world.intake.opt_out_site(KEY, site_id, "the owner")

    async def _opt_in(self, site_id: str) -> None:
        await self.world.intake.opt_in_site(KEY, site_id, "the owner")

    def _made(self, how: Case) -> GridEvent:
        made = self.event(
            how.get("name", "e1"),
            how.get("start", 0),
            how.get("end", 30),
            how.get("kw", -60) * 1000.0,
            utility_id=how.get("utility", "u1"),
            program_id=how.get("program", "relief"),
            priority=how.get("priority", 0),
            modification=how.get("mod", 0),
            cancelled=how.get("cancelled", False),
            ramp_up=how.get("ramp", 0) * MINUTE,
        )
        return replace(made, created_at=self.noon + how.get("created", -90) * MINUTE)


@pytest.mark.row("portfolio:X1")
@pytest.mark.parametrize("case", cases())
async def test_every_turn_is_written_down_and_is_what_happened(
    case: Case, make_world: Callable[..., World], event: Callable[..., GridEvent]
) -> None:
    database = Database.in_memory()
    others = OTHERS[case.get("others", "")]
    async with make_world(database, program=_program(case), others=others).running() as world:
        await world.ready()
        story = Story(world, event)
        for step in case["do"]:
            await story.tell(dict(step))
        assert story.said == case.get("says", [])
        await _stands(world, case["then"])
        await _is_written(world, case)
        _is_told(world, case.get("sites", ""))
        await _told_is_written(world)
    database.close()


def _program(case: Case) -> Program:
    said = case.get("program", {})
    notices = (Notice(lead=30 * MINUTE),) if said.get("notice", True) else ()
    return Program(
        program_id="relief",
        name="Peak relief",
        utility_id="u1",
        on_breach=Policy(said.get("on_breach", "accept")),
        observe_after=10 * MINUTE,
        rules=Rules(notices=notices),
    )


async def _stands(world: World, then: Case) -> None:
    stored = await world.ledger.event(KEY)
    if then["status"] == "unknown":
        assert stored is None
        return
    assert stored.event.status(world.clock.now()).value == then["status"]
    assert (stored.decision.opt.value, stored.decision.by.value) == (then["opt"], then["by"])
    if "modification" in then:
        assert stored.event.modification == then["modification"]
    if "report" in then:
        assert (await world.ledger.report(KEY) is not None) is then["report"]


async def _is_written(world: World, case: Case) -> None:
    """The turns are there in their order, each with its cause, and none in between is another."""
    journal = [(e.action, e.cause) for e in await world.ledger.journal(KEY)]
    assert all(action and cause for action, cause in journal if "instruction" not in action)
    at = 0
    for line in case["journal"]:
        action, _, part = line.partition(" | ")
        found = [n for n in range(at, len(journal)) if _fits(journal[n], action, part)]
        assert found, f"{line!r} is not in {journal[at:]}"
        at = found[0] + 1
    actions = [action for action, _ in journal]
    assert [a for a in case.get("once", ()) if actions.count(a) != 1] == []
    assert [a for a in case.get("never", ()) if a in actions] == []


def _fits(entry: tuple[str, str], action: str, part: str) -> bool:
    return entry[0] == action and part in entry[1]


def _is_told(world: World, wanted: str) -> None:
    """What depot-1 has taken last."""
    taken = world.sites["depot-1"].taken
    if wanted == "never":
        assert taken == []
    elif wanted:
        last = [one for one in taken if one.event_id == KEY][-1]
        assert bool(last.steps) is (wanted == "limit")


async def _told_is_written(world: World) -> None:
    """Every instruction that a site has taken is in the journal, of the event and of the site."""
    for site_id, site in world.sites.items():
        for key in {one.event_id for one in site.taken}:
            sent = [one for one in site.taken if one.event_id == key]
            for subject, of in ((key, site_id), (site_id, key)):
                entries = await world.ledger.journal(subject)
                verbs = [e.action for e in entries if e.action.startswith(f"{of}: ")]
                told = [v for v in verbs if v.endswith((": instructed", ": withdrawn"))]
                assert len(told) == len(sent), f"{subject}: {verbs}"
