"""One event from the utility to the chargers and back to a report, on real protocols.

The demo runs once (compressed to about 90 s); each test looks at another end of it.
"""

from __future__ import annotations

import os
from datetime import datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import httpx
import pypdf
import pytest

from gridyard.demo.plan import (
    EVENT_ID,
    IMPORT_LIMIT_W,
    LIMITED_SITE,
    OPT_OUT_SITE,
    QUICK,
    REDUCTION_W,
    UTILITY_ID,
)
from support.demo import RunningDemo

pytestmark = [pytest.mark.timeout(180), pytest.mark.xdist_group("realtime")]

SIDES = ("start", "end")
SITES = ("depot-north", "depot-harbour", "depot-east")
NETWORK_W = 20_000.0
"""What the network operator's limit takes of one depot besides, at the most, over the event."""
REPORT_S = QUICK.end + QUICK.observe + 60.0


@pytest.fixture(scope="module")
def report(demo: RunningDemo) -> dict[str, Any]:
    line = demo.wait_for("report", REPORT_S)
    answer = httpx.get(
        f"{demo.url}/api/v1/events/{UTILITY_ID}/{EVENT_ID}/reports/1", trust_env=False
    )
    assert answer.is_success
    document: dict[str, Any] = answer.json()
    assert document["figures"] == line["figures"]
    return document


def get(url: str, **query: str) -> Any:
    return httpx.get(url, params=query, trust_env=False).raise_for_status().json()


def start_of(demo: RunningDemo) -> datetime:
    return datetime.fromisoformat(demo.wait_for("event", 60)["event"]["start"])


def mean_w(demo: RunningDemo, site: str, start: datetime, seconds: float) -> float:
    """What the site's own meter measured, on average."""
    end = start + timedelta(seconds=seconds)
    series = get(
        f"{demo.url}/api/v1/sites/{site}/telemetry/pcc_power_w",
        start=start.isoformat(),
        end=end.isoformat(),
    )
    values = [step["value"] for step in series["steps"]]
    assert len(values) >= seconds / 4, f"{site}: only {len(values)} values in {seconds} s"
    return float(sum(values) / len(values))


def test_the_dashboard_is_there_at_once(demo: RunningDemo) -> None:
    assert demo.wait_for("dashboard", 60)["t"] < 15.0


def test_every_depot_has_a_page_of_its_own(demo: RunningDemo) -> None:
    pages = demo.wait_for("depots", 60)["urls"]
    assert len(pages) == len(SITES)
    for url in pages:
        assert get(f"{url}api/why")["kind"] == "site"
        page = httpx.get(url, timeout=30, trust_env=False)
        assert "SIMULATED" in page.text


def test_every_charger_accepts_its_limit_within_three_seconds(demo: RunningDemo) -> None:
    latency = demo.wait_for("latency", REPORT_S)
    assert set(latency["sites"]) == set(SITES)
    assert latency["seconds"] < 3.0


def test_the_meters_show_the_reduction_that_was_asked_for(
    demo: RunningDemo, report: dict[str, Any]
) -> None:
    start = start_of(demo)
    before = sum(mean_w(demo, site, start - timedelta(seconds=8), 8.0) for site in SITES)
    settled = start + timedelta(seconds=5)
    alone = QUICK.limit - QUICK.start - 5.0
    during = sum(mean_w(demo, site, settled, alone) for site in SITES)
    assert before - during == pytest.approx(REDUCTION_W, rel=0.2)
    after = start + timedelta(seconds=QUICK.duration + 4)
    assert sum(mean_w(demo, site, after, 6.0) for site in SITES) > during


@pytest.mark.row("site:A4")
@pytest.mark.usefixtures("report")
def test_every_depot_has_told_what_it_can_offer(demo: RunningDemo) -> None:
    for site in SITES:
        offer = get(f"{demo.url}/api/v1/sites/{site}/offer")
        assert len(offer["slots"]) >= 96
        assert all(slot["down_sure_w"] <= slot["down_w"] for slot in offer["slots"])


def test_the_report_agrees_with_the_meters(demo: RunningDemo, report: dict[str, Any]) -> None:
    figures = report["figures"]
    assert figures["target_mean_w"] == pytest.approx(REDUCTION_W)
    assert 0.8 * REDUCTION_W < figures["delivered_mean_w"] < 1.2 * REDUCTION_W + NETWORK_W
    assert figures["coverage"] > 0.95
    for site in report["sites"]:
        actual = [
            step["value"]
            for step in site["curves"]["actual"]["steps"]
            if step["interval"]["start"] >= report["header"]["window"]["start"]
            and step["interval"]["end"] <= report["header"]["window"]["end"]
        ]
        metered = mean_w(demo, site["site_id"], start_of(demo), QUICK.duration)
        assert sum(actual) / len(actual) == pytest.approx(metered, rel=0.08)


