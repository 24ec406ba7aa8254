"""The judge's document on one VEN: what was due, what came, what is missing or too much."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from vtn_sim.judge import Check, Outcome, Verdict
from vtn_sim.openadr.events import Delivery
from vtn_sim.openadr.opts import Opt
from vtn_sim.openadr.report_court import report_checks
from vtn_sim.openadr.vtn import Vtn

_SHOWN = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """What of a VEN's doings is judged; None: all of it."""

    since: datetime | None = None
    events: Collection[str] | None = None
    requests: Collection[str] | None = None


EVERYTHING = Scope()


class Court:
    """Verdicts as of now."""

    def __init__(self, vtn: Vtn) -> None:
        self._vtn = vtn

    def verdicts(self, ven_id: str, scope: Scope = EVERYTHING) -> list[Verdict]:
        """On every event, report request and opt of a VEN, and on its manners."""
        found = [
            *self._events(ven_id, scope),
            *self._requests(ven_id, scope),
            *self._opts(ven_id, scope),
        ]
        return [*found, self._manners(ven_id, scope)]

    def _events(self, ven_id: str, scope: Scope) -> Iterator[Verdict]:
        within = timedelta(seconds=self._vtn.settings.judge.answer_within_s)
        now = self._vtn.clock.now()
        for event in self._vtn.events.events:
            if scope.events is not None and event.event_id not in scope.events:
                continue
            mine = [d for d in self._vtn.events.deliveries(event.event_id) if d.ven_id == ven_id]
            checks = [
                event_check(d, now, within, required=event.spec.response_required) for d in mine
            ]
            if checks:
                name = f"event {event.event_id}"
                yield Verdict(event_id=name, ven_id=ven_id, checks=tuple(checks))

    def _requests(self, ven_id: str, scope: Scope) -> Iterator[Verdict]:
        rules = self._vtn.settings.judge
        settle = timedelta(seconds=rules.settle_s)
        answer_within = timedelta(seconds=rules.answer_within_s)
        for asked in self._vtn.reports.asked(ven_id, ended=True):
            name = asked.request.report_request_id
            if scope.requests is None or name in scope.requests:
                checks = report_checks(asked, self._vtn.clock.now(), settle, answer_within)
                yield Verdict(event_id=f"report {name}", ven_id=ven_id, checks=tuple(checks))

    def _opts(self, ven_id: str, scope: Scope) -> Iterator[Verdict]:
        for opt in self._vtn.opts.of(ven_id):
            if scope.since is None or opt.receipts[0].at >= scope.since:
                name = f"opt {opt.content.opt_id}"
                yield Verdict(event_id=name, ven_id=ven_id, checks=(opt_check(opt),))

    def _manners(self, ven_id: str, scope: Scope) -> Verdict:
        """Ids that are wrong, messages that break the schema, refusals: all of them are faults."""
        found = self._vtn.ledger.irregularities(ven_id, scope.since)
        text = "nothing irregular"
        if found:
            most = Counter(one.text for one in found).most_common(_SHOWN)
            text = "; ".join(f"{text} ({count} times)" for text, count in most)
        outcome = Outcome.FAIL if found else Outcome.PASS
        check = Check(name="ids and form", outcome=outcome, text=text)
        return Verdict(event_id="manners", ven_id=ven_id, checks=(check,))


def event_check(d: Delivery, now: datetime, within: timedelta, *, required: bool) -> Check:
    """Whether one modification was answered as it had to be.

    Once for each sending at most, once at least, in time, and by the requestID it came with; an
    answer whose acknowledgement we have spoilt may come again.
    """
    name, answers = f"modification {d.modification}", d.answers
    strange = [a.request_id for a in answers if a.request_id not in d.requests]
    counted = Counter(a.request_id for a in answers if a.acknowledged)
    sent = Counter(d.requests)
    doubled = sorted(one for one, count in counted.items() if count > sent[one] and sent[one])
    opts = ", ".join(f"{a.opt} {a.code}" for a in answers) or "no answer"
    problems = [
        *([f"answers to requestIDs it was not sent with: {strange[:_SHOWN]}"] if strange else []),
        *([f"answered twice: {doubled[:_SHOWN]}"] if doubled else []),
    ]
    if not required:
        problems += ["answered although no answer was wanted"] if answers else []
        return _check(name, problems, f"{opts}, none wanted")
    if not answers:
        late = d.polls_before_answer > 0 or now - d.first_sent_at > within
        outcome = Outcome.FAIL if late else Outcome.PENDING
        return Check(name=name, outcome=outcome, text=f"no answer, sent {d.times_sent} times")
    took = answers[0].at - d.first_sent_at
    if d.polls_before_answer:
        problems.append(f"answered only after {d.polls_before_answer} more polls")
    if took > within and not d.lost_answers:
        problems.append(f"answered only after {took.total_seconds():.1f} s")
    return _check(name, problems, f"{opts} after {took.total_seconds():.1f} s")


def opt_check(opt: Opt) -> Check:
    """Whether an opt came once, and ended at most once."""
    times = sum(receipt.acknowledged for receipt in opt.receipts)
    ended = sum(receipt.acknowledged for receipt in opt.cancellations)
    problems = [
        *([f"created {times} times"] if times > 1 else []),
        *([f"cancelled {ended} times"] if ended > 1 else []),
    ]
    text = f"{opt.content.opt_type}, {opt.content.reason}, {'holds' if opt.holds else 'cancelled'}"
    return _check("once", problems, text)


def _check(name: str, problems: Sequence[str], text: str) -> Check:
    outcome = Outcome.FAIL if problems else Outcome.PASS
    return Check(name=name, outcome=outcome, text="; ".join([text, *problems]))


def outcome_of(verdicts: Sequence[Verdict]) -> Outcome:
    """Of all together: fails as soon as one does; passes when all have."""
    outcomes = {verdict.outcome for verdict in verdicts}
    for worst in (Outcome.FAIL, Outcome.PENDING):
        if worst in outcomes:
            return worst
    return Outcome.PASS
