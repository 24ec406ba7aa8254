"""Who takes settings from the gateway, and what the flow behind it needs from outside."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from contracts.site_link.configuration import (
    Change,
    Configuration,
    ConfigurationAck,
    ConfigurationState,
)
from site_agent.domain.remote import Record

Settings_co = TypeVar("Settings_co", covariant=True)


class Verdict(Protocol[Settings_co]):
    """What came of settings over the site's own."""

    @property
    def settings(self) -> Settings_co | None:
        """None: there are faults."""
        ...

    @property
    def faults(self) -> tuple[str, ...]:
        """What is against them."""
        ...

    @property
    def changes(self) -> tuple[Change, ...]:
        """In which they differ from the site's own."""
        ...


class OwnFile(Protocol[Settings_co]):
    """The site's own settings."""

    @property
    def base(self) -> str:
        """Which they are."""
        ...

    def judged(self, text: str) -> Verdict[Settings_co]:
        """Settings over them; never raises."""
        ...

    def told(self, settings: Any, /) -> str:  # noqa: ANN401 (its own settings, as it judged them)
        """What the gateway may know settings by."""
        ...

    def drift(self) -> str:
        """How the file on the disk differs from what runs; empty: it does not."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """What can be seen of a running agent."""

    quiet: Callable[[], bool]
    connected: Callable[[], bool]
    """To the gateway."""
    online: Callable[[], frozenset[str]]
    """Every device that is heard, the meter among them."""


class ConfigurationHandler(Protocol):
    """Takes settings from the link (implemented by `flows.orders.configuration`)."""

    def state(self) -> ConfigurationState:
        """With which settings this agent runs."""
        ...

    async def receive(self, sent: Configuration) -> ConfigurationAck:
        """Stage them (or refuse them with reasons) before answering."""
        ...


class RecordStore(Protocol):
    """The one record of settings from above."""

    def load(self) -> Record:
        """What was last saved; an empty one where nothing was."""
        ...

    def save(self, record: Record) -> None:
        """Durable when it returns; interrupted at any moment, the one before is still there.

        Raises:
            TransientError: it could not be stored.
        """
        ...
