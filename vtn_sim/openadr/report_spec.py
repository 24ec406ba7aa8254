"""Which reports a utility may ask for, as people write it, and the requests made of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Annotated

from pydantic import AfterValidator, Field

from contracts.config import Settings
from contracts.openadr import words
from contracts.openadr.payloads import (
    Report,
    ReportDescription,
    ReportRequest,
    ReportSpecifier,
    ReportWindow,
    SpecifierPayload,
)
from vtn_sim.openadr.refusal import INVALID_ID, Refusal
from vtn_sim.spec import MAX_SECONDS, Identifier, Seconds, XmlText

METADATA = "METADATA"
METADATA_PREFIX = "METADATA_"
_UNKNOWN = "x-notApplicable"


def _report_name(text: str) -> str:
    return text if text == METADATA else words.report_name(text)


ReportName = Annotated[XmlText, Field(max_length=100), AfterValidator(_report_name)]


class WindowSpec(Settings):
    """`reportInterval`: from when, and how long, values are wanted."""

    start_in_s: Annotated[float, Field(ge=-MAX_SECONDS, le=MAX_SECONDS)] = 0.0
    """From now on; negative is history."""
    duration_s: Seconds = 0
    """0: without end."""


class ReportAsk(Settings):
    """One report request."""

    name: Identifier | None = None
    """Its reportRequestID; none: made up."""
    report: ReportName = "TELEMETRY_USAGE"
    """Name of the report, without METADATA_; `METADATA` asks for the metadata itself."""
    specifier_id: Identifier | None = None
    """reportSpecifierID; none: of the first offer of that name with such points."""
    r_ids: tuple[Identifier, ...] = ()
    """None named: every point of that offer."""
    granularity_s: Seconds = 60
    """0: at every change, or all there is."""
    report_back_s: Seconds = 300
    """0: once."""
    window: WindowSpec | None = WindowSpec()
    not_offered: bool = False
    """Ask though nobody offered it: `specifier_id` and `r_ids` are sent as they are."""


def request_of(
    ask: ReportAsk, offers: Sequence[Report], report_request_id: str, now: datetime
) -> ReportRequest:
    """The request in the profile's words.

    Raises:
        Refusal: 452, the VEN does not offer it.
    """
    specifier_id, points = _wanted(ask, offers)
    return ReportRequest(
        report_request_id=report_request_id,
        specifier=ReportSpecifier(
            report_specifier_id=specifier_id,
            granularity=timedelta(seconds=ask.granularity_s),
            report_back_duration=timedelta(seconds=ask.report_back_s),
            window=_window(ask.window, now),
            payloads=points,
        ),
    )


def _window(window: WindowSpec | None, now: datetime) -> ReportWindow | None:
    if window is None:
        return None
    start = (now + timedelta(seconds=window.start_in_s)).replace(microsecond=0)
    return ReportWindow(start=start, duration=timedelta(seconds=window.duration_s))


def _wanted(ask: ReportAsk, offers: Sequence[Report]) -> tuple[str, tuple[SpecifierPayload, ...]]:
    if ask.report == METADATA:
        return METADATA, (SpecifierPayload(r_id="0", reading_type=_UNKNOWN),)
    if ask.not_offered:
        named = ask.r_ids or ("no-such-point",)
        points = tuple(SpecifierPayload(r_id=one, reading_type=_UNKNOWN) for one in named)
        return ask.specifier_id or "no-such-report", points
    for offer in offers:
        chosen = _chosen(ask, offer)
        if chosen:
            return offer.report_specifier_id, tuple(map(_payload, chosen))
    wanted = ", ".join(ask.r_ids) or ask.report
    raise Refusal(INVALID_ID, f"not offered: {wanted}")


def _chosen(ask: ReportAsk, offer: Report) -> Sequence[ReportDescription]:
    if offer.name != METADATA_PREFIX + ask.report:
        return ()
    if ask.specifier_id not in (None, offer.report_specifier_id):
        return ()
    chosen = [d for d in offer.descriptions if not ask.r_ids or d.r_id in ask.r_ids]
    return chosen if len(chosen) >= len(set(ask.r_ids)) else ()


def _payload(description: ReportDescription) -> SpecifierPayload:
    return SpecifierPayload(
        r_id=description.r_id, reading_type=description.reading_type, item=description.item
    )
