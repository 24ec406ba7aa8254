"""A flood waits in a short line of its own."""

from __future__ import annotations

import aiomqtt
import pytest
from structlog.testing import capture_logs

from site_agent.devices.mqtt.inbox import MOST_OF_A_TOPIC, MOST_TOPICS, QUIET_S, FloodLog, Inbox


def message(topic: str, n: int) -> aiomqtt.Message:
    return aiomqtt.Message(topic, str(n).encode(), 0, retain=False, mid=n, properties=None)


def drained(inbox: Inbox) -> list[tuple[str, int]]:
    got = [inbox.get_nowait() for _ in range(inbox.qsize())]
    return [(str(one.topic), one.mid) for one in got]


@pytest.mark.row("trap:Q5")
async def test_the_newest_of_a_topic_stay_in_their_order() -> None:
    inbox = Inbox()
    for n in range(1000):
        inbox.put_nowait(message("flood", n))
    assert drained(inbox) == [("flood", n) for n in range(1000 - MOST_OF_A_TOPIC, 1000)]
    assert inbox.dropped == 1000 - MOST_OF_A_TOPIC
    assert inbox.empty()


@pytest.mark.row("trap:Q5")
async def test_the_others_get_their_turn() -> None:
    inbox = Inbox()
    for n in range(1000):
        inbox.put_nowait(message("flood", n))
    inbox.put_nowait(message("quiet", 1))
    assert drained(inbox)[1] == ("quiet", 1)


@pytest.mark.row("trap:Q5")
async def test_topics_without_number_are_bounded() -> None:
    inbox = Inbox()
    for n in range(10 * MOST_TOPICS):
        inbox.put_nowait(message(f"t/{n}", n))
    assert inbox.qsize() == MOST_TOPICS


async def test_who_waits_is_woken() -> None:
    inbox = Inbox()
    inbox.put_nowait(message("a", 1))
    assert (await inbox.get()).mid == 1


@pytest.mark.row("trap:Q5")
def test_a_flood_is_two_lines() -> None:
    with capture_logs() as logs:
        flood = FloodLog("broker")
        for n in range(5000):
            flood.see(10 * n, n / 100)
        flood.see(49_990, 50.0 + QUIET_S)
        flood.see(49_990, 51.0 + QUIET_S)
    assert [line["event"] for line in logs] == [
        "mqtt flood: of each topic only the newest count",
        "mqtt flood over",
    ]
    assert logs[1]["dropped"] == 49_990
