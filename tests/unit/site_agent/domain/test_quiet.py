"""When an agent may start anew."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from contracts.site_link.messages import InstructionState
from site_agent.domain.device import ChargerState
from site_agent.domain.instruction import SiteInstruction
from site_agent.domain.mode import Mode
from site_agent.domain.quiet import unquiet
from site_agent.flows.orders.acceptance import in_domain_words
from support.site import NOON, charger, instruction, snapshot

AHEAD = timedelta(minutes=6)


def event(starts_in_min: float, *, standing: bool = False) -> SiteInstruction:
    sent = instruction(50_000.0, start=NOON + timedelta(minutes=starts_in_min))

    return replace(in_domain_words(sent, InstructionState.STORED), standing=standing)


@pytest.mark.row("portfolio:L5")
@pytest.mark.parametrize(
    ("held", "mode", "chargers", "why"),
    [
        ([], Mode.NORMAL, [charger(limit_a=16.0)], ""),
        ([event(5)], Mode.NORMAL, [], "event e1 is in force, or soon will be"),
        ([event(-5)], Mode.PEAK_AVOIDANCE, [], "event e1 is in force, or soon will be"),
        ([event(7)], Mode.NORMAL, [], ""),
        ([event(-31)], Mode.NORMAL, [], ""),
        ([event(-5, standing=True)], Mode.NORMAL, [], ""),
        ([], Mode.ISLAND, [], "the site runs on its own"),
        ([], Mode.NORMAL, [charger(limit_a=None)], "the limit of a is not certain"),
        ([], Mode.NORMAL, [charger(limit_a=16.0, obeys=False)], "the limit of a is not certain"),
        ([], Mode.NORMAL, [charger(limit_a=None, plugged=False)], ""),
        ([], Mode.NORMAL, [charger(limit_a=None, online=False)], ""),
    ],
)
def test_quiet(
    held: list[SiteInstruction], mode: Mode, chargers: list[ChargerState], why: str
) -> None:
    here = snapshot(chargers=chargers)
    assert unquiet(here, mode, held, AHEAD) == why
