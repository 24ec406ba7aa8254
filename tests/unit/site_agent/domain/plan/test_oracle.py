"""The plan's optimum is that of an independent formulation, solved by another solver."""

from __future__ import annotations

from dataclasses import replace

import pytest

from site_agent.domain.plan.solve import PlanSolver
from support.plan_oracle import Oracle
from support.plan_problems import random_problem


@pytest.mark.row("site:E12")
@pytest.mark.parametrize("seed", range(12))
def test_the_optimum_is_the_oracles(seed: int) -> None:
    of = random_problem(seed)
    if seed % 4 == 3:
        of = replace(of, demand=())
    assert PlanSolver().plan(of).objective == pytest.approx(
        Oracle(of).optimum(), rel=1e-6, abs=1e-6
    )
