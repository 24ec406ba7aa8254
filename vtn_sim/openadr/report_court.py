"""The judge on one report request: every interval once, none missing, none overlapping."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import pairwise

from vtn_sim.judge import Check, Outcome
from vtn_sim.openadr.refusal import OK
from vtn_sim.openadr.report_spec import METADATA
from vtn_sim.openadr.reports import Arrival, Asked
from vtn_sim.openadr.telemetry import Sample

_SHOWN = 3
_SLACK = timedelta(seconds=1)
"""Starts are whole seconds."""


def report_checks(
    asked: Asked, now: datetime, settle: timedelta, answer_within: timedelta
) -> Iterator[Check]:
    """Everything about one request as of `now`; `settle` is added to each reporting period."""
    if asked.voided and not asked.acceptances:
        yield Check(name="accepted", outcome=Outcome.PASS, text="void before it was answered")
        return
    yield _accepted(asked, now, answer_within)
    refused = any(a.code != OK for a in asked.acceptances)
    if refused or asked.ask.report == METADATA or asked.voided:
        return
    yield _ids(asked)
    yield _doubled(asked)
    specifier = asked.request.specifier
    granularity, back = specifier.granularity, specifier.report_back_duration
    if granularity:
        yield _sequence(asked)
    if granularity and back:
        yield _complete(asked, now, back + granularity + settle)
    elif not back:
        yield _once(asked, now, granularity + settle)
    if asked.cancel_sent_at is not None:
        yield _stopped(asked, now, settle)


def series(asked: Asked) -> dict[str, list[Sample]]:
    """What came for each point, in order of time."""
    found: dict[str, list[Sample]] = {}
    for arrival in asked.arrivals:
        for sample in arrival.samples:
            found.setdefault(sample.r_id, []).append(sample)
    return {r_id: sorted(samples, key=lambda s: s.start) for r_id, samples in found.items()}


def due_until(asked: Asked, now: datetime) -> datetime:
    """Up to when values are due: the end of the window, the cancellation, or now."""
    window = asked.request.specifier.window
    ends = [now]
    if window is not None and window.duration:
        ends.append(window.start + window.duration)
    if asked.cancel_sent_at is not None:
        ends.append(asked.cancel_sent_at)
    return min(ends)


def _accepted(asked: Asked, now: datetime, within: timedelta) -> Check:
    codes = [a.code for a in asked.acceptances]
    if not codes and asked.arrivals:
        return _check("accepted", [], "by its reports")
    if not codes:
        late = now - asked.asked_at > within
        outcome = Outcome.FAIL if late else Outcome.PENDING
        return Check(name="accepted", outcome=outcome, text="no oadrCreatedReport yet")
    wrong = [code for code in codes if (code == OK) is asked.ask.not_offered]
    problems = [f"code {code}" for code in wrong[:_SHOWN]]
    return _check("accepted", problems, f"answered with {codes[:_SHOWN]}")


def _ids(asked: Asked) -> Check:
    wanted, points = asked.request.specifier.report_specifier_id, set(asked.r_ids)
    problems = []
    for arrival in asked.arrivals:
        report = arrival.report
        if report.report_specifier_id != wanted:
            problems.append(f"reportSpecifierID {report.report_specifier_id!r}, not {wanted!r}")
        strange = {s.r_id for s in arrival.samples} - points
        if strange:
            problems.append(f"points not asked for: {sorted(strange)[:_SHOWN]}")
    return _check("ids", problems[:_SHOWN], f"{len(asked.arrivals)} reports")


def _doubled(asked: Asked) -> Check:
    """A value may come again only if we did not acknowledge it the first time."""
    seen: set[tuple[str, datetime]] = set()
    twice: list[str] = []
    for arrival in asked.arrivals:
        keys = [(sample.r_id, sample.start) for sample in arrival.samples]
        twice += [f"{r_id} at {start:%H:%M:%S}" for r_id, start in keys if (r_id, start) in seen]
        if arrival.receipt.acknowledged:
            seen.update(keys)
    problems = [f"{len(twice)} values twice: {', '.join(twice[:_SHOWN])}"] if twice else []
    return _check("not doubled", problems, f"{len(seen)} values")


def _sequence(asked: Asked) -> Check:
    """Each point's values follow one another without gap or overlap, each as long as asked for.

    The first and the last may be shorter, where the window cuts them off.
    """
    granularity = asked.request.specifier.granularity
    problems: list[str] = []
    for r_id, samples in series(asked).items():
        unique = list({sample.start: sample for sample in samples}.values())
        problems += _breaks(r_id, unique)
        longer = any(s.duration - granularity > _SLACK for s in unique)
        if longer or any(granularity - s.duration > _SLACK for s in unique[1:-1]):
            problems.append(f"{r_id}: an interval is not {granularity.total_seconds():g} s long")
    return _check("in sequence", problems[:_SHOWN], "no gap, no overlap")


def _breaks(r_id: str, samples: Sequence[Sample]) -> Iterator[str]:
    for before, after in pairwise(samples):
        if after.start - before.end > _SLACK:
            yield f"{r_id}: nothing from {before.end:%H:%M:%S} to {after.start:%H:%M:%S}"
        if before.end - after.start > _SLACK:
            yield f"{r_id}: {before.start:%H:%M:%S} and {after.start:%H:%M:%S} overlap"


def _complete(asked: Asked, now: datetime, patience: timedelta) -> Check:
    """Every point is known from the beginning of the window up to what must have come by now."""
    specifier, until = asked.request.specifier, due_until(asked, now)
    since = max(asked.asked_at, asked.asked_at if specifier.window is None else _start(asked))
    granularity, found = specifier.granularity, series(asked)
    cut_off = asked.cancel_sent_at is not None and not asked.to_follow
    last_due = until - specifier.report_back_duration - granularity if cut_off else until
    problems, waiting = [], False
    for r_id in asked.r_ids:
        samples = found.get(r_id, [])
        overdue = last_due if now >= until + patience else now - patience
        reached = samples[-1].end if samples else since
        if reached + granularity <= overdue:
            problems.append(f"{r_id}: nothing since {reached:%H:%M:%S}")
        elif reached + granularity <= until and not (cut_off and now >= until + patience):
            waiting = True
        problems += _bounds(r_id, asked, samples, since)
    if problems or not waiting:
        return _check("complete", problems[:_SHOWN], f"until {until:%H:%M:%S}")
    return Check(name="complete", outcome=Outcome.PENDING, text="the next report is not due yet")


def _bounds(r_id: str, asked: Asked, samples: Sequence[Sample], since: datetime) -> Iterator[str]:
    """Neither late nor early: a VEN may begin at a whole granularity, once it has accepted."""
    if not samples:
        return
    granularity = asked.request.specifier.granularity
    latest = max([since, *(a.at for a in asked.acceptances[:1])]) + granularity + _SLACK
    if samples[0].start > latest:
        yield f"{r_id}: begins only at {samples[0].start:%H:%M:%S}"
    window = asked.request.specifier.window
    if window is None:
        return
    if samples[0].start < window.start - granularity - _SLACK:
        yield f"{r_id}: begins at {samples[0].start:%H:%M:%S}, before its window"
    if window.duration and samples[-1].end > window.start + window.duration + _SLACK:
        yield f"{r_id}: goes on until {samples[-1].end:%H:%M:%S}, after its window"


def _start(asked: Asked) -> datetime:
    window = asked.request.specifier.window
    return asked.asked_at if window is None else window.start


def _once(asked: Asked, now: datetime, patience: timedelta) -> Check:
    taken = [a for a in asked.arrivals if a.receipt.acknowledged]
    if not asked.arrivals:
        due = max(due_until(asked, now), _start(asked))
        late = now > due + patience and now > asked.asked_at + patience
        outcome = Outcome.FAIL if late else Outcome.PENDING
        return Check(name="once", outcome=outcome, text="no report yet")
    problems = [f"{len(taken)} reports instead of one"] if len(taken) > 1 else []
    empty = not any(arrival.samples for arrival in asked.arrivals)
    return _check("once", [*problems, *(["without values"] if empty else [])], "one report")


def _stopped(asked: Asked, now: datetime, settle: timedelta) -> Check:
    """After oadrCanceledReport nothing comes, but for the last report that was asked for."""
    ended = asked.canceled_at
    if ended is None:
        late = asked.cancel_sent_at is not None and now > asked.cancel_sent_at + settle
        outcome = Outcome.FAIL if late else Outcome.PENDING
        return Check(name="stopped", outcome=outcome, text="no oadrCanceledReport yet")
    after = [a for a in asked.arrivals if a.receipt.at > ended]
    allowed = 1 if asked.to_follow else 0
    problems = [f"{len(after)} reports after its end"] if len(after) > allowed else []
    if asked.to_follow and not _last_report(asked) and now > ended + settle:
        problems.append("the last report did not follow")
    return _check("stopped", problems, f"ended at {ended:%H:%M:%S}")


def _last_report(asked: Asked) -> list[Arrival]:
    since = asked.cancel_sent_at
    return [a for a in asked.arrivals if since is not None and a.receipt.at >= since]


def _check(name: str, problems: Sequence[str], text: str) -> Check:
    outcome = Outcome.FAIL if problems else Outcome.PASS
    return Check(name=name, outcome=outcome, text="; ".join([text, *problems]))
