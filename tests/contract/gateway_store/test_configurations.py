"""Settings pushed to sites, on a file and in memory."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gateway.domain.configuration import Pushed, Stage, moved
from gateway.ports.configuration import ConfigurationBook
from gateway.store.configurations import SqlConfigurationBook
from gateway.store.database import Database
from support.gateway_store import T0

pytestmark = pytest.mark.row("portfolio:L5")


@pytest.fixture
def book(database: Database) -> ConfigurationBook:
    return SqlConfigurationBook(database)


def push(site_id: str, *, rollout: str = "r1", stage: Stage = Stage.WAITING) -> Pushed:
    return Pushed(
        site_id=site_id,
        revision=0,
        rollout=rollout,
        wave=0,
        text="telemetry_s: 5",
        pushed_at=T0,
        by="op",
        cause="try",
        at=T0,
        stage=stage,
    )


async def test_they_are_numbered_by_site_and_kept(book: ConfigurationBook) -> None:
    first = await book.add([push("depot-1"), push("depot-2")])
    second = await book.add([push("depot-1", rollout="r2")])
    assert [one.configuration_id for one in (*first, *second)] == [
        "depot-1-1",
        "depot-2-1",
        "depot-1-2",
    ]
    history = await book.history("depot-1")
    assert [one.stage for one in history] == [Stage.SUPERSEDED, Stage.WAITING]
    assert history[0].reason == "depot-1-2 took its place"
    assert history[1] == second[0]
    assert await book.history("depot-9") == []


async def test_what_is_tried_is_not_superseded(book: ConfigurationBook) -> None:
    added = await book.add([push("depot-1")])
    await book.save([moved(added[0], Stage.TRIAL, T0)])
    await book.add([push("depot-1", rollout="r2")])
    assert [one.stage for one in await book.history("depot-1")] == [Stage.TRIAL, Stage.WAITING]


async def test_open_ones_come_with_all_of_their_rollout(book: ConfigurationBook) -> None:
    both = await book.add([push("depot-1"), push("depot-2", stage=Stage.HELD)])
    await book.save([moved(both[0], Stage.APPLIED, T0)])
    over = await book.add([push("depot-3", rollout="r2")])
    await book.save([moved(over[0], Stage.REFUSED, T0, "no")])
    assert [(one.site_id, one.stage) for one in await book.open()] == [
        ("depot-1", Stage.APPLIED),
        ("depot-2", Stage.HELD),
    ]
    await book.save([])
    assert (await book.history("depot-3"))[0] == replace(
        over[0], stage=Stage.REFUSED, reason="no", changed_at=T0
    )
