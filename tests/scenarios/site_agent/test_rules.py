"""Runs the table of rules: from YAML as people write it to what is asked of devices."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import yaml
from pydantic import TypeAdapter

from site_agent.config.rules import RuleSettings, rules_of
from site_agent.domain.mode import Mode
from site_agent.domain.price import NO_PRICE, PriceView, price_view
from site_agent.domain.rules.circumstances import Circumstances, circumstances
from site_agent.domain.rules.defaults import DEFAULT_RULES
from site_agent.domain.rules.evaluate import Verdict, evaluate
from site_agent.domain.rules.rule import Rule
from support import site

Case = dict[str, Any]
CASES: list[Case] = yaml.safe_load(Path(__file__).with_name("rules.yaml").read_text())
BERLIN = ZoneInfo("Europe/Berlin")
_KEYS = {
    "given": {"building_kw", "battery", "vehicles", "price", "prices", "event_kw", "mode"},
    "expect": {"battery_kw", "vehicles_kw", "import_kw", "holding", "others", "limits_kw"}
    | {"cause"},
}
_RULES: TypeAdapter[tuple[RuleSettings, ...]] = TypeAdapter(tuple[RuleSettings, ...])


@pytest.mark.row("site:E9")
@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_rules(case: Case) -> None:
    for part, known in _KEYS.items():
        assert set(case.get(part, {})) <= known, "a misspelt key tests nothing"
    verdict = evaluate(_rules(case["rules"]), _seen(case), frozenset(case.get("held", ())))
    _check(case["expect"], verdict)


def _check(expect: Case, verdict: Verdict) -> None:
    guidance = verdict.guidance
    battery_kw = expect.get("battery_kw")
    if battery_kw is None:
        assert guidance.storage_w is None
    else:
        assert guidance.storage_w is not None
        assert guidance.storage_w.value == pytest.approx(battery_kw * 1000)
    vehicles = {name: bound.value / 1000 for name, bound in guidance.vehicles_w.items()}
    assert vehicles == pytest.approx(expect.get("vehicles_kw", {}))
    target = None if guidance.import_w is None else guidance.import_w.value / 1000
    assert target == expect.get("import_kw")
    limits = {one.side.value: one.bound.value / 1000 for one in verdict.limits}
    assert limits == expect.get("limits_kw", {})
    assert all(one.bound.cause == expect["cause"] for one in verdict.limits)
    assert list(verdict.holding) == expect.get("holding", list(verdict.holding))
    for name, why in expect.get("others", {}).items():
        assert verdict.others[name] == why


def _rules(written: Any) -> tuple[Rule, ...]:
    return DEFAULT_RULES if written == "default" else rules_of(_RULES.validate_python(written))


def _seen(case: Case) -> Circumstances:
    given = case.get("given", {})
    at = datetime.fromisoformat(case.get("at", "2026-01-05T12:00")).replace(tzinfo=BERLIN)
    now = at.astimezone(UTC)
    vehicles = given.get("vehicles", {})
    store = given.get("battery", {})
    gives_w = store.get("gives_kw", 0) * 1000
    building = given.get("building_kw", 10)
    picture = site.snapshot(
        building_w=None if building is None else building * 1000,
        chargers=[site.charger(name) for name in vehicles],
        batteries=[site.battery(power_w=-gives_w, soc_pct=store.get("soc_pct", 50))],
        needs=[
            replace(
                site.need(name, wh=20_000.0, rank=facts.get("rank", 0)),
                vehicle_id=f"van-{name}",
                departure=site.NOON + timedelta(hours=facts["spare_h"] + 20_000 / 22_080),
            )
            for name, facts in vehicles.items()
        ],
    )
    event_kw = given.get("event_kw")
    limits = site.envelope(picture.model, None if event_kw is None else event_kw * 1000)
    seen = circumstances(picture, limits, BERLIN, price=_price(given), mode=_mode(given))
    moved = now - site.NOON
    present = tuple(
        replace(one, need=one.need and replace(one.need, departure=one.need.departure + moved))
        for one in seen.present
    )
    return replace(seen, local=at, present=present)


def _price(given: Case) -> PriceView:
    if "price" not in given:
        return NO_PRICE
    return price_view(given["price"], given.get("prices", []))


def _mode(given: Case) -> Mode | None:
    return Mode(given["mode"]) if "mode" in given else None
