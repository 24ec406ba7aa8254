"""For whom a report is shown, in which zone, as a page's or call's query says it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Annotated
from zoneinfo import ZoneInfo

from fastapi import Depends, Header, HTTPException, Query, Response

from contracts.errors import ConfigError, PermanentError
from gateway.reports.audience import Audience, Variant, variant
from gateway.reports.export import intervals
from gateway.reports.files import KINDS, file_name, report_file
from gateway.reports.locales import Style, preferred, style_named
from gateway.reports.tables import as_csv
from gateway.reports.words import styled
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
    locale: Annotated[
        Text,
        Query(
            description="How numbers and dates are written, such as `de-CH`; else as the site's or "
            "the gateway's settings say, else as Accept-Language does. CSV follows it only from "
            "here: without it, it is for machines."
        ),
    ] = ""
    accept_language: Annotated[str, Header(max_length=1000, include_in_schema=False)] = ""

    def query(self) -> dict[str, str]:
        """The same reader in another address."""
        said = {
            "audience": self.audience.value,
            "site_id": self.site_id,
            "zone": self.zone,
            "locale": self.locale,
        }
        default = {"audience": Audience.OPERATOR.value}
        return {name: value for name, value in said.items() if value != default.get(name, "")}

    def style(self, state: WebState) -> Style:
        """How numbers and dates are written for this reader.

        Raises:
            HTTPException: 422, no such locale.
        """
        site = state.portfolio.site(self.site_id)
        wanted = self.locale or (site.locale if site else "") or state.locale
        try:
            return style_named(wanted) if wanted else preferred(self.accept_language)
        except ConfigError as error:
            raise HTTPException(422, str(error)) from error


ALL = slice(None)
"""Every site."""
ReaderQuery = Annotated[Reader, Depends()]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What the reader is shown."""

    variant: Variant
    zone: ZoneInfo | None
    style: Style
    for_spreadsheet: bool
    """CSV is written in that style too: the reader has asked for it by name."""


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
    curves_of = [reader.site_id] if own else None if part == ALL else part
    report = await find_report(state, utility_id, event_id, version, curves_of)
    try:
        made = variant(report, reader.audience, reader.site_id)
    except PermanentError as error:
        raise HTTPException(404, str(error)) from error
    site = state.portfolio.site(reader.site_id)
    zone = known_zone(reader.zone) if reader.zone else (site.time_zone if site else None)
    style, asked = reader.style(state), bool(reader.locale)
    return Shown(variant=made, zone=zone, style=style, for_spreadsheet=asked)


async def as_file(shown: Shown, ending: str) -> Response:
    """The report as a file with its type and name."""
    kind = KINDS[ending]
    if ending == "csv" and shown.for_spreadsheet:
        rows = await asyncio.to_thread(intervals, shown.variant.report, shown.zone)
        content = await asyncio.to_thread(as_csv, rows, shown.style)
    else:
        with styled(shown.style):
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
