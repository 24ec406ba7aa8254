"""Why events, sites and instructions are as they are, asked of a running gateway."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import datetime, tzinfo
from typing import Any
from urllib.parse import quote, urlencode

from contracts.errors import ConfigError
from gridyard.at_gateway.asking import asked
from gridyard.why import instant

KINDS = ("event", "site", "instruction")
Json = dict[str, Any]

_WIDTH = 12
"""Of the first words of a line."""
_MOST_DEEP = 3


def why(url: str, kind: str, subject: str, at: str | None, zone: tzinfo, now: datetime) -> Json:
    """The gateway's answer; times in its sentences are of `zone`.

    Raises:
        ConfigError: the kind or `at` is none.
        GridyardError: no gateway answers, or it knows nothing of that name (by then).
    """
    if kind not in KINDS:
        raise ConfigError(f"{kind!r} {subject!r}: ask about one of {', '.join(KINDS)}")
    query = {"zone": str(zone)}
    if at is not None:
        query["at"] = instant(at, zone, now).isoformat()
    safe = "/" if kind == "event" else ""
    path = f"why/{kind}/{quote(subject, safe=safe)}"
    found: Json = asyncio.run(asked(url, f"{path}?{urlencode(query)}"))
    return found


def lines(answer: Json, tz: tzinfo) -> Iterator[str]:
    """The sentence, then the chain, what a link is made of below it."""
    yield f"{answer['sentence']}."
    yield from _chain(answer["lines"], tz, 1)
    yield f"  {'as of':<{_WIDTH}} {_clock(answer['at'], tz)}"


def _chain(found: list[Json], tz: tzinfo, depth: int) -> Iterator[str]:
    indent = "  " * depth
    for line in found:
        at = f"  [{_clock(line['at'], tz)}]" if line["at"] else ""
        yield f"{indent}{line['what']:<{_WIDTH}} {line['text']}{at}"
        if depth < _MOST_DEEP:
            yield from _chain(line["lines"], tz, depth + 1)


def _clock(text: str, tz: tzinfo) -> str:
    return f"{datetime.fromisoformat(text).astimezone(tz):%Y-%m-%d %H:%M:%S %Z}"
