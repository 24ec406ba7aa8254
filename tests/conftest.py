"""Fixtures that several folders of tests share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import settings

from support.demo import RunningDemo

settings.register_profile("long", max_examples=1000)  # see support/examples.py


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningDemo]:
    """The whole system, once for all tests that look at it."""
    running = RunningDemo(tmp_path_factory.mktemp("demo") / "data")
    try:
        yield running
    finally:
        running.close()
