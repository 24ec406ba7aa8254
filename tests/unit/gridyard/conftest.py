"""Commands set up logging for a process of their own; in tests it is taken back afterwards."""

from collections.abc import Iterator
from functools import cache

import pytest
import structlog
import typer.testing


@pytest.fixture(autouse=True)
def _logging_as_before() -> Iterator[None]:
    yield
    structlog.reset_defaults()


@pytest.fixture(scope="session", autouse=True)
def _one_command_tree() -> Iterator[None]:
    """The words of the whole CLI are read once, as in a process; `CliRunner` would each time."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(typer.testing, "_get_command", cache(typer.main.get_command))
        yield
