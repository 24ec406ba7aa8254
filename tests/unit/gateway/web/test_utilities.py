"""What an adapter remembers of its utility, through the API."""

from __future__ import annotations

from dataclasses import replace

import httpx

from gateway.web.app import create_app
from support.gateway_web import World
from support.openadr import DictMemory

RECORDS = "/api/v1/utilities/pacific-utility/records"


async def remembering(world: World) -> httpx.AsyncClient:
    memory = DictMemory()
    await memory.save("pacific-utility", "ReportTask", "b", {"sent_until": "2026-01-05"})
    await memory.save("pacific-utility", "ReportTask", "a", {"over": False})
    await memory.save("other", "ReportTask", "c", {"over": True})
    app = create_app(replace(world.state, records=memory.load))
    transport = httpx.ASGITransport(app=app)
    return httpx.AsyncClient(transport=transport, base_url="http://localhost:8080")


async def test_documents_of_a_kind_are_shown_by_key(world: World) -> None:
    async with await remembering(world) as api:
        answer = await api.get(f"{RECORDS}/ReportTask")
        assert list(answer.json().items()) == [
            ("a", {"over": False}),
            ("b", {"sent_until": "2026-01-05"}),
        ]
        assert (await api.get(f"{RECORDS}/Nothing")).json() == {}


async def test_unknown_utilities_and_odd_kinds_are_refused(world: World) -> None:
    async with await remembering(world) as api:
        unknown = await api.get("/api/v1/utilities/other/records/ReportTask")
        assert unknown.status_code == 404
        assert unknown.json()["title"] == "There is no utility 'other'"
        assert (await api.get(f"{RECORDS}/a.b")).status_code == 422


async def test_never_more_than_a_thousand_are_shown(world: World) -> None:
    memory = DictMemory()
    for number in range(1100):
        await memory.save("pacific-utility", "Unsent", f"{number:06}", number)
    app = create_app(replace(world.state, records=memory.load))
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost:8080") as api:
        shown = (await api.get(f"{RECORDS}/Unsent")).json()
    assert len(shown) == 1000
    assert "000000" in shown
