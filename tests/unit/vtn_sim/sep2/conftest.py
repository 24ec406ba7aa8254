"""A utility without sockets."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from contracts.testing import FakeClock
from support.sep2_world import SETTINGS, World


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def make_world(clock: FakeClock) -> Callable[..., World]:
    def make(**changes: Any) -> World:
        return World(clock, **{**SETTINGS, **changes})

    return make


@pytest.fixture
def world(make_world: Callable[..., World]) -> World:
    return make_world()
