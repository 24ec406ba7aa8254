"""A bench for each test."""

from __future__ import annotations

import pytest

from support.device_bench import Bench


@pytest.fixture
async def bench() -> Bench:
    return Bench()
