"""The journal for people at the console: `site.why` and `site.journal`."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from datetime import datetime

from contracts.errors import PermanentError
from site_agent.domain.journal import Entry
from site_agent.domain.why.answer import Answer
from site_agent.domain.why.asked import SITE
from site_agent.flows.people.journal import Journal
from site_agent.ports import Command

_MOST = 1_000
_LONGEST = 100

Json = Mapping[str, object]


def why_commands(journal: Journal) -> Mapping[str, Command]:
    """`site.why` gives one item, an answer; `site.journal` gives entries, newest first."""

    async def why(args: Json, /) -> AsyncGenerator[Json, None]:
        subject = _text(args, "subject") or SITE
        yield answer_json(await journal.why(subject, _instant(args, "at")))

    async def page(args: Json, /) -> AsyncGenerator[Json, None]:
        before = _instant(args, "before")
        for entry in await journal.page(_text(args, "subject"), before, _count(args)):
            yield entry_json(entry)

    return {"site.why": why, "site.journal": page}


def answer_json(answer: Answer) -> Json:
    """An answer for programs."""
    return {
        "subject": answer.name,
        "kind": answer.of.value,
        "at": answer.at.isoformat(),
        "sentence": answer.sentence,
        "binding": answer.binding or None,
        "steps": _steps(answer),
    }


def entry_json(entry: Entry) -> Json:
    """An entry of the journal for programs."""
    return {
        "at": entry.at.isoformat(),
        "kind": entry.kind.value,
        "subject": entry.subject,
        "text": entry.text,
        "binding": None if entry.answer is None else entry.answer.binding or None,
        "steps": [] if entry.answer is None else _steps(entry.answer),
    }


def _steps(answer: Answer) -> Sequence[Json]:
    return [{"what": step.what, "text": step.text} for step in answer.steps]


def _text(args: Json, name: str) -> str | None:
    value = args.get(name)
    if value is None:
        return None
    if not isinstance(value, str) or not 0 < len(value) <= _LONGEST:
        raise PermanentError(f"{name}: a text of 1 to {_LONGEST} characters")
    return value


def _instant(args: Json, name: str) -> datetime | None:
    text = _text(args, name)
    if text is None:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise PermanentError(f"{name}: no time such as 2026-01-05T12:00:00+01:00") from error
    if found.tzinfo is None:
        raise PermanentError(f"{name}: say its offset from UTC, such as +01:00")
    return found


def _count(args: Json) -> int:
    value = args.get("most", 50)
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= _MOST:
        raise PermanentError(f"most: a whole number from 1 to {_MOST}")
    return value
