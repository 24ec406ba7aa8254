"""What `gridyard event` asks of a running gateway, over its API."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any
from urllib.parse import quote

from contracts.errors import ConfigError
from gridyard.at_gateway.asking import asked, told

_KILO = 1000.0

Json = dict[str, Any]


def created(url: str, wanted: Mapping[str, object], key: str | None) -> Json:
    """Enter an event.

    Raises:
        PermanentError: the gateway refuses it, with its reason.
        TransientError: no gateway answers there.
    """
    made: Json = asyncio.run(told(url, "events", wanted, key=key))
    return made


def modified(url: str, event_key: str, body: Mapping[str, object], key: str | None) -> Json:
    """Change an event that was entered at the gateway; without `revision`, as it is now.

    Raises:
        ConfigError: the key is none.
        PermanentError: the gateway refuses it, with its reason.
        TransientError: no gateway answers there.
    """
    made: Json = asyncio.run(_modified(url, _path(event_key), body, key))
    return made


async def _modified(url: str, path: str, body: Mapping[str, object], key: str | None) -> Any:  # noqa: ANN401 (JSON)
    if body.get("revision") is None:
        body = {**body, "revision": (await asked(url, path))["modification"]}
    return await told(url, path, body, method="PATCH", key=key)


def changed(url: str, event_key: str, what: str, body: Mapping[str, object]) -> Json:
    """Cancel an event (`cancellations`) or decide about it (`decisions`).

    Raises:
        ConfigError: the key is none.
        PermanentError: the gateway refuses it, with its reason.
        TransientError: no gateway answers there.
    """
    made: Json = asyncio.run(told(url, f"{_path(event_key)}/{what}", body))
    return made


def request(
    chosen: Mapping[str, float | None], signs: Mapping[str, tuple[str, float]]
) -> tuple[str, float]:
    """The one signal that was chosen, as the API's kind and value.

    Raises:
        ConfigError: none was, or several.
    """
    given = [(name, value) for name, value in chosen.items() if value is not None]
    if len(given) != 1:
        raise ConfigError(f"say what is asked by one of: {', '.join(signs)}")
    name, value = given[0]
    kind, factor = signs[name]
    return kind, value * factor


SIGNALS: Mapping[str, tuple[str, float]] = {
    "--reduce-kw": ("delta_w", -_KILO),
    "--setpoint-kw": ("setpoint_w", _KILO),
    "--limit-kw": ("import_limit_w", _KILO),
    "--export-limit-kw": ("export_limit_w", _KILO),
    "--generation-limit-kw": ("generation_limit_w", _KILO),
    "--level": ("level", 1.0),
}
"""Options, the API's kind of signal, and what a number is multiplied by."""


def instant(text: str, zone: tzinfo) -> datetime:
    """A time as people write it; without an offset it is on the wall of a zone.

    Raises:
        ConfigError: it is none.
    """
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise ConfigError(f"{text!r} is no time: write 2026-07-01T16:00") from error
    return found if found.tzinfo else found.replace(tzinfo=zone)


def end_of(start: datetime, end: str | None, hours: float | None, zone: tzinfo) -> datetime | None:
    """When it ends; None: until further notice.

    Raises:
        ConfigError: both are given, or it is no time.
    """
    if end is not None and hours is not None:
        raise ConfigError("give --end or --hours, not both")
    if hours is not None:
        return start.astimezone(UTC) + timedelta(hours=hours)
    return None if end is None else instant(end, zone)


def new_times(start: str | None, end: str | None, *, endless: bool, zone: tzinfo) -> Json:
    """Start and end as far as they are changed.

    Raises:
        ConfigError: one is no time, or an end is given to what has none.
    """
    if endless and end is not None:
        raise ConfigError("give --end or --endless, not both")
    given = {"start": start, "end": end}
    found = {k: instant(v, zone).isoformat() for k, v in given.items() if v is not None}
    return {**found, "end": None} if endless else found


def lines(event: Json) -> Iterator[str]:
    """For people."""
    end = event["end"] or "further notice"
    yield f"{event['utility_id']}/{event['event_id']}: {event['status']}, {event['opt']}"
    yield f"{event['start']} to {end}, program {event['program_id']}"
    yield f"because: {event['opt_cause']}"
    if event["opted_out_sites"]:
        yield f"out: {', '.join(event['opted_out_sites'])}"


def _path(event_key: str) -> str:
    utility_id, slash, event_id = event_key.partition("/")
    if not slash or not event_id:
        raise ConfigError(f"{event_key!r} is no event: write UTILITY/EVENT")
    return f"events/{quote(utility_id, safe='')}/{quote(event_id, safe='/')}"
