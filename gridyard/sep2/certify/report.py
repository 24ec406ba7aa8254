"""What `gridyard sep2 certify` prints."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import timedelta

from contracts.errors import ConfigError
from gridyard.sep2.certify.impossible import IMPOSSIBLE, SIMULATED
from gridyard.sep2.certify.judging import Judgement
from gridyard.sep2.certify.unattended import WRITING, Verdict
from gridyard.sep2.certify.watch_list import WATCHED, Watched

_SPAN = re.compile(r"([0-9]{1,5})(s|m|h)")
_SECONDS = {"s": 1, "m": 60, "h": 3600}
_LONGEST = timedelta(days=1)
_WORDS = {True: "pass", False: "FAIL", None: "n/a "}


def span(text: str) -> timedelta:
    """A length of time: `90s`, `30m`, `2h`.

    Raises:
        ConfigError: it is none, or beyond a day.
    """
    found = _SPAN.fullmatch(text.strip())
    length = timedelta(seconds=int(found[1]) * _SECONDS[found[2]]) if found else timedelta(0)
    if not timedelta(0) < length <= _LONGEST:
        raise ConfigError(f"--for {text}: give 90s, 30m or 2h for example, a day at most")
    return length


def chosen(name: str) -> Watched:
    """A watch procedure by id.

    Raises:
        ConfigError: there is none.
    """
    found = WATCHED.get(name.upper())
    if found is None:
        why = IMPOSSIBLE.get(name.upper())
        reason = f": {why}" if why else f"; there are: {', '.join(WATCHED)}"
        raise ConfigError(f"--watch {name} is no watch procedure{reason}")
    return found


def announced() -> Iterator[str]:
    """What is about to be written on the server."""
    yield "These write on the server (--read-only leaves them out):"
    for one in WRITING:
        yield f"  {one.id:9}  {one.title}: {one.writes}"


def line(one: Verdict) -> str:
    """One verdict."""
    return f"{_WORDS[one.passed]}  {one.procedure:9}  {one.title}: {one.detail}"


def rest() -> Iterator[str]:
    """What has not been run: procedures to watch, and those that no client can do."""
    yield "The utility's operator has to act in these; run one with --watch ID --for 30m:"
    yield from (f"  {one.id:9}  {one.title}" for one in WATCHED.values())
    yield "A client cannot run these:"
    for name, why in IMPOSSIBLE.items():
        simulated = " (play it: gridyard utility-sim --procedure)" if name in SIMULATED else ""
        yield f"  {name:9}  {why}{simulated}"


def as_json(found: Sequence[Verdict]) -> dict[str, object]:
    """All of it for machines."""
    return {
        "verdicts": [one.as_dict() for one in found],
        "watch": [
            {
                "id": one.id,
                "title": one.title,
                "operator": list(one.operator),
                "wanted": [f"{want.count} x {want.text}" for want in one.wants],
            }
            for one in WATCHED.values()
        ],
        "impossible": dict(IMPOSSIBLE),
    }


def judged(procedure: Watched, found: Judgement) -> Iterator[str]:
    """The verdict on a watched procedure, step by step."""
    subject = ""
    for step in found.steps:
        if step.subject != subject:
            subject = step.subject
            yield subject
        yield f"  {'ok  ' if step.ok else 'FAIL'}  {step.step}: {step.detail}"
    yield f"{found.outcome}  {procedure.id}  {procedure.title}"
    yield from (f"      {reason}" for reason in found.reasons)


def judged_as_json(procedure: Watched, found: Judgement) -> dict[str, object]:
    """The same for machines."""
    return {"procedure": procedure.id, "title": procedure.title, **found.as_dict()}
