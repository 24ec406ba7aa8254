"""EiReport, VTN side: what VENs offer, what was asked of them, and what came."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from contracts.openadr.payloads import (
    CancelReport,
    CreateReport,
    Payload,
    RegisterReport,
    Report,
    ReportDescription,
    ReportRequest,
    ReportSpecifier,
    ReportWindow,
    SpecifierPayload,
    UpdateReport,
)
from vtn_sim.config import ReportWish
from vtn_sim.openadr.refusal import INVALID_ID, Refusal
from vtn_sim.openadr.telemetry import Telemetry, samples_of

USAGE_METADATA = "METADATA_TELEMETRY_USAGE"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A report request with the VEN it went to."""

    ven_id: str
    request: ReportRequest
    asked_at: datetime
    acknowledged: bool = False

    @property
    def r_ids(self) -> tuple[str, ...]:
        """The points asked for."""
        return tuple(payload.r_id for payload in self.request.specifier.payloads)


class ReportDesk:
    """The report traffic with every VEN."""

    def __init__(self, wish: ReportWish | None, telemetry: Telemetry) -> None:
        self._wish = wish
        self._telemetry = telemetry
        self._offers: dict[str, tuple[Report, ...]] = {}
        self._asked: dict[str, Asked] = {}

    def offers(self, ven_id: str) -> Sequence[Report]:
        """The metadata a VEN registered last."""
        return self._offers.get(ven_id, ())

    def asked(self, ven_id: str | None = None) -> Sequence[Asked]:
        """Running report requests, of one VEN or of all."""
        return tuple(a for a in self._asked.values() if ven_id in (None, a.ven_id))

    def forget(self, ven_id: str) -> None:
        """A new registration begins with no offers and no requests."""
        self._offers.pop(ven_id, None)
        for asked in self.asked(ven_id):
            del self._asked[asked.request.report_request_id]

    def register(self, ven_id: str, message: RegisterReport, now: datetime) -> Sequence[Payload]:
        """Take a VEN's metadata; what to send it next.

        Other metadata than before voids the requests made from it: they are cancelled first. The
        same metadata again, as after a re-registration, repeats the same requests.
        """
        before = self.offers(ven_id)
        running = self.asked(ven_id)
        if running and _content(before) == _content(message.reports):
            return [_create(ven_id, [asked.request for asked in running])]
        self.forget(ven_id)
        self._offers[ven_id] = message.reports
        wanted = [
            self._ask(ven_id, report, report.descriptions, self._wish, now)
            for report in message.reports
            if self._wish is not None and report.name == USAGE_METADATA and report.descriptions
        ]
        stale = tuple(asked.request.report_request_id for asked in running)
        return [
            *([_cancel(ven_id, stale)] if stale else []),
            *([_create(ven_id, wanted)] if wanted else []),
        ]

    def ask(
        self, ven_id: str, wish: ReportWish, r_ids: Sequence[str], now: datetime
    ) -> CreateReport:
        """Ask for these points, or for every usage point when none is named.

        Raises:
            Refusal: 452, the VEN does not offer them.
        """
        requests = []
        for report in self.offers(ven_id):
            found = tuple(d for d in report.descriptions if d.r_id in r_ids)
            if not r_ids and report.name == USAGE_METADATA:
                found = report.descriptions
            if found:
                requests.append(self._ask(ven_id, report, found, wish, now))
        offered = {p.r_id for r in requests for p in r.specifier.payloads}
        missing = sorted(set(r_ids) - offered)
        if missing or not requests:
            for request in requests:
                del self._asked[request.report_request_id]
            raise Refusal(INVALID_ID, f"not offered: {', '.join(missing) or 'usage reports'}")
        return _create(ven_id, requests)

    def acknowledged(self, ven_id: str, pending: Sequence[str]) -> None:
        """The VEN serves these requests."""
        for key in pending:
            asked = self._asked.get(key)
            if asked is not None and asked.ven_id == ven_id:
                self._asked[key] = Asked(
                    ven_id=ven_id, request=asked.request, asked_at=asked.asked_at, acknowledged=True
                )

    def update(self, ven_id: str, message: UpdateReport, now: datetime) -> None:
        """Store reported data.

        Raises:
            Refusal: 452, a report nobody asked this VEN for; the others are stored.
        """
        unknown = []
        for report in message.reports:
            asked = self._asked.get(report.report_request_id)
            if asked is None or asked.ven_id != ven_id:
                unknown.append(report.report_request_id)
                continue
            granularity = asked.request.specifier.granularity
            self._telemetry.store(
                samples_of(report, ven_id=ven_id, granularity=granularity, now=now)
            )
        if unknown:
            raise Refusal(INVALID_ID, f"unknown reportRequestID {', '.join(unknown)[:200]}")

    def _ask(
        self,
        ven_id: str,
        report: Report,
        descriptions: Sequence[ReportDescription],
        wish: ReportWish,
        now: datetime,
    ) -> ReportRequest:
        request = ReportRequest(
            report_request_id=f"rr-{uuid.uuid4().hex[:12]}",
            specifier=ReportSpecifier(
                report_specifier_id=report.report_specifier_id,
                granularity=timedelta(seconds=wish.granularity_s),
                report_back_duration=timedelta(seconds=wish.report_back_s),
                window=ReportWindow(start=now),
                payloads=tuple(
                    SpecifierPayload(r_id=d.r_id, reading_type=d.reading_type, item=d.item)
                    for d in descriptions
                ),
            ),
        )
        self._asked[request.report_request_id] = Asked(ven_id=ven_id, request=request, asked_at=now)
        return request


def _content(reports: Sequence[Report]) -> list[tuple[str, tuple[ReportDescription, ...]]]:
    return [(report.report_specifier_id, report.descriptions) for report in reports]


def _create(ven_id: str, requests: Sequence[ReportRequest]) -> CreateReport:
    return CreateReport(request_id=uuid.uuid4().hex, requests=tuple(requests), ven_id=ven_id)


def _cancel(ven_id: str, ids: tuple[str, ...]) -> CancelReport:
    return CancelReport(request_id=uuid.uuid4().hex, report_request_ids=ids, ven_id=ven_id)
