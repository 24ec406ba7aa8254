"""Where a figure of a program comes from, and how far it may be trusted."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Confidence(StrEnum):
    """How near the source stands to the tariff."""

    UTILITY = "U"
    """The operator's or regulator's own text, for its year."""
    THIRD_PARTY = "T"
    """An aggregator's page, the trade press, a public digest: check it."""
    MEMORY = "M"
    """Unverified."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A source of figures: none of them replaces the tariff in force."""

    confidence: Confidence
    year: int | None = None
    """Of the text; None: undated, it may be old."""
    text: str = ""

    @property
    def words(self) -> str:
        """`third party 2025, check: opening hours differ elsewhere`."""
        who = _WORDS[self.confidence]
        when = f"{self.year}" if self.year else "undated"
        return f"{who} {when}" + (f": {self.text}" if self.text else "")


_WORDS = {
    Confidence.UTILITY: "operator's own text,",
    Confidence.THIRD_PARTY: "third party, check,",
    Confidence.MEMORY: "unverified,",
}
