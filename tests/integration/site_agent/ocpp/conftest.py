from __future__ import annotations

import pytest


@pytest.fixture(params=["ocpp1.6", "ocpp2.0.1"])
def version(request: pytest.FixtureRequest) -> str:
    value: str = request.param
    return value
