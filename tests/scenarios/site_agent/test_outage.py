"""Runs the table of outages: look after look, a second apart, from what is seen to what counts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from site_agent.domain.grid.outage import GridPolicy, answers, look
from site_agent.domain.grid.watch import LIVE, Grid, GridState, step, taken_up
from site_agent.domain.site import SiteSnapshot
from support import site
from support.site import NOON, reading

Case = dict[str, Any]
CASES: list[Case] = yaml.safe_load(Path(__file__).with_name("outage.yaml").read_text())
POLICY = GridPolicy()


@pytest.mark.row("site:E11")
@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_outage(case: Case) -> None:
    assert set(case) <= {"name", "looks", "expect", "restart"}, "a misspelt key tests nothing"
    state, heard = _start(case), False
    last = max(case["expect"])
    for second in range(last + 1):
        now = NOON + timedelta(seconds=second)
        snapshot = _seen(case["looks"], second, now)
        heard = heard or answers(snapshot)
        state = step(state, look(snapshot, heard=heard), now, POLICY)
        if second in case["expect"]:
            assert state.grid.value == case["expect"][second], f"at {second} s"


@pytest.mark.parametrize(("closed", "state"), [(True, Grid.OUTAGE), (False, Grid.LIVE)])
def test_the_contact_of_a_transfer_switch_outranks_all(closed: bool, state: Grid) -> None:
    now, found = NOON, LIVE
    for second in range(4):
        now = NOON + timedelta(seconds=second)
        snapshot = _seen([[0, "live" if closed else "dead"]], second, now)
        found = step(found, look(snapshot, closed), now, POLICY)
    assert found.grid is state


def _start(case: Case) -> GridState:
    if "restart" not in case:
        return LIVE
    kept = GridState(grid=Grid(case["restart"]["state"]), since=NOON - timedelta(hours=1))
    return taken_up(kept, NOON)


def _seen(looks: Sequence[Sequence[Any]], second: int, now: datetime) -> SiteSnapshot:
    what = next(what for at, what in reversed(looks) if at <= second)
    silent, metered = what == "silent", what not in ("silent", "unknown")
    volts = {"live": 231.0, "formed": 231.0, "dead": 0.0}.get(what)
    battery = replace(site.battery(), islanded=what == "formed")
    snapshot = site.snapshot(
        building_w=10_000.0 if metered else None,
        chargers=[site.charger("a", online=not silent)],
        batteries=[battery],
    )
    pcc = replace(snapshot.pcc, voltage_v=None if volts is None else reading(volts, now))
    power = replace(pcc.power_w, at=now)
    return replace(snapshot, at=now, pcc=replace(pcc, power_w=power))
