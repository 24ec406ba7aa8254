"""Runs the decision tables: who is at the plug, and may it charge."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from contracts.config import loads
from site_agent.config import SiteSettings
from site_agent.domain.fleet.access import Access, Running
from site_agent.domain.fleet.identity import Presented
from support.site import NOON

Case = dict[str, Any]
HERE = Path(__file__).parent
FLEET = (HERE / "identity_fleet.yaml").read_text()
STATION = ("b1", "b2")


def cases(name: str) -> pytest.MarkDecorator:
    found: list[Case] = yaml.safe_load((HERE / name).read_text())
    return pytest.mark.parametrize("case", found, ids=[case["name"] for case in found])


def access(rules: Case) -> Access:
    text = yaml.safe_dump(yaml.safe_load(FLEET) | rules)
    return loads(text, SiteSettings, name="site.yaml").access_rules()


@pytest.mark.row("site:E3")
@cases("identity.yaml")
def test_identity(case: Case) -> None:
    assert set(case) <= {"name", "at", "shown", "is"}, "a misspelt key tests nothing"
    found = access({}).identify(Presented(**case["shown"]), case.get("at", "b1"))
    said = {
        "vehicle": found.vehicle,
        "driver": found.driver,
        "group": found.group,
        "by": found.evidence.value,
        "conflicts": list(found.conflicts),
    }
    assert {name: value for name, value in said.items() if value} == case["is"]


@cases("identity_verdicts.yaml")
def test_verdict(case: Case) -> None:
    assert set(case) <= {"name", "rules", "shown", "start", "runs", "is"}, "misspelt"
    places = (case["start"],) if "start" in case else STATION
    running = [Running(evse_id=evse, token=tag) for evse, tag in case.get("runs", {}).items()]
    found = access(case.get("rules", {})).verdict(Presented(**case["shown"]), places, NOON, running)
    said = {
        "status": found.status.value,
        "group": found.group,
        "valid_until": found.valid_until,
        "evses": None if found.evses is None else sorted(found.evses),
    }
    wanted = dict(case["is"])
    if "valid_until" in wanted:
        wanted["valid_until"] = datetime.fromisoformat(wanted["valid_until"])
    assert {name: value for name, value in said.items() if value is not None} == wanted
    assert found.accepted == (wanted["status"] == "Accepted")
    assert found.cause
