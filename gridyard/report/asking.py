"""What `gridyard report` asks of a running gateway.

Raises:
    PermanentError: the gateway refuses, with its reason.
    TransientError: no gateway answers there.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast
from urllib.parse import quote, urlencode

from contracts.errors import PermanentError
from gridyard.at_gateway.asking import asked, fetched, told

Json = dict[str, Any]
_ENDINGS = {"green-button": "xml"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A file and how it might be called."""

    name: str
    content: bytes


def reports(url: str, program: str, period: str) -> list[Json]:
    """The newest report of every event of a period."""
    query = urlencode({"program_id": program, "period": period})
    return cast("list[Json]", asyncio.run(asked(url, f"reports?{query}")))


def lines(found: Sequence[Json]) -> Iterator[str]:
    """A line each."""
    if not found:
        yield "no report"
    for one in found:
        status = "FINAL" if one["final"] else "PRELIMINARY"
        event = f"{one['utility_id']}/{one['event_id']}"
        yield f"{event}  version {one['version']}, {status}, {len(one['sites'])} sites"


def summary(url: str, program: str, period: str, reader: Mapping[str, str]) -> Json:
    """A program's summary over a month or season."""
    query = _summary(program, period, reader)
    return cast("Json", asyncio.run(asked(url, f"reports/summary?{query}")))


def summary_file(
    url: str, program: str, period: str, reader: Mapping[str, str], kind: str
) -> bytes:
    """The same as a file."""
    query = _summary(program, period, reader)
    return asyncio.run(fetched(url, f"reports/summary/{kind}?{query}"))


def _summary(program: str, period: str, reader: Mapping[str, str]) -> str:
    return urlencode({"program_id": program, "period": period, **reader})


def report_file(
    url: str, event_key: str, version: int | None, kind: str, reader: Mapping[str, str]
) -> Made:
    """A report for one reader; without a version the newest."""
    utility, _, event = event_key.partition("/")
    path = f"events/{quote(utility, safe='')}/{quote(event, safe='')}/reports"
    return asyncio.run(_report_file(url, path, event, version, kind, reader))


async def _report_file(
    url: str,
    path: str,
    event: str,
    version: int | None,
    kind: str,
    reader: Mapping[str, str],
) -> Made:
    if version is None:
        known = await asked(url, path)
        if not known:
            raise PermanentError(f"there is no report for event {event!r} yet")
        version = known[-1]["version"]
    content = await fetched(url, f"{path}/{version}/{kind}?{urlencode(reader)}")
    return Made(name=f"participation_{quote(event, safe='')}_v{version}.{kind}", content=content)


def meter_file(url: str, site_id: str, kind: str, first: str, last: str) -> Made:
    """A site's meter data over days of its own calendar, both included."""
    query = urlencode({"first": first, "last": last})
    content = asyncio.run(fetched(url, f"sites/{quote(site_id, safe='')}/meter/{kind}?{query}"))
    name = f"meter_{quote(site_id, safe='')}_{first}_{last}.{_ENDINGS.get(kind, kind)}"
    return Made(name=name, content=content)


def statement(url: str, subject: str, period: str, version: int | None, *, settle: bool) -> Json:
    """A statement; with `settle` made anew before."""
    if settle:
        body = {"subject": subject, "period": period}
        return cast("Json", asyncio.run(told(url, "statements", body)))
    query = _statement_query(subject, period, version)
    return cast("Json", asyncio.run(asked(url, f"statements?{query}")))


def statement_file(url: str, subject: str, period: str, version: int | None, kind: str) -> bytes:
    """A statement as a file."""
    query = _statement_query(subject, period, version)
    return asyncio.run(fetched(url, f"statements/{kind}?{query}"))


def _statement_query(subject: str, period: str, version: int | None) -> str:
    at = {} if version is None else {"version": str(version)}
    return urlencode({"subject": subject, "period": period, **at})
