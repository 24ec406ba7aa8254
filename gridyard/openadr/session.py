"""Which utility is meant, and how we would speak to it."""

from __future__ import annotations

from pathlib import Path

from contracts.config import load
from contracts.errors import ConfigError
from gateway.config import GatewaySettings
from gateway.utility.openadr.settings import OpenAdrSettings


def chosen(config: Path, utility: str | None) -> OpenAdrSettings:
    """The settings of the utility that is meant, from the gateway's file.

    Raises:
        ConfigError: the file cannot be used, or it is not clear which utility is meant.
    """
    return chosen_of(load(config, GatewaySettings), config, utility)


def chosen_of(settings: GatewaySettings, config: Path, utility: str | None) -> OpenAdrSettings:
    """As `chosen`, from settings already read; `config` stands in messages."""
    known = {one.utility_id: one for one in settings.openadr}
    if utility is None and len(known) == 1:
        return next(iter(known.values()))
    if utility not in known:
        names = ", ".join(known) or "none"
        raise ConfigError(
            f"{config}: openadr: choose a utility with --utility (there are: {names})"
        )
    return known[utility]
