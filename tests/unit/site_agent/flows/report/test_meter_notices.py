"""The notice of a meter that is not trusted names the check and the time it took."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from contracts.site_link.messages import Severity
from site_agent.domain.trust.belief import Belief, Check, Distrust
from site_agent.flows.report.notices import METER_NOT_TRUSTED, METER_STALE, conditions
from support import site


def test_it_names_the_check_and_replaces_the_notice_of_a_stale_meter() -> None:
    distrust = Distrust(
        check=Check.FROZEN,
        words="shows 86255 W whatever devices do",
        since=site.NOON - timedelta(seconds=13),
        at=site.NOON,
    )
    lost = replace(site.snapshot(building_w=None), belief=Belief(distrust=distrust))
    raised = conditions(lost, {}, ())
    assert {code for code, _ in raised} == {METER_NOT_TRUSTED}
    (condition,) = raised.values()
    assert condition.severity is Severity.ALARM
    assert "frozen" in condition.text
    assert "86255 W" in condition.text
    assert "after 13 s" in condition.text


def test_a_dead_meter_keeps_its_own_notice() -> None:
    raised = conditions(site.snapshot(building_w=None), {}, ())
    assert {code for code, _ in raised} == {METER_STALE}
