"""An explanation as rows of text."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import tzinfo

from gateway.domain.why import Answer, Line
from gateway.reports import words


@dataclass(frozen=True, slots=True, kw_only=True)
class WhyRow:
    """One link of the chain."""

    what: str
    text: str
    at: str
    """Empty: it is so at the time of the answer."""
    rows: tuple[WhyRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class WhyView:
    """The page."""

    subject: str
    kind: str
    sentence: str
    as_of: str
    form_zone: str
    rows: tuple[WhyRow, ...]


def why_view(answer: Answer, tz: tzinfo) -> WhyView:
    """Turn an answer into text, with the times of a zone."""
    return WhyView(
        subject=answer.subject,
        kind=answer.kind,
        sentence=answer.sentence,
        as_of=words.moment(answer.at, tz),
        form_zone=words.zone(answer.at, tz),
        rows=tuple(_row(one, tz) for one in answer.lines),
    )


def _row(one: Line, tz: tzinfo) -> WhyRow:
    return WhyRow(
        what=one.what,
        text=one.text,
        at="" if one.at is None else f"{words.day(one.at, tz)}, {words.clock(one.at, tz)}",
        rows=tuple(_row(each, tz) for each in one.lines),
    )
