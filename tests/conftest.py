"""Fixtures that several folders of tests share."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from support.demo import RunningDemo

# How long an example takes says how busy the machine is.
_UNTIMED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("untimed", _UNTIMED)
settings.register_profile("long", _UNTIMED, max_examples=1000)  # see support/examples.py
settings.load_profile("untimed")

_REAL_TIME = {"integration", "chaos", "e2e", "browser"}
"""Folders of tests whose programs talk in real time."""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: Sequence[pytest.Item]) -> None:
    """Mark what needs a machine that is not busy reckoning: `./dev test` runs it by itself."""
    here = Path(__file__).parent
    for item in items:
        folder = item.path.relative_to(here).parts[0]
        if folder in _REAL_TIME and item.get_closest_marker("reckons") is None:
            item.add_marker("realtime")


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningDemo]:
    """The whole system, once for all tests that look at it."""
    running = RunningDemo(tmp_path_factory.mktemp("demo") / "data")
    try:
        yield running
    finally:
        running.close()
