"""Settings on their way to a site, and what it says of them: part of the site link, version 1.

`Configuration` goes down and is answered by `ConfigurationAck`. Only a site whose `Hello` carries a
`ConfigurationState` takes it; what becomes of it then comes with every later `Hello` and `Health`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from typing import Annotated, Literal

from pydantic import AwareDatetime, Field

from contracts.bounded_yaml import MAX_CHARS

MAX_FAULTS = 50
MAX_CHANGES = 200
_CHARS = 500

_Name = Annotated[str, Field(min_length=1, max_length=120)]
_NameOrNone = Annotated[str, Field(max_length=120)]
_Text = Annotated[str, Field(max_length=_CHARS)]
Hash = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
"""SHA-256, in hex."""


class Answered(StrEnum):
    """What a site says at once to a configuration."""

    STAGED = "staged"
    """Stored durably; it will be tried at its time."""
    REFUSED = "refused"
    """Nothing has changed."""
    VALID = "valid"
    """Only checked: it would have been staged."""


class Outcome(StrEnum):
    """What became of the last configuration that a site has tried."""

    NONE = ""
    APPLIED = "applied"
    ROLLED_BACK = "rolled_back"


@dataclass(frozen=True, slots=True, kw_only=True)
class Configuration:
    """Settings over those of the site's own file; replaces every earlier one, tried or not.

    An empty `text` leaves the site with its own file alone.
    """

    kind: Literal["configuration"] = "configuration"
    configuration_id: _Name
    site_id: _Name
    revision: Annotated[int, Field(ge=1, le=2**53)]
    """Grows with every one for this site: a lower one is an old message."""
    issued_at: AwareDatetime
    text: Annotated[str, Field(max_length=MAX_CHARS)]
    """YAML: some of the agent's settings, things with an id under their id."""
    sha256: Hash
    """Of `text` in UTF-8."""
    at: AwareDatetime | None = None
    """When to try it; None: at the next quiet moment."""
    check_only: bool = False
    """Say what it would change and what is against it; store nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One setting as it would change; values as JSON, shortened."""

    path: _Text
    before: _Text
    after: _Text


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigurationAck:
    """What the site says to a configuration."""

    kind: Literal["configuration_ack"] = "configuration_ack"
    configuration_id: _Name
    state: Answered
    faults: Annotated[tuple[_Text, ...], Field(max_length=MAX_FAULTS)] = ()
    """What is against it, each with the path of the setting."""
    changes: Annotated[tuple[Change, ...], Field(max_length=MAX_CHANGES)] = ()
    """Against the site's own file, whatever runs now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigurationState:
    """With which settings an agent runs."""

    running: _NameOrNone = ""
    """The configuration in force or on trial; empty: the site's own file alone."""
    fingerprint: Annotated[str, Field(max_length=64)] = ""
    """SHA-256 of all settings in force, defaults included."""
    trial: bool = False
    """`running` has to prove itself yet."""
    staged: _NameOrNone = ""
    """The one that waits for its time; empty: none."""
    last: _NameOrNone = ""
    """The last one whose trial has ended, ..."""
    outcome: Annotated[str, Field(max_length=20)] = Outcome.NONE.value
    """... how, ..."""
    reason: _Text = ""
    """... and why."""
    drift: _Text = ""
    """Why a configuration that had been applied is not in force: the site's own file has changed,
    which wins. Empty: none is set aside."""


def hash_of(text: str) -> str:
    """The `sha256` of a text."""
    return sha256(text.encode()).hexdigest()


def refused(configuration_id: str, faults: Sequence[str]) -> ConfigurationAck:
    """A refusal, cut to what a message may carry."""
    return ConfigurationAck(
        configuration_id=configuration_id,
        state=Answered.REFUSED,
        faults=tuple(fault[:_CHARS] for fault in faults[:MAX_FAULTS]),
    )
