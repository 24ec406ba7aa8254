"""What we answer to findings is for the program's policies to say."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from gateway.domain.event import GridEvent, Opt
from gateway.domain.program import Effect, Finding, Policy, Program, RuleKind, decide_opt

PROGRAM = Program(program_id="p1", name="Peak relief", utility_id="u1")
BREACH = Finding(rule=RuleKind.QUOTA, effect=Effect.BREACH, text="31 hours")
VOLUNTARY = Finding(rule=RuleKind.NOTICE, effect=Effect.VOLUNTARY, text="told late")
NOTE = Finding(rule=RuleKind.BACK_TO_BACK, effect=Effect.NOTE, text="follows e1")


@pytest.mark.row("portfolio:A7")
@pytest.mark.parametrize(
    ("policies", "found", "opt", "words"),
    [
        ({}, (BREACH,), Opt.IN, "accepts events; we follow the change of load"),
        ({}, (BREACH,), Opt.IN, "quota (breach): 31 hours"),
        ({"on_breach": Policy.OPT_OUT}, (BREACH,), Opt.OUT, "so we opt out: quota (breach)"),
        ({"on_breach": Policy.ASK}, (BREACH,), Opt.OUT, "so a person decides: quota"),
        ({"on_breach": Policy.OPT_OUT}, (VOLUNTARY, NOTE), Opt.IN, "notice (voluntary): told late"),
        ({"on_voluntary": Policy.OPT_OUT}, (VOLUNTARY,), Opt.OUT, "voluntary, so we opt out"),
        ({"on_voluntary": Policy.ASK}, (VOLUNTARY,), Opt.OUT, "voluntary, so a person decides"),
        (
            {"on_breach": Policy.OPT_OUT, "on_voluntary": Policy.OPT_OUT},
            (NOTE,),
            Opt.IN,
            "back_to_back (note): follows e1",
        ),
    ],
)
def test_the_policy_decides_and_the_finding_is_told(
    event: Callable[..., GridEvent],
    policies: dict[str, Policy],
    found: tuple[Finding, ...],
    opt: Opt,
    words: str,
) -> None:
    asked = event()
    one = replace(PROGRAM, **policies)  # type: ignore[arg-type]
    decision = decide_opt(one, asked, asked.created_at, found)
    assert decision.opt is opt
    assert words in decision.cause


def test_a_cancellation_is_acknowledged_whatever_was_found(
    event: Callable[..., GridEvent],
) -> None:
    one = replace(PROGRAM, on_breach=Policy.OPT_OUT)
    asked = event().cancel()
    assert decide_opt(one, asked, asked.created_at, (BREACH,)).cause == "cancellation acknowledged"
