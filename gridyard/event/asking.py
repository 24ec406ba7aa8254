"""What `gridyard event` asks of a running gateway, over its API."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

import httpx

from contracts.errors import ConfigError, PermanentError, TransientError

_TIMEOUT_S = 30.0
_KILO = 1000.0
_SERVER_ERROR = 500

Json = dict[str, Any]


def created(url: str, wanted: Mapping[str, object], key: str | None) -> Json:
    """Enter an event.

    Raises:
        PermanentError: the gateway refuses it, with its reason.
        TransientError: no gateway answers there.
    """
    headers = {} if key is None else {"Idempotency-Key": key}
    return send("POST", url, "/api/v1/events", wanted, headers)


def modified(url: str, event_key: str, body: Mapping[str, object], key: str | None) -> Json:
    """Change an event that was entered at the gateway; without `revision`, as it is now.

    Raises:
        ConfigError: the key is none.
        PermanentError: the gateway refuses it, with its reason.
        TransientError: no gateway answers there.
    """
    path = _path(event_key)
    if body.get("revision") is None:
        body = {**body, "revision": send("GET", url, path)["modification"]}
    headers = {} if key is None else {"Idempotency-Key": key}
    return send("PATCH", url, path, body, headers)


def changed(url: str, event_key: str, what: str, body: Mapping[str, object]) -> Json:
    """Cancel an event (`cancellations`) or decide about it (`decisions`).

    Raises:
        ConfigError: the key is none.
        PermanentError: the gateway refuses it, with its reason.
        TransientError: no gateway answers there.
    """
    return send("POST", url, f"{_path(event_key)}/{what}", body)


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


def known_zone(name: str) -> ZoneInfo:
    """A time zone by its IANA name.

    Raises:
        ConfigError: there is none.
    """
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise ConfigError(f"--zone {name!r} is no time zone: use an IANA name") from error


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
    return f"/api/v1/events/{quote(utility_id, safe='')}/{quote(event_id, safe='/')}"


def send(
    method: str,
    url: str,
    path: str,
    body: Mapping[str, object] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Json:
    """The gateway's answer.

    Raises:
        PermanentError: the gateway refuses it, with its reason.
        TransientError: no gateway answers there.
    """
    at = url.rstrip("/") + path
    try:
        answer = httpx.request(method, at, json=body, headers=headers, timeout=_TIMEOUT_S)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise TransientError(f"no gateway answers at {url}: {error}") from error
    if answer.is_success:
        found: Json = answer.json()
        return found
    said = _problem(answer)
    if answer.status_code >= _SERVER_ERROR:
        raise TransientError(f"the gateway could not do it: {said}")
    raise PermanentError(f"the gateway refuses: {said}")


def _problem(answer: httpx.Response) -> str:
    try:
        document = answer.json()
        return " ".join(str(document[k]) for k in ("title", "detail") if document.get(k))
    except (ValueError, AttributeError):
        return f"status {answer.status_code}"
