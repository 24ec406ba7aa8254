"""No event of a session is lost through `kill -9`, and one that comes twice has the same id."""

from __future__ import annotations

import asyncio
import sys
from collections import defaultdict
from pathlib import Path

import pytest

from site_agent.fleet.webhooks.signing import new_secret, read_secret
from support.waiting import until
from support.webhook_receiver import Receiver, webhook_receiver

pytestmark = pytest.mark.chaos

PROGRAM = """
import asyncio, sys
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from contracts.clock import SystemClock
from site_agent.config.fleet_systems import WebhookSettings
from site_agent.domain.fleet.happenings import Kind
from site_agent.fleet.webhooks.sender import Endpoint, Sender
from site_agent.flows.fleet.webhooks import Subscription, Webhooks
from site_agent.store.sqlite import open_store
from support.site import charger, need, snapshot

folder, url, last = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
clock = SystemClock()
store = open_store(folder / "site.db", clock.now())
counter = folder / "counter"  # what the chargers would tell: transaction n runs, or none
flow = None

def picture(number):
    states = [replace(charger(e), transaction_id=f"{e}{number}") for e in "ab"]
    return replace(snapshot(chargers=states, needs=[need("a"), need("b")]), at=clock.now())

async def main():
    global flow
    number = int(counter.read_text()) if counter.exists() else 0
    seen = []
    flow = Webhooks("depot", [Subscription(endpoint="fleet", kinds=frozenset(Kind))],
                    store.webhooks, store.sessions, lambda: (seen[-1], ()), clock)
    endpoint = Endpoint(WebhookSettings(name="fleet", url=url, secret_file=folder / "secret",
                                        allow_private=True))
    sender = asyncio.create_task(
        Sender(endpoint, store.webhooks, clock, lambda: flow.news).run())
    while number < last:
        seen.append(picture(number))
        await flow.step()
        number += 1
        counter.write_text(str(number))
        print(number, flush=True)
        await asyncio.sleep(0.02)
    await sender

asyncio.run(main())
"""
ROUNDS, EACH = 3, 12


async def _until_killed(folder: Path, url: str, last: int, receiver: Receiver) -> None:
    """Run it; after some transactions it is killed, except in the last round."""
    words = [sys.executable, "-c", PROGRAM, str(folder), url, str(last)]
    program = await asyncio.create_subprocess_exec(*words, stdout=asyncio.subprocess.PIPE)
    assert program.stdout is not None
    try:
        for _ in range(EACH):
            assert await program.stdout.readline()
        if last == ROUNDS * EACH:
            await until(lambda: len(_told(receiver)) >= 2 * (2 * last - 1))
    finally:
        program.kill()
        await program.wait()


def _told(receiver: Receiver) -> dict[tuple[str, str], set[str]]:
    """Ids by what they tell: (type, transaction)."""
    found: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
    for one in receiver.heard:
        event = one.event
        found[event["type"], event["data"]["transaction_id"]].add(one.event_id)
    return found


@pytest.mark.row("site:F2")
async def test_nothing_is_lost_and_a_repetition_has_the_same_id(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))
    (tmp_path / "secret").write_text(new_secret())
    async with webhook_receiver() as receiver:
        for n in range(1, ROUNDS + 1):
            if n < ROUNDS:
                receiver.answers.extend([(503, {"Retry-After": "1"})] * 3)
            await _until_killed(tmp_path, receiver.url, n * EACH, receiver)
    told, last = _told(receiver), ROUNDS * EACH
    for evse in "ab":
        started = [("session.started", f"{evse}{n}") for n in range(last)]
        completed = [("session.completed", f"{evse}{n}") for n in range(last - 1)]
        assert all(len(told[key]) == 1 for key in [*started, *completed])
        firsts = list(dict.fromkeys(
            (one.event["type"], one.event["data"]["transaction_id"])
            for one in receiver.heard if one.event["data"]["evse_id"] == evse
        ))  # fmt: skip
        inner = [pair for n in range(last - 1) for pair in (started[n], completed[n])]
        assert firsts == [*inner, started[-1]]
    secret = read_secret(tmp_path / "secret")
    assert all(one.signed_with(secret) for one in receiver.heard)
