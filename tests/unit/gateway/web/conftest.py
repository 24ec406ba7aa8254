"""Browsers on a small world behind the pages, and on a gateway where nothing has happened yet."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from contracts.testing import FakeClock
from gateway.domain.measure.report import ParticipationReport
from support.gateway_web import NOW, World, browser, fill, make_world


async def make_filled(report: ParticipationReport) -> World:
    """17:12:30, twelve and a half minutes into an event that lasts until 17:30."""
    world = make_world(FakeClock(NOW))
    start = datetime(2026, 11, 21, 1, 0, tzinfo=UTC)
    await fill(world, report, start, start + timedelta(minutes=30))
    return world


@pytest.fixture
async def world(report: ParticipationReport) -> World:
    """For tests that change something."""
    return await make_filled(report)


@pytest.fixture(scope="session")
def still(report: ParticipationReport) -> World:
    """The same for tests that only look: made once."""
    with asyncio.Runner() as runner:
        return runner.run(make_filled(report))


@pytest.fixture(scope="session")
def bare() -> World:
    """Before anything has happened; only to look at."""
    return make_world(FakeClock(NOW))


@pytest.fixture
async def client(world: World) -> AsyncIterator[httpx.AsyncClient]:
    """A browser that changes things."""
    async with browser(world.app) as client:
        yield client


@pytest.fixture
async def reader(still: World) -> AsyncIterator[httpx.AsyncClient]:
    """A browser that only looks."""
    async with browser(still.app) as reader:
        yield reader


@pytest.fixture
async def bare_reader(bare: World) -> AsyncIterator[httpx.AsyncClient]:
    """A browser that looks at the empty gateway."""
    async with browser(bare.app) as reader:
        yield reader
