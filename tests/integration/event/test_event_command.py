"""`gridyard event` against a gateway's web server on a real socket."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, timedelta
from zoneinfo import ZoneInfo

import pytest

from contracts.errors import ConfigError, PermanentError, TransientError
from contracts.http_server import serve
from contracts.testing import FakeClock
from gridyard import why_gateway
from gridyard.event import asking
from support.gateway_web import NOW, PROGRAM, World, make_world

HOUR = timedelta(hours=1)
ZONE = ZoneInfo("UTC")


@pytest.fixture
async def served() -> AsyncIterator[tuple[World, str]]:
    """A gateway's pages and API, and where they are."""
    world, found = make_world(FakeClock(NOW)), asyncio.Event()
    ports: list[int] = []

    def ready(port: int) -> None:
        ports.append(port)
        found.set()

    stopping = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        group.create_task(
            serve(world.app, host="127.0.0.1", port=0, stopping=stopping, ready=ready)
        )
        await found.wait()
        yield world, f"http://127.0.0.1:{ports[0]}"
        stopping.set()


def wanted(**changes: object) -> dict[str, object]:
    body: dict[str, object] = {
        "program_id": PROGRAM,
        "event_id": "call-1",
        "start": (NOW + HOUR).isoformat(),
        "end": (NOW + 2 * HOUR).isoformat(),
        "kind": "delta_w",
        "value": -1000.0,
        "source": "manual",
    }
    return {**body, **changes}


async def test_an_event_by_telephone_from_its_beginning_to_its_end(
    served: tuple[World, str],
) -> None:
    world, url = served
    made = await asyncio.to_thread(asking.created, url, wanted(), "key-1")
    assert (made["event_id"], made["opt"], made["status"]) == ("call-1", "optIn", "far")
    key = "pacific-utility/call-1"
    refused = await asyncio.to_thread(
        asking.changed, url, key, "decisions", {"opt": "optOut", "reason": "staff"}
    )
    assert refused["opt"] == "optOut"
    gone = await asyncio.to_thread(asking.changed, url, key, "cancellations", {"reason": "off"})
    assert gone["status"] == "cancelled"
    causes = [entry.cause for entry in await world.ledger.journal(key)]
    assert causes[-1] == "cancelled by a person at the gateway: off"


async def test_an_event_is_changed_as_it_is_now_or_not_at_all(served: tuple[World, str]) -> None:
    _, url = served
    key = "pacific-utility/call-1"
    await asyncio.to_thread(asking.created, url, wanted(), "key-1")
    longer = asking.new_times(None, (NOW + 3 * HOUR).isoformat(), endless=False, zone=UTC)
    made = await asyncio.to_thread(asking.modified, url, key, {**longer, "revision": None}, None)
    assert made["modification"] == 1
    body = {"revision": 0, "end": None}
    with pytest.raises(PermanentError, match="at modification 1, not at 0"):
        await asyncio.to_thread(asking.modified, url, key, body, "key-2")
    with pytest.raises(ConfigError, match="not both"):
        asking.new_times(None, "2026-07-01T16:00", endless=True, zone=UTC)


async def test_refusals_come_with_the_gateways_reason(served: tuple[World, str]) -> None:
    _, url = served
    with pytest.raises(PermanentError, match="No program 'x' is in force"):
        await asyncio.to_thread(asking.created, url, wanted(program_id="x"), None)
    with pytest.raises(PermanentError, match="There is no event 'y'"):
        await asyncio.to_thread(asking.changed, url, "u/y", "cancellations", {})
    with pytest.raises(ConfigError, match="write UTILITY/EVENT"):
        await asyncio.to_thread(asking.changed, url, "y", "cancellations", {})


@pytest.mark.row("portfolio:X1")
async def test_why_from_the_command_line(served: tuple[World, str]) -> None:
    world, url = served
    await asyncio.to_thread(asking.created, url, wanted(), "key-1")
    key, now = "pacific-utility/call-1", world.clock.now()
    found = await asyncio.to_thread(why_gateway.why, url, "event", key, None, ZONE, now)
    first, *rest = why_gateway.lines(found, ZONE)
    assert first.startswith("Event call-1 of Peak Relief begins at 02:12:30 and asks to reduce by")
    assert any("entered by a person, in the name of pacific-utility" in line for line in rest)
    site = await asyncio.to_thread(why_gateway.why, url, "site", "harbor", None, ZONE, now)
    assert site["sentence"].startswith("harbor has been told nothing, so its own limits hold")
    with pytest.raises(PermanentError, match="Nothing is known of 'none'"):
        await asyncio.to_thread(why_gateway.why, url, "instruction", "none", None, ZONE, now)


async def test_without_a_gateway_it_says_where_it_has_asked() -> None:
    with pytest.raises(TransientError, match=r"no gateway answers at http://127\.0\.0\.1:1"):
        await asyncio.to_thread(asking.created, "http://127.0.0.1:1", wanted(), None)
