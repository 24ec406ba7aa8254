"""A simulated charging station of 2.0.1, and of 2.1, which answers and tells all this alike."""

from __future__ import annotations

import pytest

from support.charger_bench import ChargerBench


@pytest.fixture(params=["2.0.1", "2.1"])
def bench(request: pytest.FixtureRequest) -> ChargerBench:
    return ChargerBench(request.param)
