"""A program's summary over the month, as data, as files and as a page."""

import csv
import io
import json
import zipfile

import httpx
import pytest

from support.gateway_web import EVENT, PROGRAM

MONTH = {"program_id": PROGRAM, "period": "2026-11"}
API = "/api/v1/reports/summary"


@pytest.mark.row("mv:M6")
async def test_it_tells_events_sites_and_totals(client: httpx.AsyncClient) -> None:
    found = (await client.get(API, params=MONTH)).json()
    assert [one["event_key"] for one in found["events"]] == [EVENT]
    assert (found["preliminary"], found["simulated"]) == (1, True)
    assert found["totals"]["duration_s"] == 7_200.0
    assert found["totals"]["delivered_w"] == found["events"][0]["delivered_w"]
    assert {one["site_id"] for one in found["sites"]} == {"north-yard", "harbor", "east-fleet"}
    assert "amount" not in json.dumps(found)


@pytest.mark.row("mv:M6")
async def test_an_owner_is_told_of_their_own_site_alone(client: httpx.AsyncClient) -> None:
    mine = {"audience": "owner", "site_id": "harbor"}
    found = (await client.get(API, params=MONTH | mine)).json()
    assert [one["site_id"] for one in found["sites"]] == ["harbor"]
    assert found["totals"]["committed_w"] == 45_000.0
    assert "north-yard" not in json.dumps(found)


@pytest.mark.row("mv:M7")
async def test_files_hold_the_same_as_numbers(client: httpx.AsyncClient) -> None:
    answer = await client.get(f"{API}/csv", params=MONTH)
    [row] = csv.DictReader(io.StringIO(answer.text))
    assert (row["event"], row["hours"], row["data_label"]) == (EVENT, "2.0", "SIMULATED")
    assert row["start_local"].endswith("-08:00")
    assert "2026-11_SIMULATED.csv" in answer.headers["content-disposition"]
    workbook = await client.get(f"{API}/xlsx", params=MONTH)
    names = zipfile.ZipFile(io.BytesIO(workbook.content)).read("xl/workbook.xml").decode()
    assert all(f'name="{one}"' in names for one in ("Events", "Sites", "Causes", "Whole"))


@pytest.mark.row("mv:M6")
async def test_the_page_shows_it_and_links_reports_and_statement(
    client: httpx.AsyncClient,
) -> None:
    page = (await client.get("/summary", params=MONTH)).text
    assert 'data-testid="summary-events"' in page
    assert 'href="/events/pacific-utility/evt-2026-1121/report"' in page
    assert 'href="/statements?subject=' in page
    assert "USD" not in page


async def test_a_month_without_events_says_so(client: httpx.AsyncClient) -> None:
    page = await client.get("/summary", params=MONTH | {"period": "2026-01"})
    assert "No event of this period has a report yet." in page.text
    found = (await client.get(API, params=MONTH | {"period": "2026-01"})).json()
    assert (found["events"], found["totals"]["performance_pct"]) == ([], None)
    assert (await client.get("/summary")).status_code == 200


@pytest.mark.parametrize(
    ("query", "status", "word"),
    [
        ({"program_id": "none", "period": "2026-11"}, 404, "program"),
        ({"program_id": PROGRAM, "period": "soon"}, 422, "2026-10"),
        (MONTH | {"audience": "owner", "site_id": "none"}, 404, "site"),
    ],
)
async def test_what_there_is_not_is_told(
    client: httpx.AsyncClient, query: dict[str, str], status: int, word: str
) -> None:
    answer = await client.get(API, params=query)
    assert (answer.status_code, word in answer.json()["title"]) == (status, True)


REPORT = "/events/pacific-utility/evt-2026-1121/report"


@pytest.mark.row("mv:M6")
async def test_pages_are_written_as_the_browser_or_the_query_asks(
    client: httpx.AsyncClient,
) -> None:
    plain = (await client.get(REPORT)).text
    german = (await client.get(REPORT, headers={"Accept-Language": "de-DE,en;q=0.5"})).text
    french = (await client.get(REPORT + "?locale=fr-FR", headers={"Accept-Language": "de-DE"})).text
    assert ("20 Nov 2026" in plain, "20.11.2026" in german) == (True, True)
    assert "20/11/2026" in french
    assert "locale=fr-FR" in french  # its links keep to it
    summary = await client.get("/summary", params=MONTH | {"locale": "de-DE"})
    assert "20.11.2026" in summary.text
    wrong = await client.get(REPORT + "?locale=tlh")
    assert wrong.status_code == 422


@pytest.mark.row("mv:M7")
async def test_csv_follows_a_locale_that_is_named_and_no_header(
    client: httpx.AsyncClient,
) -> None:
    header = {"Accept-Language": "de-DE"}
    machine = (await client.get(REPORT + ".csv", headers=header)).text
    assert machine.startswith("event,report_version,")
    named = (await client.get(REPORT + ".csv?locale=de-DE")).content.decode("utf-8-sig")
    assert named.startswith("event;report_version;")
    assert (await client.get(f"{API}/csv", params=MONTH | {"locale": "de"})).text.count(";") > 20
