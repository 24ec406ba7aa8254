from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from site_agent.devices.ocpp.compliance import Compliance

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


CASES = [
    # limits (s, A), measurements (s, A), obeys at the end
    ("follows", [(0, 16)], [(40, 16.0), (50, 16.5)], True),
    ("within 1 A", [(0, 6)], [(40, 7.0), (50, 6.9)], True),
    ("within 5 %", [(0, 32)], [(40, 33.5), (50, 33.6)], True),
    ("one spike", [(0, 16)], [(40, 32.0), (50, 16.0), (60, 32.0)], True),
    ("ignores", [(0, 16)], [(40, 32.0), (50, 32.0)], False),
    ("too early to tell", [(0, 16)], [(10, 32.0), (20, 32.0), (29, 32.0)], True),
    ("slow after a cut", [(0, 32), (100, 10)], [(110, 32.0), (120, 32.0), (129, 30.0)], True),
    ("never cut", [(0, 32), (100, 10)], [(135, 32.0), (140, 32.0)], False),
    ("stepped down often", [(0, 32), (100, 25), (110, 20), (120, 15)],
     [(115, 32.0), (125, 32.0), (129, 32.0)], True),
    ("behind the steps", [(0, 32), (100, 25), (110, 20), (120, 15)],
     [(135, 32.0), (140, 32.0)], False),
    ("comes round", [(0, 16)], [(40, 32.0), (50, 32.0), (60, 16.0)], True),
    ("no limit", [], [(40, 32.0), (50, 32.0)], True),
]  # fmt: skip


@pytest.mark.parametrize(("_name", "limits", "measured", "obeys"), CASES, ids=lambda v: str(v)[:20])
def test_compliance(
    _name: str,
    limits: list[tuple[float, float]],
    measured: list[tuple[float, float]],
    obeys: bool,
) -> None:
    judge = Compliance(timedelta(seconds=30))
    steps = sorted([(s, 0, a) for s, a in limits] + [(s, 1, a) for s, a in measured])
    for second, kind, amps in steps:
        if kind == 0:
            judge.expect(amps, at(second))
        else:
            judge.observe(amps, at(second))
    assert judge.obeys is obeys


def test_disobedience_is_announced_once() -> None:
    judge = Compliance(timedelta(seconds=30))
    judge.expect(10, at(0))
    assert [judge.observe(32, at(s)) for s in (40, 50, 60)] == [False, True, False]
    judge.excuse()
    assert judge.obeys
