"""Webhooks over a real socket: signed, in order for each vehicle, until they are heard."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from contracts.errors import TransientError
from site_agent.config.fleet_systems import WebhookSettings
from site_agent.domain.fleet.happenings import Kind
from site_agent.domain.site import SiteSnapshot
from site_agent.fleet.webhooks.sender import KEPT_FOR, Endpoint, Sender
from site_agent.fleet.webhooks.signing import new_secret, read_secret
from site_agent.flows.fleet.webhook_queue import NewEvent
from site_agent.flows.fleet.webhooks import Subscription, Webhooks
from site_agent.store.memory import MemoryOutbox, MemorySessions
from site_agent.store.memory_fleet import MemoryWebhooks
from support.manual_clock import ManualClock
from support.site import charger, need, snapshot
from support.waiting import until
from support.webhook_receiver import Receiver, webhook_receiver


class Bench:
    """A queue, its sender and the receiver."""

    def __init__(self, folder: Path, receiver: Receiver) -> None:
        self.receiver = receiver
        self.secret_file = folder / "secret"
        self.secret_file.write_text(new_secret())
        self.queue = MemoryWebhooks()
        self.clock = ManualClock()
        self.settings = WebhookSettings(
            name="fleet", url=receiver.url, secret_file=self.secret_file, allow_private=True
        )

    async def queued(self, *names: str) -> None:
        """Events `subject-number`."""
        events = [
            NewEvent(
                endpoint="fleet",
                event_id=name,
                subject=name.partition("-")[0],
                at=self.clock.now(),
                body=json.dumps({"type": name}),
            )
            for name in names
        ]
        await self.queue.append(events, "")

    async def round(self) -> None:
        """One look at the queue."""
        sender = Sender(Endpoint(self.settings), self.queue, self.clock, asyncio.Event, lambda: 0.0)
        async with httpx.AsyncClient(trust_env=False) as client:
            await sender.round(client)

    def heard(self) -> list[str]:
        return [one.event_id for one in self.receiver.heard]


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    async with webhook_receiver() as receiver:
        yield Bench(tmp_path, receiver)


async def test_an_event_arrives_signed(bench: Bench) -> None:
    await bench.queued("a-1")
    await bench.round()
    (one,) = bench.receiver.heard
    assert one.event == {"type": "a-1"}
    assert one.headers["content-type"] == "application/json"
    assert one.signed_with(read_secret(bench.secret_file))
    assert int(one.headers["webhook-timestamp"]) == int(bench.clock.now().timestamp())
    assert await bench.queue.next_due("fleet") is None


@pytest.mark.parametrize("failure", [500, 404, 410, 302, 0])
async def test_what_is_not_heard_is_sent_again_with_the_same_id_and_a_new_time(
    bench: Bench, failure: int
) -> None:
    bench.receiver.answers.append((failure, {"Location": "http://192.0.2.1/"}))
    await bench.queued("a-1", "a-2")
    await bench.round()
    assert bench.heard() == []
    bench.clock.pass_s(4.9)
    await bench.round()
    assert len(bench.receiver.seen) == 1
    bench.clock.pass_s(0.2)
    await bench.round()
    assert bench.heard() == ["a-1", "a-2"]
    first, second = bench.receiver.seen[:2]
    assert first.event_id == second.event_id
    assert first.headers["webhook-timestamp"] != second.headers["webhook-timestamp"]


async def test_a_vehicle_that_waits_holds_nobody_else_up(bench: Bench) -> None:
    await bench.queued("a-1", "a-2", "b-1")
    bench.receiver.answers.append((503, {"Retry-After": "120"}))
    await bench.round()
    assert "b-1" in bench.heard() or "a-2" in bench.heard()
    bench.clock.pass_s(121)
    await bench.round()
    heard = bench.heard()
    assert sorted(heard) == ["a-1", "a-2", "b-1"]
    assert heard.index("a-1") < heard.index("a-2")


async def test_back_off_doubles_up_to_an_hour(bench: Bench) -> None:
    await bench.queued("a-1")
    bench.receiver.answers.extend([(500, {})] * 13)
    waits = []
    for _ in range(13):
        await bench.round()
        due = await bench.queue.next_due("fleet")
        assert due is not None
        waits.append((due - bench.clock.now()).total_seconds())
        bench.clock.pass_s(waits[-1] + 0.001)
    assert waits == pytest.approx([min(5.0 * 2**n, 3600.0) for n in range(13)], abs=0.01)


async def test_after_three_days_it_is_given_up(bench: Bench) -> None:
    await bench.queued("a-1")
    bench.receiver.answers.append((500, {}))
    await bench.round()
    bench.clock.pass_s(KEPT_FOR.total_seconds() + 1)
    await bench.round()
    assert await bench.queue.next_due("fleet") is None
    assert len(bench.receiver.seen) == 1


@pytest.mark.parametrize(
    "url",
    [
        "https://127.0.0.1:1/hook",
        "https://localhost:1/hook",
        "https://10.0.0.1/hook",
        "https://169.254.169.254/latest/meta-data",
        "https://[::1]:1/hook",
        "https://[::ffff:192.168.0.1]/hook",
        "https://[64:ff9b::10.0.0.1]/hook",
        "https://[2002:0a00:0001::]/hook",
        "https://2130706433/hook",
    ],
)
async def test_a_private_address_is_never_connected_to(bench: Bench, url: str) -> None:
    settings = bench.settings.model_copy(update={"url": url, "allow_private": False})
    async with httpx.AsyncClient(trust_env=False) as client:
        told = await Endpoint(settings).deliver(client, "e", b"{}", bench.clock.now())
    assert not told.heard
    assert "not a public address" in told.why


async def test_an_event_goes_out_as_soon_as_it_is_queued(bench: Bench) -> None:
    flow, pictures = _flow(bench)
    async with _running(bench, flow):
        pictures.append(_picture(bench, "t1"))
        await flow.step()
        await until(lambda: len(bench.receiver.heard) == 1)
    told = bench.receiver.heard[0].event
    assert (told["type"], told["data"]["vehicle_id"]) == ("session.started", "van-a")
    assert (told["data"]["site_id"], told["data"]["known"]) == ("depot", True)
    assert told["timestamp"].endswith("Z")


async def test_a_session_ends_with_its_settled_energy_and_a_restart_tells_nothing_twice(
    bench: Bench,
) -> None:
    sessions = MemorySessions(MemoryOutbox())
    number = await sessions.start("a", None, bench.clock.now(), 1_000.0, "r", ref="t1")
    flow, pictures = _flow(bench, sessions)
    pictures.append(_picture(bench, "t1"))
    await flow.step()
    await flow.step()
    end = bench.clock.now() + timedelta(hours=1)
    await sessions.stop(number, end, 8_500.0, "Local")
    again, after = _flow(bench, sessions)
    after.append(_picture(bench, None))
    await again.step()
    await again.step()
    await bench.round()
    started, ended = (one.event for one in bench.receiver.heard)
    assert (started["type"], ended["type"]) == ("session.started", "session.completed")
    assert (ended["data"]["energy_wh"], ended["data"]["reason"]) == (7_500.0, "Local")
    assert ended["data"]["session_id"] == number


@pytest.mark.parametrize("state", ["", "[]", '{"sessions": {"a": {}}, "late": {}}'])
async def test_a_state_that_cannot_be_read_is_begun_anew(bench: Bench, state: str) -> None:
    await bench.queue.append([], state)
    flow, pictures = _flow(bench)
    pictures.append(_picture(bench, "t1"))
    await flow.step()
    await bench.round()
    assert [one.event["type"] for one in bench.receiver.heard] == ["session.started"]


async def test_a_queue_that_fails_is_tried_again(bench: Bench) -> None:
    class Failing(MemoryWebhooks):
        failures = 1

        async def delivered(self, seq: int) -> None:
            if self.failures:
                self.failures -= 1
                raise TransientError("database: disk full")
            await super().delivered(seq)

    bench.queue = Failing()
    await bench.queued("a-1")
    flow, _ = _flow(bench)
    async with _running(bench, flow):
        await until(lambda: len(bench.receiver.heard) == 1)
        await until(lambda: len(bench.receiver.heard) == 2)
    first, second = bench.receiver.heard
    assert first.event_id == second.event_id


@pytest.mark.parametrize("url", ["https://[::1", "https://x..y/", "https://a b/"])
async def test_an_address_that_is_none_is_a_failure_not_a_crash(bench: Bench, url: str) -> None:
    settings = bench.settings.model_copy(update={"url": url})
    async with httpx.AsyncClient(trust_env=False) as client:
        told = await Endpoint(settings).deliver(client, "e", b"{}", bench.clock.now())
    assert not told.heard


def _flow(
    bench: Bench, sessions: MemorySessions | None = None
) -> tuple[Webhooks, list[SiteSnapshot]]:
    """A flow that sees the last of the pictures."""
    pictures: list[SiteSnapshot] = []
    everything = Subscription(endpoint="fleet", kinds=frozenset(Kind))
    flow = Webhooks(
        "depot",
        [everything],
        bench.queue,
        sessions or MemorySessions(MemoryOutbox()),
        lambda: (pictures[-1], ()) if pictures else None,
        bench.clock,
    )
    return flow, pictures


def _picture(bench: Bench, number: str | None) -> SiteSnapshot:
    state = replace(charger(plugged=number is not None), transaction_id=number)
    seen = snapshot(chargers=[state], needs=[need()] if number else [])
    return replace(seen, at=bench.clock.now())


@asynccontextmanager
async def _running(bench: Bench, flow: Webhooks) -> AsyncIterator[None]:
    sender = Sender(Endpoint(bench.settings), bench.queue, bench.clock, lambda: flow.news)
    task = asyncio.create_task(sender.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])
