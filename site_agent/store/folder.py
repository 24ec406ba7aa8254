"""The site's data folder."""

from __future__ import annotations

from pathlib import Path

from contracts.errors import ConfigError


def make_folder(folder: Path) -> None:
    """Make it where there is none, for the agent's own user only.

    Raises:
        ConfigError: it cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise ConfigError(f"{folder}: cannot be made: {error}") from error
