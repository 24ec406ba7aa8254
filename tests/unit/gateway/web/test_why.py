"""Why, by API and on pages: a sentence with its chain, now and at a past time."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import httpx
import pytest

from support.gateway_web import EVENT, NOW, World

API = "/api/v1/why"
BEFORE = (NOW - timedelta(minutes=30)).isoformat()


def told(answer: Mapping[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """The lines by what they are about."""
    found: dict[str, list[dict[str, Any]]] = {}
    for line in answer["lines"]:
        found.setdefault(line["what"], []).append(line)
    return found


async def asked(client: httpx.AsyncClient, path: str, **query: str) -> dict[str, Any]:
    answer = await client.get(f"{API}/{path}", params=query)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


@pytest.mark.row("portfolio:X1")
async def test_an_event_explains_itself(reader: httpx.AsyncClient) -> None:
    answer = await asked(reader, f"event/{EVENT}", zone="America/Los_Angeles")
    assert (answer["subject"], answer["kind"]) == (EVENT, "event")
    assert answer["sentence"] == (
        "Event evt-2026-1121 of Peak Relief runs until 17:30 and asks to reduce by 105.0 kW "
        "against baseline: 2 of 3 sites are asked for it, nothing is missing"
    )
    lines = told(answer)
    assert lines["from"][0]["text"].startswith("by OpenADR from pacific-utility, modification 0")
    assert lines["decided"][0]["text"].startswith("optIn, by the rules: program 'Peak Relief'")
    sites = {line["what"]: line for line in lines["sites"][0]["lines"]}
    assert sites.keys() == {"north-yard", "harbor"}
    assert sites["harbor"]["lines"][-1]["text"] == "applied (11 of 11 chargers)"
    assert lines["opted out"][0]["lines"][0]["text"] == "early start"
    revisions = lines["planned"][0]["lines"]
    assert [line["text"] for line in revisions] == ["east opted out", "event received"]


@pytest.mark.row("portfolio:X1")
async def test_a_past_time_knows_nothing_of_what_came_later(reader: httpx.AsyncClient) -> None:
    answer = await asked(reader, f"event/{EVENT}", at=BEFORE, zone="UTC")
    lines = told(answer)
    assert "begins at 01:00" in answer["sentence"]
    assert [line["text"] for line in lines["planned"][0]["lines"]] == ["event received"]
    assert "opted out" not in lines
    assert "delivered" not in lines


@pytest.mark.row("portfolio:X1")
async def test_a_site_explains_itself(reader: httpx.AsyncClient) -> None:
    answer = await asked(reader, "site/north-yard")
    assert answer["sentence"].startswith("north-yard is to import at most ")
    assert f"for {EVENT}: 60.0 kW of the 60.0 kW offered" in answer["sentence"]
    lines = told(answer)
    assert lines["presence"][0]["text"] == "online"
    assert lines["enrolled"][0]["text"].startswith("Peak Relief, 60.0 kW nominated")
    consent = lines["enrolled"][0]["lines"][-1]
    assert (consent["what"], consent["text"]) == ("consent: unknown", "none is written down")
    assert lines["event"][0]["text"].endswith("nothing held back")
    east = await asked(reader, "site/east")
    assert told(east)["opted out"][0]["text"] == f"{EVENT}: early start"


@pytest.mark.row("portfolio:X1")
async def test_an_instruction_explains_itself(reader: httpx.AsyncClient) -> None:
    answer = await asked(reader, "instruction/north-yard-evt-2026-1121-r1")
    assert answer["sentence"].endswith("superseded by instruction 2")
    lines = told(answer)
    assert lines["for"][0]["text"].startswith(f"event {EVENT} of Peak Relief")
    assert lines["plan"][0]["text"] == "revision 1, of modification 0: event received"
    assert lines["superseded"][0]["text"] == "revision 2"
    newer = lines["superseded by"][0]["text"]
    assert newer.startswith("instruction 2 (north-yard-evt-2026-1121-r2)")
    earlier = await asked(reader, "instruction/north-yard-evt-2026-1121-r1", at=BEFORE)
    assert earlier["sentence"].endswith("stored")


@pytest.mark.parametrize(
    ("path", "query", "status"),
    [
        ("event/pacific-utility/never", {}, 404),
        ("event/%00", {}, 404),
        ("site/nowhere", {}, 404),
        ("instruction/none", {}, 404),
        (f"event/{EVENT}", {"at": (NOW - timedelta(days=9)).isoformat()}, 404),
        (f"event/{EVENT}", {"at": (NOW + timedelta(days=9)).isoformat()}, 422),
        (f"event/{EVENT}", {"at": "2026-11-21T01:00:00"}, 422),
        (f"event/{EVENT}", {"zone": "../etc/passwd"}, 422),
        (f"event/{EVENT}", {"zone": "x" * 101}, 422),
        ("site/north-yard", {"at": "yesterday"}, 422),
    ],
)
async def test_what_cannot_be_answered_is_a_problem_document(
    reader: httpx.AsyncClient, path: str, query: dict[str, str], status: int
) -> None:
    answer = await reader.get(f"{API}/{path}", params=query)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.row("portfolio:X1")
async def test_pages_lead_to_the_answer_and_back(reader: httpx.AsyncClient) -> None:
    for page, why in (
        (f"/events/{EVENT}", f"/why/event/{EVENT}"),
        (f"/events/{EVENT}", "/why/instruction/north-yard-evt-2026-1121-r2"),
        ("/sites/north-yard", "/why/site/north-yard"),
    ):
        assert f'href="{why}"' in (await reader.get(page)).text
        answer = await reader.get(why)
        assert answer.status_code == 200
        assert "How it came to that" in answer.text
        assert "<script" not in answer.text
    back = await reader.get(f"/why/event/{EVENT}")
    assert f'href="/events/{EVENT}"' in back.text
    past = await reader.get(f"/why/event/{EVENT}", params={"at": "2026-11-20T16:45"})
    assert "begins at 17:00" in past.text, "on the wall of the sites"


@pytest.mark.parametrize("at", ["soon", "2999-01-01T00:00", "<script>"])
async def test_a_time_that_is_none_is_told_on_the_page(reader: httpx.AsyncClient, at: str) -> None:
    answer = await reader.get(f"/why/event/{EVENT}", params={"at": at})
    assert answer.status_code == 422
    assert "<script>" not in answer.text


async def test_names_from_outside_are_text(client: httpx.AsyncClient, world: World) -> None:
    await world.ledger.opt_out_site(EVENT, "harbor", NOW, "<b>x</b>")
    answer = await client.get(f"/why/event/{EVENT}")
    assert "&lt;b&gt;x&lt;/b&gt;" in answer.text
