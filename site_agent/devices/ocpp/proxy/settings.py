"""What the proxy is told about a station's cloud CSMS."""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field
from enum import StrEnum


class FinalWord(StrEnum):
    """Who decides whether a driver may charge."""

    CLOUD = "cloud"
    """The cloud; our own policy while it is away."""
    BOTH = "both"
    """Only who is accepted by the cloud (unless it is away) and by our policy."""
    LOCAL = "local"
    """Our policy; the cloud is only told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CloudConfig:
    """One station's cloud CSMS."""

    url: str
    """The station's identity becomes the last segment of the path."""
    identity: str
    password: str | None = field(default=None, repr=False)
    """HTTP Basic password, the user name is the identity."""
    tls: ssl.SSLContext | None = field(default=None, repr=False)
    """For `wss`: whom to trust, and our certificate where the cloud asks for one."""
    final_word: FinalWord = FinalWord.CLOUD
    firmware: bool = True
    """Whether the cloud may update firmware."""
    patience_s: float = 3.0
    """How long a charger may wait for the cloud's answer, s."""
    most_kept: int = 10_000
    """Messages about transactions that are kept for a cloud that is away."""
