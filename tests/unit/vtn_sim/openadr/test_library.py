"""Every procedure of the library with a VEN that does all of it, and with one that does not."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from contracts.openadr.payloads import (
    Availability,
    CancelOpt,
    CancelPartyRegistration,
    CreateOpt,
    OptType,
    QualifiedEventId,
    Target,
)
from support.openadr_scripted_ven import ScriptedVen
from vtn_sim.openadr.procedures import UnknownProcedureError, procedure, procedures
from vtn_sim.openadr.script import Script

ROWS = [
    *(f"R{n}" for n in range(1, 11)),
    *(f"E{n}" for n in range(1, 20)),
    *(f"O{n}" for n in range(1, 6)),
    *(f"P{n}" for n in range(1, 12)),
    *(f"S{n}" for n in range(1, 5)),
]


def test_every_row_of_the_table_has_a_procedure() -> None:
    covered = {row for one in procedures().values() for row in one.rows}
    assert [row for row in ROWS if row not in covered] == []
    with pytest.raises(UnknownProcedureError, match="Z9"):
        procedure("Z9")


def create_opt(ven: ScriptedVen, **content: Any) -> CreateOpt:
    return CreateOpt(
        **{
            "request_id": ven.fresh(),
            "opt_id": f"opt-{ven.numbers}",
            "opt_type": OptType.OUT,
            "reason": "overrideStatus",
            "ven_id": ven.ven_id,
            "created_at": ven.clock.now(),
            **content,
        }
    )


def once(act: Callable[[ScriptedVen], bool]) -> Callable[[ScriptedVen], None]:
    done = False

    def hook(ven: ScriptedVen) -> None:
        nonlocal done
        done = done or act(ven)

    return hook


def opt_out(ven: ScriptedVen) -> bool:
    """Change one's mind about the first event known."""
    for event_id, (number, _) in ven.known.items():
        event = QualifiedEventId(event_id=event_id, modification_number=number)
        ven.opted[event_id] = OptType.OUT
        ven.say("EiOpt", create_opt(ven, event=event))
        return True
    return False


def schedule(ven: ScriptedVen) -> bool:
    hour = timedelta(hours=1)
    spans = tuple(Availability(start=ven.clock.now() + n * hour, duration=hour) for n in (1, 5))
    target = Target(resource_ids=("depot-1",))
    ven.say("EiOpt", create_opt(ven, reason="x-schedule", availability=spans, target=target))
    return True


def create_and_cancel(ven: ScriptedVen) -> bool:
    opt = create_opt(ven, reason="x-schedule")
    ven.say("EiOpt", opt)
    ven.say("EiOpt", CancelOpt(request_id=ven.fresh(), opt_id=opt.opt_id, ven_id=ven.ven_id))
    return True


def leave(ven: ScriptedVen) -> bool:
    assert ven.registration_id is not None
    message = CancelPartyRegistration(
        request_id=ven.fresh(), registration_id=ven.registration_id, ven_id=ven.ven_id
    )
    ven.say("EiRegisterParty", message)
    ven.poll_s = 1000.0
    return True


HANDS = {"R6": leave, "O1": opt_out, "O2": schedule, "O3": create_and_cancel, "O4": schedule}
HANDS["O5"] = opt_out


@pytest.mark.parametrize("name", sorted(procedures()))
async def test_a_good_ven_passes(world: Any, name: str) -> None:
    chosen = procedure(name)
    async with world(signed="signatures" in chosen.needs) as w:
        run = w.runs.add_procedure(chosen, "ven-1")
        await w.clock.advance(1.0)
        if name in HANDS:
            w.ven.hooks.append(once(HANDS[name]))
        await w.play(run)
        assert run.outcome == "pass", run.text


BAD = [
    ("E2", "answers-nothing", "no answer"),
    ("E2", "answers-twice", "answered twice"),
    ("E2", "wrong-request-id", "requestIDs it was not sent with"),
    ("E2B", "answers-never", "1 came"),
    ("E3", "coerces-ids", "452"),
    ("E4", "takes-older", "0 came"),
    ("P3", "doubles-reports", "twice"),
    ("P3", "overlaps", "overlap"),
    ("P3B", "skips-intervals", "nothing from"),
    ("P6", "reports-on", "after its end"),
    ("R8", "polls-too-often", "6 at most"),
]


@pytest.mark.parametrize(("name", "misdeed", "says"), BAD)
async def test_a_bad_ven_fails_and_is_told_why(
    world: Any, name: str, misdeed: str, says: str
) -> None:
    async with world(misdeeds={misdeed}) as w:
        run = await w.play(w.runs.add_procedure(procedure(name)))
        assert run.outcome == "fail", run.text
        assert says in run.text


@pytest.mark.parametrize("name", ["S3A", "S3B", "S3C", "S3D", "S3E", "S3F"])
async def test_a_ven_that_believes_everything_fails(world: Any, name: str) -> None:
    async with world(signed=True) as w:
        w.ven.verifier = None
        run = await w.play(w.runs.add_procedure(procedure(name)))
        assert run.outcome == "fail", run.text


async def test_a_run_without_a_ven_makes_way_for_the_next(world: Any) -> None:
    async with world() as w:
        first = w.runs.add("absent", Script(register_within_s=5), "nobody")
        second = w.runs.add_procedure(procedure("E1"))
        await w.play(second)
        assert (first.outcome, second.outcome) == ("fail", "pass")
        assert "no VEN within 5 s" in first.text


async def test_a_step_that_is_not_possible_ends_the_run_with_its_reason(world: Any) -> None:
    steps = [
        {
            "after": {"event": {"event": "none", "status": "active"}},
            "do": {"action": "clear-faults"},
        }
    ]
    script = Script.model_validate(
        {"steps": steps, "expect": [{"registered": True, "after_step": 1}]}
    )
    async with world() as w:
        run = await w.play(w.runs.add("impossible", script))
        assert run.outcome == "fail"
        assert "no event 'none'" in run.text
        again = await w.play(w.runs.add_procedure(procedure("E1")))
        assert again.outcome == "pass"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ({"expect": [{}]}, "one of message, answer"),
        ({"expect": [{"registered": True, "message": {"name": "x"}}]}, "one of message, answer"),
        ({"steps": [{"after": {}, "do": {"action": "clear-faults"}}]}, "wait for one of"),
        ({"steps": [{"do": {"action": "dance"}}]}, "dance"),
        ({"steps": [{"do": {"action": "announce", "signals": []}}]}, "signals"),
    ],
)
def test_mistakes_in_scripts_are_named(content: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValidationError, match=reason):
        Script.model_validate(content)
