"""One process, several lives: with new settings, and back when they do not do."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
import yaml

import site_agent.main
from contracts.errors import ConfigError
from contracts.site_link.configuration import Configuration, hash_of
from contracts.time import Clock
from site_agent.assembly.remote import Remote
from site_agent.config import SiteSettings
from site_agent.flows.orders.configuration_needs import Sight
from site_agent.main import Ready, run_file
from support.leaping_clock import leaping, leaping_clock

pytestmark = pytest.mark.row("portfolio:L5")
SIGHT = Sight(quiet=lambda: True, connected=lambda: True, online=frozenset)


def push(text: str, clock: Clock) -> Configuration:
    return Configuration(
        configuration_id="c-1",
        site_id="depot-1",
        revision=1,
        issued_at=clock.now(),
        text=text,
        sha256=hash_of(text),
    )


def file(folder: Path, **more: object) -> Path:
    path = folder / "site.yaml"
    settings = {
        "site_id": "depot-1",
        "data": str(folder / "data"),
        "contract_limit_w": 100_000,
        "max_building_w": 20_000,
        "circuit": {"limit_a": 200},
        "meter": {"host": "meter"},
        "link": {"servers": ["tls://gateway:4222"], "credentials": str(folder)},
        **more,
    }
    path.write_text(yaml.safe_dump(settings))
    return path


@leaping
async def test_a_configuration_that_cannot_start_is_taken_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock, stopping, lives = leaping_clock(), asyncio.Event(), []
    assert clock is not None

    async def run(
        settings: SiteSettings,
        _clock: Clock,
        ending: asyncio.Event,
        _ready: Ready | None,
        remote: Remote,
    ) -> None:
        lives.append(settings.telemetry_s)
        if settings.telemetry_s == 5.0:
            raise ConfigError("port 9000 is taken")
        remote.connect(SIGHT)
        if len(lives) == 1:
            await remote.receive(push("telemetry_s: 5", _clock))
        else:
            assert remote.state().outcome == "rolled_back"
            assert "port 9000 is taken" in remote.state().reason
            stopping.set()
        await ending.wait()

    monkeypatch.setattr(site_agent.main, "run", run)
    await run_file(file(tmp_path), clock, stopping)
    assert lives == [2.0, 5.0, 2.0]


@leaping
async def test_a_failure_of_the_sites_own_settings_ends_the_program(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def run(*_: object) -> None:
        raise ConfigError("port 9000 is taken")

    clock = leaping_clock()
    assert clock is not None
    monkeypatch.setattr(site_agent.main, "run", run)
    with pytest.raises(ExceptionGroup) as caught:
        await run_file(file(tmp_path), clock, asyncio.Event())
    assert caught.group_contains(ConfigError, match="port 9000")


@leaping
@pytest.mark.parametrize("more", [{"link": None}, {"remote": {"accept": False}}])
async def test_an_owner_may_take_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, more: dict[str, object]
) -> None:
    given: list[object] = []

    async def run(*args: object) -> None:
        given.extend(args)

    clock = leaping_clock()
    assert clock is not None
    monkeypatch.setattr(site_agent.main, "run", run)
    await run_file(file(tmp_path, **more), clock, asyncio.Event())
    assert len(given) == 4  # no taker of settings among them
