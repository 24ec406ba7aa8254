from __future__ import annotations

import pytest


@pytest.fixture(params=["1.6", "2.0.1"])
def spoken(request: pytest.FixtureRequest) -> str:
    value: str = request.param
    return value
