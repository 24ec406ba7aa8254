"""Settings for sites: where they are kept, and the way there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from contracts.site_link.configuration import Configuration, ConfigurationAck
from gateway.domain.configuration import Pushed


class ConfigurationBook(Protocol):
    """Every configuration that was ever pushed. Each method is one transaction."""

    async def add(self, pushes: Sequence[Pushed]) -> Sequence[Pushed]:
        """Keep new ones, numbered; what is open and untried at their sites is superseded."""
        ...

    async def save(self, pushes: Sequence[Pushed]) -> None:
        """Replace what is known of these."""
        ...

    async def open(self) -> Sequence[Pushed]:
        """All that go on, and those of the same rollouts."""
        ...

    async def history(self, site_id: str) -> Sequence[Pushed]:
        """All of one site, in order."""
        ...


class ConfigurationLink(Protocol):
    """The way to the sites, for settings."""

    async def configure(self, configuration: Configuration) -> ConfigurationAck:
        """Deliver it; returns when the site has stored or refused it, or only checked it.

        Raises:
            LinkDownError: the site is not listening, or did not answer in time.
        """
        ...
