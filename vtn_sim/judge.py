"""Did a VEN do what it was asked? Asked, acknowledged and reported, compared for one event.

An acknowledgement proves nothing by itself: what counts is answer *and* measured telemetry.
Whether the measured power met the request needs a baseline and is judged elsewhere.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from contracts.openadr.payloads import OptType
from contracts.time import Interval
from vtn_sim.openadr.event_payload import VtnEvent, signal_series
from vtn_sim.openadr.events import Delivery
from vtn_sim.openadr.telemetry import Sample


class Outcome(StrEnum):
    """Of one check, or of all of them together."""

    PASS = "pass"  # noqa: S105 - not a password
    FAIL = "fail"
    PENDING = "pending"
    """Too early to tell."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One thing that was looked at, in words for a person."""

    name: str
    outcome: Outcome
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What is known about one VEN in one event."""

    event_id: str
    ven_id: str
    checks: tuple[Check, ...]

    @property
    def outcome(self) -> Outcome:
        """Fails as soon as one check does; passes when all have."""
        outcomes = {check.outcome for check in self.checks}
        for worst in (Outcome.FAIL, Outcome.PENDING):
            if worst in outcomes:
                return worst
        return Outcome.PASS

    @property
    def text(self) -> str:
        """The verdict as a few lines."""
        lines = [f"{check.outcome.upper():7} {check.name}: {check.text}" for check in self.checks]
        return "\n".join([f"{self.event_id} at {self.ven_id}: {self.outcome.upper()}", *lines])


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """`min_coverage` is a part of 1; telemetry may come until `settle` after the event."""

    min_coverage: float
    settle: timedelta


def judge(
    event: VtnEvent,
    ven_id: str,
    deliveries: Sequence[Delivery],
    telemetry: Mapping[str, Sequence[Sample]],
    rules: Rules,
    now: datetime,
    own_opt: OptType | None = None,
) -> Verdict:
    """Compare what one VEN was asked with what it answered and reported.

    `deliveries` are this VEN's, of this event; `telemetry` has the samples of every point that
    was asked of it, in order of time, and an empty list where nothing came; `own_opt` is what it
    said by EiOpt, which outranks its answers.
    """
    newest = max(deliveries, key=lambda d: d.modification, default=None)
    checks = [_asked(event, newest)]
    if newest is not None:
        checks.append(_answered(event, newest, now))
        if _takes_part(event, deliveries, own_opt):
            checks += _reported(event, telemetry, rules, now)
    return Verdict(event_id=event.event_id, ven_id=ven_id, checks=tuple(checks))


def _asked(event: VtnEvent, delivery: Delivery | None) -> Check:
    what = "; ".join(
        f"{signal.name} {signal.type} "
        + ", ".join(f"{i.value:g} for {i.duration_s} s" for i in signal.intervals)
        for signal in event.spec.signals
    )
    sent = delivery is not None and delivery.modification == event.modification
    return Check(
        name="asked",
        outcome=Outcome.PASS if sent else Outcome.PENDING,
        text=f"{what}, modification {event.modification}, {'sent' if sent else 'not yet sent'}",
    )


def _answered(event: VtnEvent, delivery: Delivery, now: datetime) -> Check:
    """Profile 2.0b: a VEN answers before its next poll."""
    if not event.spec.response_required:
        wrong = bool(delivery.answers)
        text = "answered although no answer was wanted" if wrong else "no answer wanted"
        return _check("acknowledged", not wrong, text)
    if not delivery.answers:
        waited = (now - delivery.first_sent_at).total_seconds()
        late = delivery.polls_before_answer > 0
        outcome = Outcome.FAIL if late else Outcome.PENDING
        return Check(
            name="acknowledged", outcome=outcome, text=f"no answer {waited:.1f} s after sending"
        )
    first, last = delivery.answers[0], delivery.answers[-1]
    took = (first.at - delivery.first_sent_at).total_seconds()
    polls = delivery.polls_before_answer
    when = "before its next poll" if polls == 0 else f"only after {polls} more polls"
    text = f"{last.opt} after {took:.1f} s, {when}"
    if last.code != 200:  # noqa: PLR2004 - OpenADR's "OK"
        text += f", code {last.code} {last.description}"
    return _check("acknowledged", polls == 0, text)


def _takes_part(event: VtnEvent, deliveries: Sequence[Delivery], own_opt: OptType | None) -> bool:
    """Nothing is expected of a VEN that opted out, or of an event cancelled before its start.

    The answer to a cancellation (optIn, by the rule) says nothing about taking part.
    """
    if event.cancelled_at is not None and event.cancelled_at <= event.start:
        return False
    if own_opt is not None:
        return own_opt is OptType.IN
    cancellation = event.modification if event.cancelled_at is not None else None
    answers = [a for d in deliveries if d.modification != cancellation for a in d.answers]
    in_order = sorted(answers, key=lambda answer: answer.at)
    return not in_order or in_order[-1].opt is OptType.IN


def _window(event: VtnEvent, until: datetime) -> Interval | None:
    """The part of the event to be reported on, or None when it has not begun."""
    ends = [end for end in (event.window.end, event.cancelled_at) if end is not None]
    end = min(ends, default=max(until, event.start))
    return Interval(start=event.start, end=end) if end > event.start else None


def _reported(
    event: VtnEvent, telemetry: Mapping[str, Sequence[Sample]], rules: Rules, now: datetime
) -> list[Check]:
    """One check for each point that was asked for."""
    window = _window(event, now)
    if window is None or window.end is None or now < window.start:
        return [Check(name="reported", outcome=Outcome.PENDING, text="not begun")]
    open_ended = event.window.end is None and event.cancelled_at is None
    over = not open_ended and now >= window.end
    settled = over and now >= window.end + rules.settle
    if not telemetry:
        outcome = Outcome.FAIL if settled else Outcome.PENDING
        return [Check(name="reported", outcome=outcome, text="no telemetry was asked or offered")]
    return [
        _point(r_id, event, samples, window, rules.min_coverage, over=over, settled=settled)
        for r_id, samples in telemetry.items()
    ]


def _point(
    r_id: str,
    event: VtnEvent,
    samples: Sequence[Sample],
    window: Interval,
    min_coverage: float,
    *,
    over: bool,
    settled: bool,
) -> Check:
    part = coverage(samples, window)
    outcome = Outcome.FAIL if settled else Outcome.PENDING
    if over and part >= min_coverage:
        outcome = Outcome.PASS
    text = f"{part:.0%} of the event known (at least {min_coverage:.0%} wanted)"
    mean = mean_value(samples, window)
    if mean is not None:
        asked = signal_series(event, event.spec.signals[0]).mean(window)
        text += f", mean {mean:g}" + ("" if asked is None else f", asked {asked:g}")
    return Check(name=f"reported {r_id}", outcome=outcome, text=text)


def _check(name: str, good: bool, text: str) -> Check:
    return Check(name=name, outcome=Outcome.PASS if good else Outcome.FAIL, text=text)


def coverage(samples: Sequence[Sample], window: Interval) -> float:
    """Part (0 to 1) of a closed window over which some sample holds; overlaps count once.

    `samples` are in order of time.
    """
    if window.end is None:
        raise ValueError("only a closed window can be covered")
    known, reached = timedelta(0), window.start
    for sample in samples:
        start, end = max(sample.start, reached), min(sample.end, window.end)
        known += max(end - start, timedelta(0))
        reached = max(reached, end)
    return known / (window.end - window.start)


def mean_value(samples: Sequence[Sample], window: Interval) -> float | None:
    """Mean of the numbers reported inside a window, weighted by time; None without any."""
    weighted, total = 0.0, 0.0
    for sample in samples:
        piece = Interval(start=sample.start, end=sample.end).intersection(window)
        if piece is not None and piece.duration is not None and isinstance(sample.value, float):
            seconds = piece.duration.total_seconds()
            weighted += sample.value * seconds
            total += seconds
    return weighted / total if total > 0 else None
