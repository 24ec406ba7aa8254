"""What people see: pages are whole without script, escaped, and say what is simulated."""

import re
from dataclasses import replace
from datetime import timedelta

import httpx
import pytest

from contracts.time import Interval
from gateway.domain.event import Opt, OptDecision
from gateway.reports import document
from support.gateway_web import EVENT, EVENT_URL, NOW, World, grid_event
from support.participation import build_report

PAGES = (
    "/",
    "/events",
    EVENT_URL,
    f"{EVENT_URL}/report",
    f"{EVENT_URL}/opt-out?site=harbor",
    "/sites/north-yard",
    "/api",
)


def flat(html: str) -> str:
    """The text of a page."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html))


async def page(client: httpx.AsyncClient, path: str) -> str:
    answer = await client.get(path)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    return answer.text


@pytest.mark.parametrize("path", PAGES)
async def test_every_page_is_labelled_and_has_no_inline_code(
    reader: httpx.AsyncClient, path: str
) -> None:
    html = await page(reader, path)
    assert "<strong>SIMULATED</strong>" in html
    assert "(simulated)</title>" in html
    assert not re.search(r"<script(?![^>]* src=)|<style|\son\w+=|\sstyle=|javascript:", html)
    assert not re.search(r"""(?:src|href)=["'](?:https?:)?//""", html)


@pytest.mark.parametrize("path", ["/", EVENT_URL, "/sites/north-yard", "/events"])
async def test_an_empty_gateway_has_pages_too(bare_reader: httpx.AsyncClient, path: str) -> None:
    answer = await bare_reader.get(path)
    assert answer.status_code == (404 if path == EVENT_URL else 200)


async def test_the_live_page_shows_event_figures_sites_and_alarms(
    reader: httpx.AsyncClient,
) -> None:
    text = flat(await page(reader, "/"))
    assert "In progress" in text
    assert "ends in 17 min 30 s" in text
    assert "Reduce by 105.0 kW against baseline" in text
    assert re.search(r"Load now 1\d\d\.\d kW", text)
    assert re.search(r"Reduction now \d+\.\d kW 1?\d\d % of what was asked", text)
    assert "33 of 36" in text
    assert "North Yard Bus Depot Reducing" in text
    assert "no heartbeat for 120 s" in text
    assert "pacific-utility over OpenADR 2.0b" in text
    assert "17:12:30 PST (UTC−08:00)" in text


async def test_text_from_outside_is_escaped(client: httpx.AsyncClient, world: World) -> None:
    html = await page(client, "/")
    assert "East &lt;Co&gt;" in html
    assert "East <Co>" not in html
    window = world.live.snapshot().events[0].window
    hostile = grid_event(window, event_id='x"><script>alert(1)</script>')
    answer = OptDecision(event_key=hostile.key, modification=0, opt=Opt.OUT, cause="<b>no</b>")
    await world.ledger.put_event(hostile, answer, NOW)
    assert "<script>alert" not in await page(client, "/events")
    assert "<b>no</b>" not in await page(client, "/")


@pytest.mark.parametrize("path", ["/", EVENT_URL, "/sites/north-yard"])
async def test_a_live_page_loads_htmx_and_its_extension_in_one_go(
    reader: httpx.AsyncClient, path: str
) -> None:
    """Deferred, htmx may start before its extension is there, and the page never goes live."""
    html = await page(reader, path)
    tags = re.findall(r"<script[^>]*/(htmx|hx-sse|live)[.][^>]*>", html)
    assert tags == ["htmx", "hx-sse", "live"]
    assert not re.search(r"<script[^>]*/(?:htmx|hx-sse)[^>]*(?:defer|async|module)", html)
    assert html.index("hx-sse:connect") < html.index("htmx.min.js")


async def test_an_unknown_span_is_the_usual_one(reader: httpx.AsyncClient) -> None:
    html = await page(reader, "/?span=%3Cscript%3E")
    assert 'data-src="/ui/chart?span=15m"' in html


async def test_the_event_page_says_what_why_and_what_came_of_it(
    reader: httpx.AsyncClient,
) -> None:
    html = await page(reader, EVENT_URL)
    text = flat(html)
    assert "Opted in program &#39;Peak Relief&#39; accepts events" in text
    assert "60.0 kW of the 60.0 kW offered; nothing held back" in text
    assert "Started 17:00:00 +0.3 s" in text
    assert "Applied 17:00:05 +5.8 s 11 of 11 chargers" in text
    assert re.search(r"Harbor Street Vans stay under \d\d\.\d to \d\d\.\d kW Applied", text)
    assert "2 earlier, replaced by these" in text
    assert "Opted out East &lt;Co&gt; early start" in text
    assert "planned : revision 1: 120.0 kW offered by 3 sites" in text
    assert "charger" in text
    assert f'href="{EVENT_URL}/opt-out?site=harbor"' in html
    assert "opt-out?site=east" not in html  # it is out already
    assert f'href="{EVENT_URL}/report"' in html


