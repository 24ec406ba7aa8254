"""Did the EndDevices answer an event as they should? Asked and answered, compared for one event.

Each EndDevice answers for itself; one that was not addressed keeps silent (CSIP AGG-002 to -006).
A Response is a word, not a measurement: what was delivered is judged elsewhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from contracts.sep2.codes import ResponseRequired
from contracts.sep2.codes import ResponseStatus as Code
from vtn_sim.judge import Check, Outcome
from vtn_sim.sep2.fate import Control, Fate, Span
from vtn_sim.sep2.received import ReceivedResponse

DECLINED = frozenset(
    {
        Code.OPT_OUT,
        Code.PARTIAL_OPT_OUT,
        Code.NO_PARTICIPATION,
        Code.ABORTED_OTHER_SERVER,
        Code.NOT_APPLICABLE,
        Code.INVALID,
        Code.EXPIRED,
    }
)
"""Answers that say why an event was not, or not wholly, obeyed."""
_REJECTED = frozenset({Code.NOT_APPLICABLE, Code.INVALID, Code.EXPIRED})
"""At receipt: nothing else follows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """How long a client may take."""

    received_within: timedelta
    response_within: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Sep2Verdict:
    """What is known about one EndDevice in one event."""

    event: str
    device: str
    codes: tuple[int, ...]
    checks: tuple[Check, ...]

    @property
    def outcome(self) -> Outcome:
        """Fails as soon as one check does; passes when all have."""
        return worst(self.checks)

    @property
    def text(self) -> str:
        """The verdict as a few lines."""
        told = ", ".join(map(str, self.codes)) or "nothing"
        head = f"{self.event} at {self.device}: {self.outcome.upper()} (answered {told})"
        return "\n".join([head, *map(line, self.checks)])


def worst(checks: Sequence[Check]) -> Outcome:
    """The outcome of several checks together."""
    outcomes = {check.outcome for check in checks}
    for bad in (Outcome.FAIL, Outcome.PENDING):
        if bad in outcomes:
            return bad
    return Outcome.PASS


def line(check: Check) -> str:
    """One check for a person."""
    return f"{check.outcome.upper():7} {check.name}: {check.text}"


def judge(
    event: Control,
    device: str,
    expected: Fate | None,
    responses: Sequence[ReceivedResponse],
    rules: Rules,
    now: datetime,
) -> Sep2Verdict:
    """Compare what one EndDevice was to answer with what came.

    `expected` None: the event was not for it. `responses` are those about this event in the name
    of this device, refused ones too, in order of arrival.
    """
    taken = [r for r in responses if r.problem is None]
    codes = tuple(r.resource.status or 0 for r in taken)
    checks = [_silent(codes)]
    if expected is not None:
        checks = _answered(event, expected, taken, rules, now)
    checks += [_check("accepted", good=False, text=r.problem) for r in responses if r.problem]
    return Sep2Verdict(event=event.name, device=device, codes=codes, checks=tuple(checks))


def _silent(codes: Sequence[int]) -> Check:
    text = f"answered {list(codes)} although not addressed" if codes else "not addressed, silent"
    return _check("addressed", good=not codes, text=text)


def _answered(
    event: Control,
    expected: Fate,
    taken: Sequence[ReceivedResponse],
    rules: Rules,
    now: datetime,
) -> list[Check]:
    asked = ResponseRequired(event.spec.response_required)
    checks = [_check("asked", good=True, text=f"{expected.text}; answers wanted: {int(asked)}")]
    declined = [r for r in taken if r.resource.status in DECLINED - expected.ends]
    if ResponseRequired.RECEIVED in asked:
        checks.append(_received(event, expected, taken, rules, now))
    if declined:
        checks.append(_took_part(event, declined[0]))
    elif ResponseRequired.SPECIFIC in asked:
        checks += [
            _started(expected, taken, rules, now),
            _ended(expected, taken, rules, now),
        ]
    checks.append(_proper(expected, taken, asked))
    return checks


