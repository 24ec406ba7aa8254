"""EiReport, VTN side: what VENs offer, what was asked of them, and what came."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from contracts.openadr import codec
from contracts.openadr.payloads import (
    CanceledReport,
    CancelReport,
    CreatedReport,
    CreateReport,
    RegisterReport,
    Report,
    ReportDescription,
    ReportRequest,
    UpdateReport,
)
from vtn_sim.config import ReportWish
from vtn_sim.openadr.ledger import Receipt
from vtn_sim.openadr.refusal import INVALID_DATA, INVALID_ID, OK, Refusal
from vtn_sim.openadr.report_spec import METADATA, ReportAsk, request_of
from vtn_sim.openadr.telemetry import Sample, Telemetry, samples_of

USAGE = "TELEMETRY_USAGE"
USAGE_METADATA = "METADATA_TELEMETRY_USAGE"
_KEEP_ENDED = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """One report of a request as it came."""

    receipt: Receipt
    request_id: str
    """Of the oadrUpdateReport."""
    report: Report
    samples: tuple[Sample, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Acceptance:
    """What a VEN said to a report request."""

    at: datetime
    code: int
    """Of the message, which speaks for those that are not pending."""
    pending: bool


@dataclass(slots=True, kw_only=True)
class Asked:
    """A report request with the VEN it went to, and all that came of it."""

    ven_id: str
    ask: ReportAsk
    request: ReportRequest
    asked_at: datetime
    messages: list[str] = field(default_factory=list)
    """requestIDs of the messages that asked for it."""
    acceptances: list[Acceptance] = field(default_factory=list)
    arrivals: list[Arrival] = field(default_factory=list)
    cancel_sent_at: datetime | None = None
    """When its cancellation was queued."""
    to_follow: bool = False
    canceled_at: datetime | None = None
    """When the VEN said that it has ended."""
    voided: bool = False
    """A new registration or another offer has made it void."""

    @property
    def acknowledged(self) -> bool:
        """Whether the VEN serves it."""
        return any(acceptance.pending for acceptance in self.acceptances)

    @property
    def running(self) -> bool:
        """Whether reports may still come."""
        return not self.voided and self.cancel_sent_at is None

    @property
    def is_telemetry(self) -> bool:
        """Whether it asks for usage again and again."""
        specifier = self.request.specifier
        periodic = bool(specifier.granularity and specifier.report_back_duration)
        return self.ask.report == USAGE and periodic and not self.ask.not_offered

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
        self._cancel_inside: dict[str, CancelReport] = {}

    def offers(self, ven_id: str) -> Sequence[Report]:
        """The metadata a VEN registered last."""
        return self._offers.get(ven_id, ())

    def asked(self, ven_id: str | None = None, *, ended: bool = False) -> Sequence[Asked]:
        """Running report requests, of one VEN or of all; with `ended`, the others too."""
        return tuple(
            one
            for one in self._asked.values()
            if ven_id in (None, one.ven_id) and (ended or one.running)
        )

    def request(self, report_request_id: str) -> Asked | None:
        """One of them, running or not."""
        return self._asked.get(report_request_id)

    def forget(self, ven_id: str) -> None:
        """A new registration begins with no offers and no requests."""
        self._offers.pop(ven_id, None)
        self._cancel_inside.pop(ven_id, None)
        for asked in self.asked(ven_id):
            asked.voided = True

    def register(
        self, ven_id: str, message: RegisterReport, now: datetime
    ) -> tuple[CancelReport | None, CreateReport | None]:
        """Take a VEN's metadata; what to send it next.

        Other metadata than before voids the requests made from it: they are cancelled first. The
        same metadata again, as after a re-registration, repeats the same requests.
        """
        before = self.offers(ven_id)
        running = [one for one in self.asked(ven_id) if one.ask.report != METADATA]
        if running and _content(before) == _content(message.reports):
            return None, _create(ven_id, running)
        self.forget(ven_id)
        self._offers[ven_id] = message.reports
        asks = [] if self._wish is None else list(_wishes(message.reports, self._wish))
        wanted = [self._ask(ven_id, one, now) for one in asks]
        stale = tuple(asked.request.report_request_id for asked in running)
        return (
            _cancel(ven_id, stale) if stale else None,
            _create(ven_id, wanted) if wanted else None,
        )

    def ask(self, ven_id: str, asks: Sequence[ReportAsk], now: datetime) -> CreateReport:
        """Ask for reports, all in one message.

        Raises:
            Refusal: 452, the VEN does not offer one of them, or its name is taken.
        """
        offers = self.offers(ven_id)
        for ask in asks:
            if ask.name in self._asked:
                raise Refusal(INVALID_ID, f"a report request {ask.name!r} was made already")
            request_of(ask, offers, "", now)
        return _create(ven_id, [self._ask(ven_id, ask, now) for ask in asks])

    def wishes(self, ven_id: str, wish: ReportWish, r_ids: Sequence[str]) -> list[ReportAsk]:
        """What asks for these points, or for every usage point when none is named.

        Raises:
            Refusal: 452, the VEN does not offer them.
        """
        asks = list(_wishes(self.offers(ven_id), wish, r_ids))
        missing = sorted(set(r_ids) - {r_id for ask in asks for r_id in ask.r_ids})
        if missing or not asks:
            raise Refusal(INVALID_ID, f"not offered: {', '.join(missing) or 'usage reports'}")
        return asks

    def cancel(
        self, ven_id: str, ids: Sequence[str], now: datetime, *, to_follow: bool, inside: bool
    ) -> CancelReport | None:
        """End these requests; with `inside` by the next oadrUpdatedReport, else by this message."""
        for one in ids:
            asked = self._asked.get(one)
            if asked is not None and asked.ven_id == ven_id:
                asked.cancel_sent_at, asked.to_follow = now, to_follow
        message = _cancel(ven_id, tuple(ids), to_follow=to_follow)
        if not inside:
            return message
        self._cancel_inside[ven_id] = message
        return None

    # --- what VENs say -------------------------------------------------------------------------

    def accepted(self, ven_id: str, message: CreatedReport, now: datetime) -> None:
        """A VEN's answer to a message that asked for reports, or just what it serves."""
        for asked in self.asked(ven_id, ended=True):
            pending = asked.request.report_request_id in message.pending
            if message.response.request_id in asked.messages or (pending and asked.running):
                code = OK if pending else message.response.code
                asked.acceptances.append(Acceptance(at=now, code=code, pending=pending))

    def canceled(self, ven_id: str, message: CanceledReport, now: datetime) -> None:
        """A VEN says that requests have ended: those it does not name any more."""
        for asked in self.asked(ven_id, ended=True):
            over = asked.request.report_request_id not in message.pending
            if asked.cancel_sent_at is not None and asked.canceled_at is None and over:
                asked.canceled_at = now

    def update(self, ven_id: str, message: UpdateReport, receipt: Receipt) -> CancelReport | None:
        """Store reported data; a cancellation to send with the answer.

        Raises:
            Refusal: 452, a report nobody asked this VEN for; the others are stored.
        """
        unknown = []
        for report in message.reports:
            asked = self._asked.get(report.report_request_id)
            if asked is None or asked.ven_id != ven_id or asked.voided:
                unknown.append(report.report_request_id)
                continue
            self._arrive(asked, message.request_id, report, receipt)
        if unknown:
            raise Refusal(INVALID_ID, f"unknown reportRequestID {', '.join(unknown)[:200]}")
        return self._cancel_inside.pop(ven_id, None)

    def _arrive(self, asked: Asked, request_id: str, report: Report, receipt: Receipt) -> None:
        samples = samples_of(
            report,
            ven_id=asked.ven_id,
            granularity=asked.request.specifier.granularity,
            now=receipt.at,
        )
        asked.arrivals.append(
            Arrival(receipt=receipt, request_id=request_id, report=report, samples=tuple(samples))
        )
        self._telemetry.store(samples)

    def _ask(self, ven_id: str, ask: ReportAsk, now: datetime) -> Asked:
        name = ask.name or f"rr-{uuid.uuid4().hex[:12]}"
        request = request_of(ask, self.offers(ven_id), name, now)
        asked = Asked(ven_id=ven_id, ask=ask, request=request, asked_at=now)
        self._asked[name] = asked
        if len(self._asked) > _KEEP_ENDED:
            del self._asked[next(iter(self._asked))]
        return asked


