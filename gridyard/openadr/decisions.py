"""What our VEN would answer to a message. Nothing is asked of anyone, stored or sent."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime

from contracts.openadr.payloads import (
    CancelPartyRegistration,
    CancelReport,
    CreateReport,
    DistributeEvent,
    OadrEvent,
    Payload,
    RegisterReport,
    RequestReregistration,
    Response,
    ResponseRequired,
)
from contracts.openadr.tolerance import EVERY_TOLERANCE, Tolerance
from gateway.domain.event import Opt, OptDecision
from gateway.domain.portfolio import Portfolio
from gateway.domain.program import decide_opt
from gateway.utility.openadr import mapping
from gateway.utility.openadr.event_set import Change, changes
from gateway.utility.openadr.mapping import Addressee, UnusableEventError

OK = 200
_NOT_REGISTERED = (452, 463)


@dataclass(frozen=True, slots=True, kw_only=True)
class EventAnswer:
    """Our answer to one event, as if it were the first we hear of it."""

    event_id: str
    modification: int
    opt: str
    code: int
    why: str
    sent: bool
    """False: the VTN wants no answer to this event."""

    def as_dict(self) -> dict[str, object]:
        """For JSON."""
        return asdict(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Us:
    """Who answers."""

    utility_id: str
    addressee: Addressee
    portfolio: Portfolio | None
    """None: no settings were given, so no program decides."""
    tolerances: frozenset[Tolerance] = EVERY_TOLERANCE
    trusted: frozenset[str] | None = None
    """Fingerprints of the VTN; None: none are known."""


_REPLIES: dict[type, str] = {
    CreateReport: "oadrCreatedReport; 461 for points or granularities that we do not offer",
    CancelReport: "oadrCanceledReport, after a last report where one is wanted",
    RegisterReport: "oadrRegisteredReport, which asks for nothing",
    RequestReregistration: "oadrResponse, then oadrCreatePartyRegistration with the ids it has",
    CancelPartyRegistration: "oadrCanceledPartyRegistration (452 for another registrationID)",
}


def reply_to(payload: Payload) -> str:
    """The message our VEN answers with, or why there is none."""
    if isinstance(payload, DistributeEvent):
        wishes = {event.response_required for event in payload.events}
        wishes |= {bad.response_required for bad in payload.rejected}
        asked = ResponseRequired.ALWAYS in wishes
        return "oadrCreatedEvent" if asked else "nothing: no event wants an answer"
    if isinstance(payload, Response) and payload.response.code in _NOT_REGISTERED:
        return "nothing, but it registers again"
    return _REPLIES.get(type(payload), "nothing: it is an answer, or a message that VENs send")


def answers(message: DistributeEvent, us: Us, now: datetime) -> Iterator[EventAnswer]:
    """Event by event, in order, those that cannot be read last."""
    for change, event in changes({}, message.events):
        yield _answer(change, event, us, now)
    for bad in message.rejected:
        yield EventAnswer(
            event_id=bad.event_id,
            modification=bad.modification_number,
            opt=Opt.OUT.value,
            code=mapping.INVALID_DATA,
            why=bad.reason,
            sent=bad.response_required is ResponseRequired.ALWAYS,
        )


def _answer(change: Change, event: OadrEvent, us: Us, now: datetime) -> EventAnswer:
    code, opt = OK, Opt.IN
    if change is Change.PAST:
        why = "already over when first seen"
    else:
        try:
            decision = _decision(event, us, now)
            opt, why = decision.opt, decision.cause
        except UnusableEventError as error:
            code, opt, why = error.code, Opt.OUT, str(error)
    return EventAnswer(
        event_id=event.event_id,
        modification=event.descriptor.modification_number,
        opt=opt.value,
        code=code,
        why=why,
        sent=event.response_required is ResponseRequired.ALWAYS,
    )


def _decision(event: OadrEvent, us: Us, now: datetime) -> OptDecision:
    """As the gateway's intake decides, without its memory and its journal."""
    asked = mapping.grid_event(event, utility_id=us.utility_id, us=us.addressee)
    opt, cause = Opt.IN, "it can be followed; what the program says needs --config"
    if us.portfolio is not None:
        decided = decide_opt(us.portfolio.program_of(asked), asked, now)
        if decided.opt is Opt.OUT or us.portfolio.addressed(asked):
            return decided
        opt, cause = Opt.OUT, "none of the sites enrolled in the program is addressed"
    return OptDecision(event_key=asked.key, modification=asked.modification, opt=opt, cause=cause)