async def test_a_site_is_opted_out_with_a_form(client: httpx.AsyncClient, world: World) -> None:
    html = await page(client, f"{EVENT_URL}/opt-out?site=harbor")
    assert f'<form class="card form" method="post" action="{EVENT_URL}/opt-out"' in html
    answer = await client.post(
        f"{EVENT_URL}/opt-out",
        data={"site": "harbor", "reason": "early  departures\n today"},
        headers={"Sec-Fetch-Site": "same-origin"},
    )
    assert (answer.status_code, answer.headers["location"]) == (303, EVENT_URL)
    cause = "opted out by a person at the gateway: early departures today"
    assert world.actions.done == [(EVENT, "harbor", cause)]


@pytest.mark.parametrize(
    ("form", "status"),
    [
        ({"site": "nowhere"}, 404),
        ({}, 404),
        ({"site": "north-yard", "reason": "refuse"}, 409),
    ],
)
async def test_what_cannot_be_done_is_told(
    client: httpx.AsyncClient, world: World, form: dict[str, str], status: int
) -> None:
    answer = await client.post(f"{EVENT_URL}/opt-out", data=form)
    assert answer.status_code == status
    assert world.actions.done == []


async def test_nobody_leaves_an_event_that_is_over(client: httpx.AsyncClient, world: World) -> None:
    ended = Interval(start=NOW - timedelta(hours=2), end=NOW - timedelta(hours=1))
    over = grid_event(ended, "old")
    decision = OptDecision(event_key=over.key, modification=0, opt=Opt.IN, cause="")
    await world.ledger.put_event(over, decision, NOW - timedelta(hours=3))
    answer = await client.post(
        "/events/pacific-utility/old/opt-out", data={"site": "harbor", "reason": ""}
    )
    assert answer.status_code == 409
    assert "Opt out<" not in await page(client, "/events/pacific-utility/old")


async def test_the_report_page_has_every_section(reader: httpx.AsyncClient) -> None:
    html = await page(reader, f"{EVENT_URL}/report")
    text = flat(html)
    for section in ("Key figures", "By site", "Exceptions", "Settlement", "Method", "Load by site"):
        assert section in text
    assert "PRELIMINARY" in text
    assert 'role="img"' in html
    assert "East Fleet &lt;Couriers&gt; &amp; Co" in html
    assert f'href="{EVENT_URL}/report.pdf?version=1"' in html


async def test_report_files_are_named_for_what_they_are(reader: httpx.AsyncClient) -> None:
    pdf = await reader.get(f"{EVENT_URL}/report.pdf")
    csv = await reader.get(f"{EVENT_URL}/report.csv?version=1")
    assert pdf.headers["content-type"] == "application/pdf"
    assert pdf.content.startswith(b"%PDF")
    name = "participation_evt-2026-1121_v1_PRELIMINARY_SIMULATED"
    assert pdf.headers["content-disposition"] == f'inline; filename="{name}.pdf"'
    assert csv.headers["content-disposition"] == f'attachment; filename="{name}.csv"'
    assert "SIMULATED" in csv.text.splitlines()[1]


@pytest.mark.parametrize("version", ["7", "0", "x"])
async def test_a_version_that_is_not_there(reader: httpx.AsyncClient, version: str) -> None:
    answer = await reader.get(f"{EVENT_URL}/report?version={version}")
    assert answer.status_code in (404, 422)


async def test_the_site_page_shows_points_chargers_and_vehicles(
    reader: httpx.AsyncClient,
) -> None:
    text = flat(await page(reader, "/sites/north-yard"))
    assert "import 8" in text
    assert "discharging 12.4 kW" in text
    assert "generating 5.3 kW" in text
    assert "63 %" in text
    assert "cp-01 42.0 kW 45.0 kW" in text
    assert "bus-22 cp-04/1 Will be short 24 % 131.0 kWh" in text
    assert "charger offline; 18 kWh short at departure" in text
    assert "What helps: plug it into cp-07 within 40 min" in text


@pytest.mark.row("site:A4")
async def test_the_site_page_shows_what_it_offers(reader: httpx.AsyncClient) -> None:
    text = flat(await page(reader, "/sites/north-yard"))
    assert "Told 2 min" in text
    assert "the load falls by up to 450.0 kW a minute" in text
    assert "30.0 kW 20.0 kW 2 h 12.0 kW 30.0 kW, 60.0 kWh from" in text
    assert "No offer yet" in flat(await page(reader, "/sites/harbor"))


