"""Whether what must come has come."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from vtn_sim.judge import Check, Outcome
from vtn_sim.openadr.opts import Opt
from vtn_sim.openadr.report_court import series
from vtn_sim.openadr.script import (
    AnswerExpected,
    Expectation,
    MessageExpected,
    OptExpected,
    ReportExpected,
)
from vtn_sim.openadr.telemetry import Sample
from vtn_sim.openadr.vtn import Vtn


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """When it may come."""

    since: datetime
    until: datetime
    above: int = 0
    """Number of the last message before it (see `Ledger`)."""

    def __contains__(self, instant: datetime) -> bool:
        return self.since <= instant <= self.until


def judge(expectation: Expectation, vtn: Vtn, ven_id: str, span: Span, now: datetime) -> Check:
    """Whether it has come by now."""
    count, problems = _found(expectation, vtn, ven_id, span)
    least, most = expectation.least, expectation.at_most
    text = f"{count} came, {least} or more wanted" if least else f"{count} came"
    if most is not None:
        text += f", {most} at most"
    text = "; ".join([text, *problems])
    over, enough = now > span.until, count >= least
    wrong = bool(problems) or (most is not None and count > most)
    if wrong or (over and not enough):
        return Check(name=expectation.title, outcome=Outcome.FAIL, text=text)
    if enough and (most is None or over):
        return Check(name=expectation.title, outcome=Outcome.PASS, text=text)
    return Check(name=expectation.title, outcome=Outcome.PENDING, text=text)


def _found(
    expectation: Expectation, vtn: Vtn, ven_id: str, span: Span
) -> tuple[int, Sequence[str]]:
    """How many came, and what is wrong with them."""
    if expectation.message is not None:
        return _messages(expectation.message, vtn, ven_id, span), ()
    if expectation.answer is not None:
        return _answers(expectation.answer, vtn, ven_id, span)
    if expectation.report is not None:
        return _values(expectation.report, vtn, span)
    if expectation.opt is not None:
        opts = vtn.opts.of(ven_id)
        return sum(_fits(expectation.opt, opt, span) for opt in opts), ()
    registered = any(v.ven_id == ven_id and v.registration_id for v in vtn.registry.vens)
    return int(registered is expectation.registered), ()


def _messages(wanted: MessageExpected, vtn: Vtn, ven_id: str, span: Span) -> int:
    heard = vtn.ledger.heard(ven_id, span.since, span.until, wanted.name, span.above)
    return sum(wanted.code in (None, one.code) for one in heard)


def _answers(
    wanted: AnswerExpected, vtn: Vtn, ven_id: str, span: Span
) -> tuple[int, Sequence[str]]:
    found = [
        answer
        for delivery in vtn.events.deliveries(wanted.event)
        if delivery.ven_id == ven_id and delivery.modification == wanted.modification
        for answer in delivery.answers
        if answer.at in span
    ]
    good = [
        answer
        for answer in found
        if wanted.opt in (None, answer.opt) and wanted.code in (None, answer.code)
    ]
    others = [f"{a.opt} {a.code}" for a in found if a not in good]
    return len(good), [f"but also {', '.join(others[:3])}"] if others else []


def _values(wanted: ReportExpected, vtn: Vtn, span: Span) -> tuple[int, Sequence[str]]:
    asked = vtn.reports.request(wanted.request)
    if asked is None:
        return 0, ()
    found = series(asked)
    points = asked.r_ids if wanted.r_id is None else (wanted.r_id,)
    samples = [
        {s.start: s for s in found.get(r_id, ()) if s.received_at in span} for r_id in points
    ]
    outside = sum(_outside(s, wanted) for one in samples for s in one.values())
    return (
        min((len(one) for one in samples), default=0),
        [f"{outside} values out of bounds"] if outside else [],
    )


def _outside(sample: Sample, wanted: ReportExpected) -> bool:
    if not isinstance(sample.value, float):
        return False
    low = wanted.minimum is not None and sample.value < wanted.minimum
    return low or (wanted.maximum is not None and sample.value > wanted.maximum)


def _fits(wanted: OptExpected, opt: Opt, span: Span) -> bool:
    content = opt.content
    event = None if content.event is None else content.event.event_id
    receipts = opt.cancellations if wanted.cancelled else opt.receipts
    return (
        any(receipt.at in span for receipt in receipts)
        and wanted.opt in (None, content.opt_type)
        and wanted.event in (None, event)
        and wanted.schedule in (None, bool(content.availability))
        and (wanted.resource is None or wanted.resource in content.target.resource_ids)
    )


def span_of(expectation: Expectation, since: datetime, above: int) -> Span:
    """When it may come, counted from an instant and from the message before it."""
    return Span(
        since=since + timedelta(seconds=expectation.from_s),
        until=since + timedelta(seconds=expectation.by_s),
        above=above,
    )
