"""For whom a report is shown, in which zone, as a page's or call's query says it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated
from zoneinfo import ZoneInfo

from fastapi import Depends, HTTPException, Query, Response

from contracts.errors import PermanentError
from gateway.reports.audience import Audience, Variant, variant
from gateway.reports.files import KINDS, file_name, report_file
from gateway.web.lookup import find_report
from gateway.web.state import WebState

Text = Annotated[str, Query(max_length=100)]


@dataclass(frozen=True, slots=True)
class Reader:
    """Who reads; an owner by the site's id."""

    audience: Annotated[
        Audience, Query(description="`owner` needs `site_id`; each sees no more than is theirs.")
    ] = Audience.OPERATOR
    site_id: Text = ""
    zone: Annotated[Text, Query(description="Time zone (IANA name); else the site's.")] = ""

    def query(self) -> dict[str, str]:
        """The same reader in another address."""
        said = {"audience": self.audience.value, "site_id": self.site_id, "zone": self.zone}
        default = {"audience": Audience.OPERATOR.value, "site_id": "", "zone": ""}
        return {name: value for name, value in said.items() if value != default[name]}


ALL = slice(None)
"""Every site."""
ReaderQuery = Annotated[Reader, Depends()]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What the reader is shown."""

    variant: Variant
    zone: ZoneInfo | None


async def shown_to(
    state: WebState,
    reader: Reader,
    utility_id: str,
    event_id: str,
    version: int | None,
    part: slice = ALL,
) -> Shown:
    """A version of a report (None: the newest) as this reader may see it.

    `part`: the sites, in the report's order, that come with their curves; an owner's always does.

    Raises:
        HTTPException: 404 no such event, version or participant; 422 no such time zone.
    """
    own = reader.audience is Audience.OWNER

    def wanted(sites: Sequence[str]) -> Sequence[str]:
        return [one for one in sites if one == reader.site_id] if own else sites[part]

    choice = wanted if own or part != ALL else None
    report = await find_report(state, utility_id, event_id, version, choice)
    try:
        made = variant(report, reader.audience, reader.site_id)
    except PermanentError as error:
        raise HTTPException(404, str(error)) from error
    site = state.portfolio.site(reader.site_id)
    zone = known_zone(reader.zone) if reader.zone else (site.time_zone if site else None)
    return Shown(variant=made, zone=zone)


async def as_file(shown: Shown, ending: str) -> Response:
    """The report as a file with its type and name."""
    kind = KINDS[ending]
    content = await report_file(shown.variant, ending, shown.zone)
    return named_file(content, kind.media_type, file_name(shown.variant, ending), inline=kind.shown)


def named_file(content: bytes, media_type: str, name: str, *, inline: bool = False) -> Response:
    """A file to keep, or to look at in the browser; `name` must be safe."""
    how = "inline" if inline else "attachment"
    headers = {"Content-Disposition": f'{how}; filename="{name}"'}
    return Response(content, media_type=media_type, headers=headers)


def known_zone(name: str) -> ZoneInfo:
    """A time zone by its IANA name.

    Raises:
        HTTPException: 422, there is none.
    """
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise HTTPException(
            422, f"{name!r} is no time zone: use an IANA name such as Europe/Brussels"
        ) from error