@pytest.mark.parametrize("path", ["/events/pacific-utility/nope", "/sites/nope", "/nope"])
async def test_what_is_not_there_is_a_page_for_people_and_a_problem_for_programs(
    reader: httpx.AsyncClient, path: str
) -> None:
    person = await reader.get(path)
    program = await reader.get(path, headers={"Accept": "application/json"})
    assert (person.status_code, program.status_code) == (404, 404)
    assert "Back to the live portfolio" in person.text
    assert program.headers["content-type"] == "application/problem+json"
    assert program.json()["status"] == 404


async def test_the_chart_has_history_bands_and_a_bounded_count_of_points(
    reader: httpx.AsyncClient,
) -> None:
    data = (await reader.get("/ui/chart?span=15m")).json()
    now_ms = round(NOW.timestamp() * 1000)
    assert data["now"] == now_ms
    assert data["span"] == [now_ms - 900_000, now_ms + 225_000]
    assert data["zone"] == "America/Los_Angeles"
    assert [band["label"] for band in data["bands"]] == ["Peak Relief"]
    assert 0 < len(data["actual"]) <= 1440
    assert data["actual"][-1][0] <= now_ms
    before, during = data["actual"][0][1], data["actual"][-1][1]
    assert before - during == pytest.approx(105, abs=15)
    assert data["target"][0][0] == data["bands"][0]["start"]


@pytest.mark.parametrize(
    ("ending", "media_type", "begins"),
    [
        ("pdf", "application/pdf", b"%PDF"),
        ("csv", "text/csv; charset=utf-8", b"event,"),
        ("xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", b"PK"),
        ("parquet", "application/vnd.apache.parquet", b"PAR1"),
    ],
)
async def test_a_report_is_kept_as_what_it_is_called(
    reader: httpx.AsyncClient, ending: str, media_type: str, begins: bytes
) -> None:
    for address in (
        f"{EVENT_URL}/report.{ending}?audience=utility",
        f"/api/v1{EVENT_URL}/reports/1/{ending}?audience=utility",
    ):
        answer = await reader.get(address)
        assert answer.status_code == 200
        assert answer.headers["content-type"] == media_type
        assert answer.content.startswith(begins)
        name = "participation_evt-2026-1121_utility_v1_PRELIMINARY_SIMULATED"
        assert f'filename="{name}.{ending}"' in answer.headers["content-disposition"]


async def test_an_owners_page_is_about_their_site_in_their_zone(reader: httpx.AsyncClient) -> None:
    query = "audience=owner&site_id=harbor"
    html = flat(await page(reader, f"{EVENT_URL}/report?{query}"))
    assert "for the owner of Harbor Street Vans" in html
    assert "North Yard" not in html
    assert "As the utility sees it" not in html
    assert "PST" in html
    assert "CET (UTC+01:00)" in flat(
        await page(reader, f"{EVENT_URL}/report?{query}&zone=Europe/Brussels")
    )


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("audience=owner", 404),
        ("audience=owner&site_id=nobody", 404),
        ("audience=everyone", 422),
        ("zone=Mars/Olympus", 422),
        ("zone=../../etc/passwd", 422),
    ],
)
async def test_a_reader_that_is_none(reader: httpx.AsyncClient, query: str, status: int) -> None:
    answer = await reader.get(f"{EVENT_URL}/report?{query}")
    assert answer.status_code == status


async def test_a_report_of_many_sites_comes_leaf_by_leaf(
    world: World, client: httpx.AsyncClient
) -> None:
    """Everybody is on one of them, each with its chart; sums are of all on every one."""
    shared = build_report()
    many = [
        replace(shared.sites[0], site_id=f"depot-{n}", name=f"Depot {n}.") for n in range(1, 61)
    ]
    faults = [
        replace(shared.exceptions[1], site_id=one.site_id, text=f"at {one.name}") for one in many
    ]
    report = replace(shared, sites=tuple(many), exceptions=(shared.exceptions[0], *faults))
    await world.ledger.put_report(EVENT, document.dump(report), final=True)
    address = f"{EVENT_URL}/report?audience=utility"
    first, last = await page(client, address), await page(client, f"{address}&leaf=3")
    assert "Sites 1-25 of 60" in first
    assert "Sites 51-60 of 60" in last
    assert f'href="{EVENT_URL}/report?version=2&amp;audience=utility&amp;leaf=2"' in first
    assert (first.count('role="img"'), last.count('role="img"')) == (26, 11)
    assert ("Depot 25." in first, "Depot 26." in first, "Depot 51." in last) == (True, False, True)
    assert ("at Depot 25." in first, "at Depot 26." in first) == (True, False)
    assert "early departures" not in last  # the utility is not told why
    assert "took it out of the event" in last  # of a site that is on no leaf
    beyond = await client.get(f"{EVENT_URL}/report?leaf=4")
    assert beyond.status_code == 404
    assert "This report has 3 leaves, not 4" in beyond.text
    owner = await page(client, f"{EVENT_URL}/report?audience=owner&site_id=depot-47")
    assert "Depot 47." in owner
    assert owner.count('role="img"') == 2
