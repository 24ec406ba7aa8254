"""Fixtures that several folders of tests share."""

from __future__ import annotations

import gc
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

_HERE = Path(__file__).parent
_REAL_TIME = {"integration", "chaos", "e2e", "browser"}
"""Folders of tests whose programs talk in real time: `./dev test` runs them by themselves."""


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Of the tests in real time, or of all others, the rest need not even be read."""
    wanted = str(config.option.markexpr).startswith("realtime")
    unwanted = str(config.option.markexpr).startswith("not realtime")
    if not (wanted or unwanted) or collection_path.parent != _HERE:
        return None
    if not collection_path.is_dir() or _named(collection_path, config):
        return None
    return True if (collection_path.name in _REAL_TIME) is unwanted else None


def _named(folder: Path, config: pytest.Config) -> bool:
    """Whether somebody asks for something in it by its path; that must not seem to be missing."""
    asked = (Path(config.invocation_params.dir, word.split("::")[0]) for word in config.args)
    return any(path.resolve().is_relative_to(folder) for path in asked)


def pytest_collection(session: pytest.Session) -> None:
    """Thousands of modules and tests come to stay: to look for waste among them is in vain."""
    gc.disable()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: Sequence[pytest.Item]) -> None:
    """Mark what needs a machine that is not busy reckoning."""
    for item in items:
        if item.path.relative_to(_HERE).parts[0] in _REAL_TIME:
            item.add_marker("realtime")


def pytest_collection_finish(session: pytest.Session) -> None:
    """Tests make waste again."""
    gc.enable()


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningDemo]:
    """The whole system, once for all tests that look at it."""
    running = RunningDemo(tmp_path_factory.mktemp("demo") / "data")
    try:
        yield running
    finally:
        running.close()
