"""The API: SI units, problem documents, pages of a list, repeatable writes."""

from datetime import timedelta
from typing import Any

import httpx
import pytest

from contracts.time import Interval
from gateway.domain.event import Opt, OptDecision
from gateway.domain.measure.report import ParticipationReport
from gateway.reports import document
from gateway.web.api.idempotency import KEPT, Answers
from support.gateway_web import EVENT, NOW, World, grid_event

API = "/api/v1"
EVENT_API = f"{API}/events/pacific-utility/evt-2026-1121"


async def get(client: httpx.AsyncClient, path: str) -> Any:
    answer = await client.get(path)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_the_portfolio_now(reader: httpx.AsyncClient) -> None:
    now = await get(reader, f"{API}/portfolio")
    assert now["at"] == "2026-11-21T01:12:30Z"
    assert now["simulated"] is True
    assert (now["sites_online"], now["sites_total"]) == (3, 3)
    assert now["baseline_w"] - now["target_w"] == pytest.approx(105_000)
    assert now["power_w"] == pytest.approx(now["target_w"], rel=0.1)
    assert now["notices"][0]["code"] == "charger-offline"
    assert now["utilities"][0]["connected"] is True


async def test_a_figure_is_null_unless_every_site_is_known(
    client: httpx.AsyncClient, world: World
) -> None:
    world.clock._now += timedelta(minutes=2)  # type: ignore[attr-defined]  # nobody waits for it
    now = await get(client, f"{API}/portfolio")
    assert now["power_w"] is None
    site = await get(client, f"{API}/sites/harbor")
    assert (site["connected"], site["power_w"]) == (False, None)
    assert site["data_age_s"] == pytest.approx(121.5)


async def test_sites(reader: httpx.AsyncClient) -> None:
    sites = await get(reader, f"{API}/sites")
    assert [site["site_id"] for site in sites] == ["north-yard", "harbor", "east"]
    assert sites[0] == await get(reader, f"{API}/sites/north-yard")
    assert sites[0]["time_zone"] == "America/Los_Angeles"
    assert sites[0]["contracted_import_w"] == 250_000.0
    vehicles = await get(reader, f"{API}/sites/north-yard/vehicles")
    assert {v["vehicle_id"]: v["on_track"] for v in vehicles} == {"bus-17": True, "bus-22": False}


@pytest.mark.row("site:A4")
async def test_the_newest_offer_of_a_site(reader: httpx.AsyncClient) -> None:
    offer = await get(reader, f"{API}/sites/north-yard/offer")
    assert (offer["step_s"], offer["notice_s"], len(offer["slots"])) == (900.0, 4.0, 24)
    second = offer["slots"][1]
    assert (second["down_w"], second["down_sure_w"], second["energy_wh"]) == (3e4, 2e4, 6e4)
    answer = await reader.get(f"{API}/sites/harbor/offer")
    assert answer.status_code == 404
    assert "has told no offer yet" in answer.text


async def test_telemetry_newest_and_series(reader: httpx.AsyncClient) -> None:
    newest = await get(reader, f"{API}/sites/harbor/telemetry")
    assert newest["readings"]["pcc_power_w"]["quality"] == "good"
    window = "start=2026-11-21T01:00:00Z&end=2026-11-21T01:12:30Z"
    path = f"{API}/sites/harbor/telemetry/pcc_power_w?{window}"
    steps = (await get(reader, path))["steps"]
    assert len(steps) == 75
    quarters = (await get(reader, f"{path}&interval_s=300"))["steps"]
    assert [q["start"] for q in quarters] == [
        "2026-11-21T01:00:00Z",
        "2026-11-21T01:05:00Z",
        "2026-11-21T01:10:00Z",
    ]
    assert quarters[0]["value"] == pytest.approx(51_000, rel=0.02)
    later = "start=2026-11-22T01:00:00Z&end=2026-11-22T02:00:00Z&interval_s=900"
    assert (await get(reader, f"{API}/sites/harbor/telemetry/x?{later}"))["steps"] == []


@pytest.mark.parametrize(
    "query",
    [
        "",
        "start=2026-11-21T01:00:00&end=2026-11-21T02:00:00Z",  # no zone
        "start=2026-11-21T02:00:00Z&end=2026-11-21T01:00:00Z",
        "start=2020-11-21T02:00:00Z&end=2026-11-21T01:00:00Z",
        "start=2026-11-20T01:00:00Z&end=2026-11-21T01:00:00Z&interval_s=1",
        "start=2026-11-21T01:00:00Z&end=2026-11-21T02:00:00Z&interval_s=0",
        "start=2026-11-21T01:00:00Z&end=2026-11-21T02:00:00Z&interval_s=nan",
    ],
)
async def test_a_window_that_makes_no_sense_is_refused(
    bare_reader: httpx.AsyncClient, query: str
) -> None:
    answer = await bare_reader.get(f"{API}/sites/harbor/telemetry/pcc_power_w?{query}")
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"