def _received(
    event: Control,
    expected: Fate,
    taken: Sequence[ReceivedResponse],
    rules: Rules,
    now: datetime,
) -> Check:
    """Response 1, or a rejection in its place."""
    span = Span(earliest=event.created_at, latest=event.created_at)
    wanted = {Code.RECEIVED, *_REJECTED}
    return _in_time(
        "received", wanted, span, taken, rules.received_within, now, certain=expected.certain
    )


def _took_part(event: Control, declined: ReceivedResponse) -> Check:
    code = Code(declined.resource.status or 0)
    said = f"said {int(code)} ({code.name.lower()})"
    wrong = code is Code.EXPIRED and declined.at < event.earliest_end - _EARLY
    return _check("took part", good=not wrong, text=f"{said}, though it had not" if wrong else said)


def _started(
    expected: Fate, taken: Sequence[ReceivedResponse], rules: Rules, now: datetime
) -> Check:
    found = _of(taken, {Code.STARTED})
    if expected.starts is False:
        text = "started although it should not have" if found else "rightly not started"
        return _check("started", good=not found, text=text)
    certain = expected.certain and expected.starts is True
    return _in_time(
        "started",
        {Code.STARTED},
        expected.start,
        taken,
        rules.response_within,
        now,
        certain=certain,
    )


def _ended(expected: Fate, taken: Sequence[ReceivedResponse], rules: Rules, now: datetime) -> Check:
    return _in_time(
        "ended",
        set(expected.ends),
        expected.end,
        taken,
        rules.response_within,
        now,
        certain=expected.certain,
    )


def _in_time(
    name: str,
    wanted: set[Code],
    span: Span,
    taken: Sequence[ReceivedResponse],
    within: timedelta,
    now: datetime,
    *,
    certain: bool,
) -> Check:
    """Whether one of these codes came between the earliest time and `within` after the latest."""
    codes = "/".join(str(int(code)) for code in sorted(wanted & _usual(wanted)))
    found, due = _of(taken, wanted), span.latest + within
    if not found:
        if now <= due:
            return Check(name=name, outcome=Outcome.PENDING, text=f"{codes} due by {due:%H:%M:%S}")
        return _check(name, good=not certain, text=f"{codes} never came")
    at, code = found[0].at, found[0].resource.status
    late = (at - span.latest).total_seconds()
    text = f"{code} {late:.1f} s after it was due"
    return _check(name, good=span.earliest - _EARLY <= at <= due, text=text)


_EARLY = timedelta(seconds=2)
"""Times on the wire are whole seconds, and clocks are followed with some error."""


def _usual(wanted: set[Code]) -> set[Code]:
    """What to name in a text: not every way to reject."""
    return wanted - _REJECTED or wanted


def _of(taken: Sequence[ReceivedResponse], wanted: set[Code]) -> list[ReceivedResponse]:
    return [r for r in taken if r.resource.status in wanted]


def _proper(expected: Fate, taken: Sequence[ReceivedResponse], asked: ResponseRequired) -> Check:
    """Each code once, none that does not belong, in an order that makes sense."""
    codes = [r.resource.status or 0 for r in taken]
    allowed = {Code.RECEIVED, Code.STARTED, Code.OPT_IN, Code.PARTIAL_OPT_IN}
    allowed |= {Code.USER_ACKNOWLEDGED, *DECLINED, *expected.ends}
    faults = [f"{code} twice" for code in sorted({c for c in codes if codes.count(c) > 1})]
    faults += [f"{code} does not belong" for code in codes if code not in allowed]
    if not asked and codes:
        faults.append("no answer was wanted")
    ends = [place for place, code in enumerate(codes) if code in expected.ends]
    if ends and ends[0] != len(codes) - 1:
        faults.append("something came after the end")
    if Code.STARTED in codes and Code.RECEIVED in codes[codes.index(Code.STARTED) :]:
        faults.append("received after started")
    return _check("proper", good=not faults, text=", ".join(faults) or "each answer once, in order")


def _check(name: str, *, good: bool, text: str) -> Check:
    return Check(name=name, outcome=Outcome.PASS if good else Outcome.FAIL, text=text)
