"""Browsers on a small world behind the pages, and on a gateway where nothing has happened yet."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from contracts.testing import FakeClock
from gateway.domain.report import ParticipationReport
from support.gateway_web import NOW, World, browser, fill, make_world


@pytest.fixture
async def world(report: ParticipationReport) -> World:
    """17:12:30, twelve and a half minutes into an event that lasts until 17:30."""
    world = make_world(FakeClock(NOW))
    start = datetime(2026, 11, 21, 1, 0, tzinfo=UTC)
    await fill(world, report, start, start + timedelta(minutes=30))
    return world


@pytest.fixture
def bare() -> World:
    """Before anything has happened."""
    return make_world(FakeClock(NOW))


@pytest.fixture
async def client(world: World) -> AsyncIterator[httpx.AsyncClient]:
    """A browser on the world."""
    async with browser(world.app) as client:
        yield client


@pytest.fixture
async def bare_client(bare: World) -> AsyncIterator[httpx.AsyncClient]:
    """A browser on the empty gateway."""
    async with browser(bare.app) as client:
        yield client
