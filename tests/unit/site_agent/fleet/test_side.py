"""The fleet's systems of one site, as its settings name them."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from contracts.clock import SystemClock
from contracts.errors import ConfigError
from site_agent.config import SiteSettings
from site_agent.fleet.side import SILENT_FOR, TELEMATICS_SILENT, FleetSide, Surroundings
from site_agent.flows.fleet.sessions import Sessions
from site_agent.store.memory import MemoryKeyValues, MemoryOutbox, MemorySessions
from site_agent.store.memory_fleet import MemoryAnswers, MemoryWebhooks
from support.fleet import live_roster
from support.waiting import until


def side(folder: Path, **systems: object) -> FleetSide:
    settings = SiteSettings.model_validate({
        "site_id": "s", "data": folder, "contract_limit_w": 50_000, "max_building_w": 0,
        "circuit": {"limit_a": 100}, "meter": {"host": "127.0.0.1"}, "fleet_systems": systems,
    })  # fmt: skip
    roster = live_roster()
    return FleetSide(
        settings,
        Surroundings(
            roster=roster,
            sessions=Sessions(roster.fleet(), MemoryKeyValues()),
            history=MemorySessions(MemoryOutbox()),
            answers=MemoryAnswers(),
            webhooks=MemoryWebhooks(),
            memory=MemoryKeyValues(),
            latest=lambda: None,
            prospects=tuple,
            clock=SystemClock(),
        ),
    )


async def test_a_provider_that_is_silent_is_worth_a_notice_after_half_an_hour(
    tmp_path: Path,
) -> None:
    found = side(tmp_path, samsara={"url": "http://127.0.0.1:9", "token_file": tmp_path / "none"})
    assert found.conditions() == {}
    (poller,) = (asyncio.create_task(work) for work in found.runs())
    await until(lambda: bool(found.conditions()))
    ((key, condition),) = found.conditions().items()
    assert key == (TELEMATICS_SILENT, "samsara")
    assert "none: cannot be read" in condition.text
    assert condition.after == SILENT_FOR
    poller.cancel()
    await asyncio.wait([poller])


def test_a_webhook_without_its_secret_is_refused_at_the_start(tmp_path: Path) -> None:
    hook = {"name": "h", "url": "https://h.example/", "secret_file": tmp_path / "none"}
    with pytest.raises(ConfigError, match="none: cannot be read"):
        side(tmp_path, webhooks=[hook])


def test_without_any_system_nothing_runs(tmp_path: Path) -> None:
    found = side(tmp_path)
    assert found.runs() == []
    assert set(found.commands()) == {"fleet.vehicles", "fleet.import"}
