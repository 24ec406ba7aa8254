"""Which instructions a site will not have."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from contracts.site_link.messages import Fallback, Instruction, InstructionState
from site_agent.domain.instruction import Bounds
from site_agent.flows.orders.acceptance import in_domain_words, refusal
from support.site import NOON, battery, instruction, model, pv

HOUR = timedelta(hours=1)
SITE = model(batteries=[battery().spec], pv_specs=[pv().spec])  # can export 90 kW
GOOD = instruction(50_000.0, 60_000.0, fallback_w=70_000.0, expires_at=NOON + 2 * HOUR)
FIRST, SECOND = GOOD.steps


def reason(made: Instruction, *held: Instruction) -> str | None:
    history = [(one, InstructionState.STORED) for one in held]
    refused = refusal(made, history, SITE, NOON)
    return None if refused is None else refused.reason


@pytest.mark.parametrize(
    "made",
    [
        GOOD,
        replace(GOOD, start=NOON - HOUR),
        replace(GOOD, steps=()),
        replace(GOOD, steps=(replace(FIRST, import_limit_w=-90_000.0),)),
        replace(GOOD, steps=(replace(FIRST, export_limit_w=0.0),)),
        replace(GOOD, steps=(replace(FIRST, import_limit_w=None),)),
        replace(GOOD, steps=(replace(FIRST, load_limit_w=0.0, generation_limit_w=0.0),)),
        replace(GOOD, steps=(replace(FIRST, import_limit_w=-9.0, generation_limit_w=-10.0),)),
        replace(GOOD, steps=(replace(FIRST, storage_power_w=-900_000.0),)),
        replace(GOOD, steps=(replace(FIRST, energize=False),)),
    ],
)
def test_sound_ones_are_taken(made: Instruction) -> None:
    assert reason(made) is None


@pytest.mark.parametrize(
    ("made", "words"),
    [
        (replace(GOOD, site_id="other"), "for site 'other', but this is 'depot'"),
        (replace(GOOD, expires_at=NOON), "expired at 2026-01-05T12:00:00+00:00"),
        (replace(GOOD, expires_at=NOON + timedelta(days=32)), "more than 31 days ahead"),
        (replace(GOOD, start=NOON + 2 * HOUR), "expires before it starts"),
        (replace(GOOD, steps=(replace(FIRST, end=NOON),)), "step 1 ends before it starts"),
        (replace(GOOD, start=NOON + HOUR), "step 1 lies outside"),
        (replace(GOOD, steps=(FIRST, replace(SECOND, end=NOON + 3 * HOUR))), "step 2 lies outside"),
        (replace(GOOD, steps=(SECOND, FIRST)), "steps overlap or are out of order"),
        (replace(GOOD, steps=(FIRST, FIRST)), "steps overlap or are out of order"),
        (
            replace(GOOD, steps=(replace(FIRST, import_limit_w=-90_001.0),)),
            "import limit -90001 W: this site can export 90000 W",
        ),
        (
            replace(GOOD, steps=(replace(FIRST, import_limit_w=-9.0, generation_limit_w=-8.0),)),
            "import limit -9 W: this site can export 8 W",
        ),
        (
            replace(GOOD, fallback=Fallback(import_limit_w=-9.0, energize=False)),
            "import limit -9 W: this site can export 0 W",
        ),
        (
            replace(GOOD, steps=(replace(FIRST, export_limit_w=5.0),)),
            "export limit 5 W is not negative",
        ),
        (
            replace(GOOD, fallback=Fallback(import_limit_w=-60_000.0, export_limit_w=-50_000.0)),
            "import limit -60000 W lies below export limit -50000 W",
        ),
    ],
)
def test_the_rest_is_refused_with_the_reason(made: Instruction, words: str) -> None:
    assert words in (reason(made) or "taken")


def test_everything_asked_is_known_to_the_domain() -> None:
    step = replace(
        FIRST,
        import_limit_w=1.0,
        export_limit_w=-2.0,
        load_limit_w=3.0,
        generation_limit_w=-4.0,
        storage_power_w=5.0,
        energize=False,
    )
    fallback = Fallback(load_limit_w=6.0, energize=True)
    made = replace(GOOD, steps=(step,), fallback=fallback, standing=True)
    held = in_domain_words(made, InstructionState.STORED)
    assert held.steps[0].bounds == Bounds(
        import_w=1.0, export_w=-2.0, load_w=3.0, generation_w=-4.0, storage_w=5.0, energize=False
    )
    assert held.fallback == Bounds(load_w=6.0, energize=True)
    assert held.standing


def test_an_older_one_of_the_same_event_is_refused() -> None:
    newer = instruction(40_000.0, seq=2)
    assert reason(GOOD, newer) == "number 1 is older than 2, already held"
    assert reason(newer, GOOD) is None