def _wishes(
    offers: Sequence[Report], wish: ReportWish, r_ids: Sequence[str] = ()
) -> Iterator[ReportAsk]:
    """What asks for usage at the wished rate."""
    for offer in offers:
        points = [d.r_id for d in offer.descriptions if not r_ids or d.r_id in r_ids]
        if points and (offer.name == USAGE_METADATA or r_ids):
            yield ReportAsk.model_construct(  # a VEN's words are not ours to check
                report=(offer.name or USAGE_METADATA).removeprefix("METADATA_"),
                specifier_id=offer.report_specifier_id,
                r_ids=tuple(points),
                granularity_s=wish.granularity_s,
                report_back_s=wish.report_back_s,
            )


def _content(reports: Sequence[Report]) -> list[tuple[str, tuple[ReportDescription, ...]]]:
    return [(report.report_specifier_id, report.descriptions) for report in reports]


def _create(ven_id: str, wanted: Sequence[Asked]) -> CreateReport:
    request_id = uuid.uuid4().hex
    requests = tuple(asked.request for asked in wanted)
    message = CreateReport(request_id=request_id, requests=requests, ven_id=ven_id)
    try:
        codec.encode(message)
    except ValueError as error:  # made of a VEN's own words
        for asked in wanted:
            asked.voided = True
        raise Refusal(INVALID_DATA, f"nobody can ask for these reports: {error}") from error
    for asked in wanted:
        asked.messages.append(request_id)
    return message


def _cancel(ven_id: str, ids: tuple[str, ...], *, to_follow: bool = False) -> CancelReport:
    return CancelReport(
        request_id=uuid.uuid4().hex, report_request_ids=ids, to_follow=to_follow, ven_id=ven_id
    )