def test_the_report_names_its_method_and_what_went_wrong(report: dict[str, Any]) -> None:
    assert report["header"]["simulated"]
    assert not report["final"]
    kinds = {(e["kind"], e["site_id"]) for e in report["exceptions"]}
    assert ("opt-out", OPT_OUT_SITE) in kinds
    assert ("charger-offline", "depot-north") in kinds
    for site in report["sites"]:
        assert sum(day["used"] for day in site["days"]) == 10
        assert site["history_label"] == "synthetic"
        assert site["opted_out"] == (site["site_id"] == OPT_OUT_SITE)
        assert site["vehicles_total"] > 0


def test_the_utility_got_the_answer_and_the_telemetry(
    demo: RunningDemo, report: dict[str, Any]
) -> None:
    utility = str(demo.wait_for("utility", 60)["url"])
    (event,) = get(f"{utility}/api/events")
    assert [a["opt"] for d in event["deliveries"] for a in d["answers"]] == ["optIn"]
    (verdict,) = get(f"{utility}/api/events/{EVENT_ID}/verdicts")
    assert verdict["outcome"] != "fail", verdict
    known = {series["r_id"]: series for series in get(f"{utility}/api/reports")["series"]}
    window = {side: datetime.fromisoformat(report["header"]["window"][side]) for side in SIDES}
    sent = [
        (start, sample["value"])
        for sample in known["portfolio/power_w"]["samples"]
        if window["start"] <= (start := datetime.fromisoformat(sample["start"]))
        and start + timedelta(seconds=sample["duration_s"]) <= window["end"]
    ]
    assert len(sent) >= QUICK.duration / 10 - 2, "telemetry of the event is missing at the utility"
    for start, sent_kw in sent:
        metered_w = sum(mean_w(demo, site, start, 10.0) for site in SITES)
        assert sent_kw * 1000.0 == pytest.approx(metered_w, rel=0.1)


@pytest.mark.row("csip:G20")
def test_the_network_operators_limit_holds_beside_the_event(
    demo: RunningDemo, report: dict[str, Any]
) -> None:
    """It reaches the site in time, and still holds when the owner has left the event."""
    utility = str(demo.wait_for("utility", 60)["url"])
    (control,) = get(f"{utility}/api/sep2/events")
    start, end = (datetime.fromisoformat(control[side]) for side in SIDES)
    event_start = start_of(demo)
    assert event_start < start < event_start + timedelta(seconds=QUICK.duration)
    for begun in (start + timedelta(seconds=4), end - timedelta(seconds=7)):
        assert mean_w(demo, LIMITED_SITE, begun, 6.0) < 1.02 * IMPORT_LIMIT_W
    assert mean_w(demo, LIMITED_SITE, end + timedelta(seconds=10), 6.0) > IMPORT_LIMIT_W
    (verdict,) = get(f"{utility}/api/sep2/events/feeder-relief/verdicts")
    assert (verdict["outcome"], verdict["codes"]) == ("pass", [1, 2, 3]), verdict["text"]


def test_what_is_imposed_is_explained(demo: RunningDemo, report: dict[str, Any]) -> None:
    causes = [line["envelope"]["now"]["cause"] for line in demo.all("envelope")]
    assert any("opModImpLimW 36000 W" in c and "Feeder 12" in c for c in causes)
    assert all("opModExpLimW 30000 W" in cause for cause in causes), "the default holds throughout"


def test_the_pdf_is_tagged_and_says_what_it_is(demo: RunningDemo) -> None:
    files = demo.wait_for("report", REPORT_S)["files"]
    pdf = pypdf.PdfReader(BytesIO(Path(files["pdf"]).read_bytes()))
    assert "/Marked': True" in str(pdf.root_object["/MarkInfo"])
    text = " ".join(page.extract_text() for page in pdf.pages)
    for expected in ("SIMULATED", "PRELIMINARY", "Depot Flex (demo)", "North depot"):
        assert expected in text
    assert "SIMULATED" in Path(files["csv"]).read_text()


def test_ctrl_c_leaves_nothing_behind(demo: RunningDemo, report: dict[str, Any]) -> None:
    """Last: it ends the demo."""
    children = _descendants(demo.process.pid)
    assert children, "the broker should be a child of the demo"
    before = set(os.listdir())
    assert demo.stop() == 0, demo.log()
    assert [pid for pid in children if Path(f"/proc/{pid}").exists()] == []
    assert "Traceback" not in demo.log()
    assert set(os.listdir()) == before
    with pytest.raises(httpx.TransportError):
        httpx.get(f"{demo.url}/healthz", trust_env=False)


def _descendants(pid: int) -> list[int]:
    found = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        children = (task / "children").read_text().split()
        found += [int(child) for child in children]
    return found + [deeper for child in found for deeper in _descendants(child)]
