"""Addresses of pages. Event keys hold a slash (`utility/event`), so ids are escaped one by one."""

from __future__ import annotations

from urllib.parse import quote, urlencode

from gateway.domain.event import GridEvent


def split_key(event_key: str) -> tuple[str, str]:
    """`(utility_id, event_id)` of an event key; the event's own id may hold slashes."""
    utility_id, _, event_id = event_key.partition("/")
    return utility_id, event_id


def event_url(event_key: str, page: str = "", **query: str | int) -> str:
    """The page of an event, or one below it (`report`, `report.pdf`, `opt-out`, ...)."""
    path = "/".join(quote(part, safe="") for part in split_key(event_key))
    return _with_query(f"/events/{path}" + (f"/{page}" if page else ""), query)


def site_url(site_id: str) -> str:
    """The page of a site."""
    return f"/sites/{quote(site_id, safe='')}"


def choice_url(utility_id: str, control_id: str, way: str, **query: str | int) -> str:
    """The page on which a site opts out of a control (`opt-out`) or in again (`opt-in`)."""
    path = "/".join(quote(part, safe="") for part in (utility_id, control_id))
    return _with_query(f"/controls/{path}/{way}", query)


def statement_url(subject: str, period: str, ending: str = "", version: int | None = None) -> str:
    """The statement of a program or site, or a file of it."""
    path = f"/api/v1/statements/{ending}" if ending else "/statements"
    at: dict[str, str | int] = {} if version is None else {"version": version}
    return _with_query(path, {"subject": subject, "period": period, **at})


def summary_url(program_id: str, period: str, ending: str = "", **query: str | int) -> str:
    """The summary of a program, or a file of it."""
    path = f"/api/v1/reports/summary/{ending}" if ending else "/summary"
    return _with_query(path, {"program_id": program_id, "period": period, **query})


def why_url(kind: str, subject: str) -> str:
    """Where an `event`, a `site` or an `instruction` explains itself."""
    return f"/why/{kind}/{quote(subject, safe='/' if kind == 'event' else '')}"


def _with_query(path: str, query: dict[str, str | int]) -> str:
    return f"{path}?{urlencode(query)}" if query else path


def event_api_url(event: GridEvent) -> str:
    """The event in the API."""
    return f"/api/v1/events/{quote(event.utility_id, safe='')}/{quote(event.event_id, safe='')}"
