"""One suite for webhooks on their way: SQLite on a file, and the in-memory twin."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from site_agent.flows.fleet.webhook_queue import NewEvent, WebhookQueue
from site_agent.store.memory_fleet import MemoryWebhooks
from site_agent.store.sqlite import open_store

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture(params=["sqlite", "memory"])
def queue(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[WebhookQueue]:
    if request.param == "memory":
        yield MemoryWebhooks()
        return
    store = open_store(tmp_path / "site.db", NOW)
    yield store.webhooks
    store.close()


def event(name: str, subject: str, at: datetime = NOW, endpoint: str = "one") -> NewEvent:
    return NewEvent(endpoint=endpoint, event_id=name, subject=subject, at=at, body=f"body {name}")


async def heads(queue: WebhookQueue, now: datetime = NOW, endpoint: str = "one") -> list[str]:
    return [one.event_id for one in await queue.heads(endpoint, now, 10)]


async def test_only_the_first_event_of_each_vehicle_is_offered(queue: WebhookQueue) -> None:
    await queue.append([event("a1", "a"), event("b1", "b"), event("a2", "a")], "s1")
    first, second = await queue.heads("one", NOW, 10)
    assert (first.event_id, first.body, first.at, first.tries) == ("a1", "body a1", NOW, 0)
    await queue.delivered(first.seq)
    assert await heads(queue) == ["b1", "a2"]
    await queue.delivered(second.seq)
    assert await heads(queue) == ["a2"]


async def test_what_failed_waits_and_holds_its_vehicle_up_but_nobody_else(
    queue: WebhookQueue,
) -> None:
    await queue.append([event("a1", "a"), event("a2", "a"), event("b1", "b")], "s1")
    await queue.failed((await queue.heads("one", NOW, 1))[0].seq, NOW + HOUR)
    assert await heads(queue) == ["b1"]
    assert await queue.next_due("one") == NOW
    assert await heads(queue, NOW + HOUR) == ["a1", "b1"]
    assert (await queue.heads("one", NOW + HOUR, 1))[0].tries == 1


async def test_endpoints_do_not_mind_each_other(queue: WebhookQueue) -> None:
    await queue.append([event("a1", "a"), event("a2", "a", endpoint="two")], "s1")
    assert (await heads(queue), await heads(queue, endpoint="two")) == (["a1"], ["a2"])
    assert await queue.drop("one", NOW + HOUR, 10) == 1
    assert await queue.next_due("one") is None
    assert await queue.next_due("two") == NOW


async def test_what_is_too_old_or_too_much_is_dropped_the_oldest_first(
    queue: WebhookQueue,
) -> None:
    events = [event(f"e{n}", f"v{n}", NOW + n * HOUR) for n in range(5)]
    await queue.append(events, "s1")
    assert await queue.drop("one", NOW + HOUR, 100) == 1
    assert await queue.drop("one", NOW, 2) == 2
    assert await heads(queue, NOW + 9 * HOUR) == ["e3", "e4"]


async def test_the_state_is_the_last_one(queue: WebhookQueue) -> None:
    assert await queue.state() is None
    await queue.append([], "s1")
    await queue.append([event("a1", "a")], "s2")
    assert await queue.state() == "s2"
