from __future__ import annotations

import pytest


@pytest.fixture(params=["ocpp1.6", "ocpp2.0.1"])
def version(request: pytest.FixtureRequest) -> str:
    value: str = request.param
    return value


@pytest.fixture(params=["1.6", "2.0.1"])
def spoken(request: pytest.FixtureRequest) -> str:
    """The version as the simulated chargers' settings name it."""
    value: str = request.param
    return value
