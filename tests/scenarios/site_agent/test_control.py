"""Runs the decision tables: what one cycle decides, given what it sees and what limits it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from site_agent.domain.decide.control import Decision, decide
from site_agent.domain.device import PHASES, BatteryState, ChargerState, Lapse, PvState
from site_agent.domain.fleet.need import VehicleNeed
from site_agent.domain.protect.envelope import Side
from site_agent.domain.site import ROOT, CircuitNode, SiteSnapshot
from support import site

Case = dict[str, Any]
HOUR = timedelta(hours=1)
TABLES = ("control.yaml", "bounds.yaml")
CASES: list[Case] = [
    case for table in TABLES for case in yaml.safe_load(Path(__file__).with_name(table).read_text())
]
_ASKED = {"event_kw", "export_kw", "load_kw", "generation_kw", "storage_kw", "energize"}
_KEYS = {
    "given": {"building_kw", "meter_kw", "pv_kw", "pv", "chargers", "needs", "battery"},
    "limit": _ASKED | {"standing", "contract_kw", "root_a", "nodes", "max_building_kw", "brief"},
    "expect": {"chargers", "causes", "binding", "unmet", "battery_kw", "battery", "pv_limit_kw"}
    | {"pv"},
}


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_decision(case: Case) -> None:
    for part, known in _KEYS.items():
        assert set(case.get(part, {})) <= known, "a misspelt key tests nothing"
    snapshot, limits = _snapshot(case), case.get("limit", {})
    asked = {
        f"{key.removesuffix('_kw')}_w": _watts(limits[key])
        for key in _ASKED - {"energize"}
        if key in limits
    }
    envelope = site.envelope(
        snapshot.model,
        **asked,
        energize=limits.get("energize"),
        standing=limits.get("standing", False),
    )
    _check(case["expect"], decide(snapshot, envelope))


def _check(expect: Case, decision: Decision) -> None:
    limits = {c.evse_id: c.limit_a for c in decision.chargers}
    assert {n: limits[n] for n in expect.get("chargers", {})} == pytest.approx(
        expect.get("chargers", {}), abs=0.05
    )
    causes = {c.evse_id: c.cause for c in decision.chargers}
    for name, words in expect.get("causes", {}).items():
        assert words in causes[name]
    for words in _all(expect.get("binding", [])):
        assert words in decision.binding
    assert set(decision.unmet) == set(expect.get("unmet", {}) or decision.unmet)
    for side, words in expect.get("unmet", {}).items():
        assert words in decision.unmet[Side(side)]
    assert all(expect.get("battery", "") in battery.cause for battery in decision.batteries)
    if "battery_kw" in expect:
        power_w = sum(battery.power_w for battery in decision.batteries)
        assert power_w == pytest.approx(expect["battery_kw"] * 1000, abs=20)
    if "pv_limit_kw" in expect:
        (pv,) = decision.pv
        assert pv.limit_w == pytest.approx(_watts(expect["pv_limit_kw"]), abs=20)
    for one in decision.pv:
        if one.pv_id in expect.get("pv", {}):
            assert one.limit_w == pytest.approx(_watts(expect["pv"][one.pv_id]), abs=20)


def _snapshot(case: Case) -> SiteSnapshot:
    given, limits = case["given"], case.get("limit", {})
    chargers = [_charger(name, facts) for name, facts in given.get("chargers", {}).items()]
    batteries = [_battery(given["battery"])] if "battery" in given else []
    inverters = [_pv(name, facts) for name, facts in given.get("pv", {}).items()]
    if "pv_kw" in given:
        inverters.append(site.pv(_watts(given["pv_kw"])))
    depot = site.snapshot(
        building_w=given.get("building_kw", 10) * 1000,
        chargers=chargers,
        batteries=batteries,
        pv_states=inverters,
        needs=[_need(c.spec.evse_id, given.get("needs", {})) for c in chargers],
        of=site.model(
            [c.spec for c in chargers],
            nodes=[
                CircuitNode(
                    node_id=name, parent=ROOT, limit_a=amps, brief_overload=limits.get("brief", 0)
                )
                for name, amps in limits.get("nodes", {}).items()
            ],
            root_a=limits.get("root_a", 400),
            contract_w=limits.get("contract_kw", 200) * 1000,
            max_building_w=limits.get("max_building_kw", 50) * 1000,
            batteries=[b.spec for b in batteries],
            pv_specs=[p.spec for p in inverters],
        ),
    )
    if "meter_kw" not in given:
        return depot
    return _replace_meter(depot, _watts(given["meter_kw"]))


def _replace_meter(depot: SiteSnapshot, power_w: float | None) -> SiteSnapshot:
    return SiteSnapshot(
        at=depot.at,
        model=depot.model,
        pcc=site.meter(power_w),
        chargers=depot.chargers,
        batteries=depot.batteries,
        pv=depot.pv,
        needs=depot.needs,
    )


def _charger(name: str, facts: Case) -> ChargerState:
    spec = site.charger_spec(
        name, facts.get("node", ROOT), phases=tuple(facts.get("phases", PHASES))
    )
    state = site.charger(
        spec,
        drawn_a=facts["draws"],
        limit_a=facts.get("limit"),
        since=site.NOON - timedelta(seconds=facts.get("since_s", 3600)),
        at=site.NOON - timedelta(seconds=facts.get("sampled_s", 0)),
        plugged=facts.get("plugged", True),
        online=facts.get("online", True),
        obeys=facts.get("obeys", True),
    )
    lapse = Lapse(facts.get("lapse", "device"))
    return replace(
        state,
        lapse=lapse,
        ceiling_a=facts.get("ceiling"),
        controllable=facts.get("controllable", True),
    )


def _need(name: str, needs: Case) -> VehicleNeed:
    facts = needs.get(name, {"kwh": 20, "hours": 4})
    need = site.need(name, wh=facts["kwh"] * 1000, hours=facts["hours"], rank=facts.get("rank", 0))
    wanted_h = facts.get("wanted")
    return need if wanted_h is None else replace(need, wanted_at=site.NOON + wanted_h * HOUR)


def _battery(facts: Case) -> BatteryState:
    return site.battery(
        power_w=_watts(facts.get("power_kw", 0)),
        soc_pct=facts["soc"],
        confirmed_w=_watts(facts.get("asked_kw")),
        since=site.NOON - timedelta(seconds=facts.get("since_s", 3600)),
        rated_w=facts.get("rated_kw", 50) * 1000,
        online=facts.get("online", True),
        lapse=Lapse(facts.get("lapse", "device")),
    )


def _pv(name: str, facts: Case) -> PvState:
    return site.pv(
        _watts(facts["makes"]),
        rated_w=facts.get("rated", 40) * 1000,
        online=facts.get("online", True),
        takes_limits=facts.get("takes_limits", True),
        obeys=facts.get("obeys", True),
        pv_id=name,
    )


def _all(words: str | list[str]) -> list[str]:
    return [words] if isinstance(words, str) else words


def _watts(power_kw: float | None) -> float | None:
    return None if power_kw is None else power_kw * 1000