async def test_an_event_with_everything_about_it(reader: httpx.AsyncClient) -> None:
    event = await get(reader, EVENT_API)
    assert (event["status"], event["opt"]) == ("active", "optIn")
    assert event["signals"][0]["unit"] == "W"
    assert event["signals"][0]["steps"][0]["value"] == -105_000.0
    assert event["opted_out_sites"] == ["east"]
    plans = await get(reader, f"{EVENT_API}/plans")
    assert [plan["revision"] for plan in plans] == [1, 2]
    assert plans[1]["allocations"][0]["steps"][0]["reduction_w"] == 60_000.0
    sent = await get(reader, f"{EVENT_API}/instructions")
    states = [status["state"] for status in sent[-1]["statuses"]]
    assert states == ["stored", "started", "applied"]
    journal = await get(reader, f"{EVENT_API}/journal")
    assert journal[0]["action"] == "accepted"


async def test_events_come_in_pages(client: httpx.AsyncClient, world: World) -> None:
    for hour in range(1, 6):
        window = Interval.lasting(NOW + timedelta(hours=hour), timedelta(minutes=30))
        event = grid_event(window, event_id=f"later/{hour}")
        decision = OptDecision(event_key=event.key, modification=0, opt=Opt.IN, cause="")
        await world.ledger.put_event(event, decision, NOW)
    seen: list[str] = []
    token = ""
    for _ in range(4):
        page = await get(client, f"{API}/events?page_size=2{token}")
        seen += [item["event_id"] for item in page["items"]]
        if page["next_page_token"] is None:
            break
        token = f"&page_token={page['next_page_token']}"
    assert seen == ["later/5", "later/4", "later/3", "later/2", "later/1", "evt-2026-1121"]
    slashed = await get(client, f"{API}/events/pacific-utility/later%2F3")
    assert slashed["event_id"] == "later/3"


@pytest.mark.parametrize("query", ["page_token=zzz", "page_token=%C3%A9", "page_size=0"])
async def test_a_page_token_of_someone_else_is_refused(
    bare_reader: httpx.AsyncClient, query: str
) -> None:
    assert (await bare_reader.get(f"{API}/events?{query}")).status_code == 422


async def test_report_versions_never_change(
    client: httpx.AsyncClient, world: World, report: ParticipationReport
) -> None:
    await world.ledger.put_report(EVENT, document.dump(report), final=True)
    versions = await get(client, f"{EVENT_API}/reports")
    assert [(v["version"], v["final"]) for v in versions] == [(1, False), (2, True)]
    answer = await client.get(versions[0]["json_url"])
    assert "immutable" in answer.headers["cache-control"]
    assert document.load(answer.json()).version == 1
    assert (await client.get(versions[1]["pdf_url"])).content.startswith(b"%PDF")
    assert (await client.get(f"{EVENT_API}/reports/3")).status_code == 404


async def test_opting_out_is_repeatable(client: httpx.AsyncClient, world: World) -> None:
    wanted = {"site_id": "harbor", "reason": "early departures"}
    key = {"Idempotency-Key": "k1"}
    first = await client.post(f"{EVENT_API}/opt-outs", json=wanted, headers=key)
    again = await client.post(f"{EVENT_API}/opt-outs", json=wanted, headers=key)
    other = await client.post(f"{EVENT_API}/opt-outs", json={"site_id": "east"}, headers=key)
    assert (first.status_code, again.status_code, other.status_code) == (201, 200, 422)
    assert first.json() == again.json()
    assert len(world.actions.done) == 1


async def test_a_site_that_opted_out_can_be_taken_back_in(
    client: httpx.AsyncClient, world: World
) -> None:
    await client.post(f"{EVENT_API}/opt-outs", json={"site_id": "harbor"})
    for _ in range(2):
        answer = await client.post(f"{EVENT_API}/opt-ins", json={"site_id": "harbor"})
        assert (answer.status_code, answer.json()["opted_out"]) == (200, False)
    again = await client.post(f"{EVENT_API}/opt-outs", json={"site_id": "harbor"})
    assert again.status_code == 201
    unknown = await client.post(f"{EVENT_API}/opt-ins", json={"site_id": "nowhere"})
    assert unknown.status_code == 404


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"site_id": "nowhere"}, 404),
        ({"site_id": "north-yard", "reason": "refuse"}, 409),
        ({"site_id": ""}, 422),
        ({"site_id": "harbor", "reason": "x" * 201}, 422),
        ({"site_id": "harbor", "force": True}, 422),
        ([], 422),
    ],
)
async def test_bad_opt_outs_change_nothing(
    client: httpx.AsyncClient, world: World, body: object, status: int
) -> None:
    answer = await client.post(f"{EVENT_API}/opt-outs", json=body)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert world.actions.done == []


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", f"{API}/nope", 404),
        ("GET", f"{API}/sites/nope", 404),
        ("GET", f"{API}/sites/nope/telemetry", 404),
        ("GET", f"{API}/events/u/nope/reports", 404),
        ("DELETE", f"{API}/sites", 405),
        ("GET", f"{API}/events/u/nope/reports/0", 422),
    ],
)
async def test_every_error_is_a_problem_document(
    bare_reader: httpx.AsyncClient, method: str, path: str, status: int
) -> None:
    answer = await bare_reader.request(method, path)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["instance"] == path


def test_only_the_newest_idempotency_keys_are_kept() -> None:
    answers = Answers()
    for n in range(KEPT + 1):
        answers.check(str(n), "a")
    answers.check("0", "b")  # long forgotten
