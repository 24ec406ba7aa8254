"""The verdict on a watched procedure, from what was seen and sent."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Literal

from contracts.sep2.codes import EventState, ResponseRequired
from gridyard.sep2.certify.bench import CREATED
from gridyard.sep2.certify.watch_list import Fate, Want, Watched
from gridyard.sep2.certify.witness import Seen, Witness, described, outcome

PATIENCE = timedelta(seconds=60)
"""So much later than due a Response is missed."""
FATES: Mapping[tuple[int, ...], Fate] = {
    (1, 2, 3): "ran",
    (1, 6): "cancelled before its start",
    (1, 2, 6): "cancelled while it ran",
    (1, 7): "displaced before its start",
    (1, 14): "displaced before its start",
    (1, 2, 7): "displaced while it ran",
    (1, 252): "refused",
    (1, 253): "refused",
    (254,): "too late",
}
_ON_THE_WAY = {(), (1,), (1, 2)}
_CANCELLED = {EventState.CANCELLED, EventState.CANCELLED_WITH_RANDOMIZATION}
_WANTED = ResponseRequired.RECEIVED | ResponseRequired.SPECIFIC
_REFUSED, _LATER = 400, 500
Outcome = Literal["PASS", "FAIL", "NOT SEEN"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One thing that was seen or sent."""

    subject: str
    step: str
    ok: bool
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What is known so far."""

    faults: Sequence[str]
    missing: Sequence[str]
    """Not seen yet."""
    open: Sequence[str]
    """Seen, and not over yet."""
    steps: Sequence[Step]

    @property
    def settled(self) -> bool:
        """Whether waiting longer can change nothing."""
        return bool(self.faults) or not (self.missing or self.open)

    @property
    def outcome(self) -> Outcome:
        """The verdict if nothing more came."""
        if self.faults:
            return "FAIL"
        return "NOT SEEN" if self.missing or self.open else "PASS"

    @property
    def reasons(self) -> Sequence[str]:
        """Why it is not PASS."""
        return self.faults or [*self.missing, *self.open]

    def as_dict(self) -> dict[str, object]:
        """For JSON."""
        steps = [asdict(one) for one in self.steps]
        return {"outcome": self.outcome, "reasons": list(self.reasons), "steps": steps}


def judge(
    procedure: Watched, witness: Witness, now: datetime, patience: timedelta = PATIENCE
) -> Judgement:
    """Judge at the server's time."""
    fit = [one for one in witness.controls if _fit(one)]
    faults = [fault for one in fit for fault in _faults(one, witness, now, patience)]
    return Judgement(
        faults=[*faults, *_both_ran(fit)],
        missing=list(_missing(procedure, witness, fit)),
        open=[
            f"{one.name} is not over: it ends at {one.end_at_latest:%H:%M:%S}"
            for one in fit
            if one.codes in _ON_THE_WAY and witness.lists(one.lfdi)
        ],
        steps=[
            *(step for one in witness.controls for step in _steps(one)),
            *_other(procedure, witness),
        ],
    )


def fate(seen: Seen) -> Fate | None:
    """What became of a control, as told by its Responses; None: that is not known yet."""
    return FATES.get(seen.codes)


# --- what is wrong -----------------------------------------------------------------------------


def _fit(seen: Seen) -> bool:
    """Whether it asks for the answers it is judged by."""
    required = seen.control.response_required & _WANTED == _WANTED
    return required and seen.control.reply_to is not None


def _faults(seen: Seen, witness: Witness, now: datetime, patience: timedelta) -> Iterator[str]:
    for one in seen.answers:
        status = one.exchange.status
        if _REFUSED <= status < _LATER:
            yield f"Response {one.code} to {seen.name} was refused: HTTP {status}"
        elif status < _REFUSED and (status != CREATED or one.exchange.location is None):
            got = outcome(one.exchange)
            yield f"Response {one.code} to {seen.name}: {got}, not 201 with a Location"
    if seen.codes not in _ON_THE_WAY and seen.codes not in FATES:
        yield f"{seen.name} was answered {', '.join(map(str, seen.codes))}"
    if witness.lists(seen.lfdi):
        yield from _overdue(seen, now, patience)
        yield from _groundless(seen, witness)


def _overdue(seen: Seen, now: datetime, patience: timedelta) -> Iterator[str]:
    due = {(): (1, seen.at), (1,): (2, seen.start_at_latest), (1, 2): (3, seen.end_at_latest)}
    if seen.codes not in due:
        return
    code, at = due[seen.codes]
    if now > at + patience:
        yield f"no Response {code} to {seen.name} was taken, due at {at:%H:%M:%S}"


def _groundless(seen: Seen, witness: Witness) -> Iterator[str]:
    """An answer that nothing the server showed accounts for."""
    became, state = fate(seen), seen.control.event_status.current_status
    moved = any(one.kind in {"programs", "gone"} for one in witness.sights)
    if became in {"cancelled before its start", "cancelled while it ran"}:
        if state not in _CANCELLED and not moved and witness.keeps_what_is_unlisted:
            yield f"{seen.name} was answered 6, but is listed with status {state}"
    elif became in {"displaced before its start", "displaced while it ran"}:
        better = any(_better(other, seen) for other in witness.controls)
        if not better and state != EventState.SUPERSEDED and not witness.knew_controls:
            yield f"{seen.name} was displaced, but no better control overlaps"


def _both_ran(fit: Sequence[Seen]) -> Iterator[str]:
    ran = [one for one in fit if fate(one) == "ran"]
    for one in ran:
        for other in ran:
            if _better(one, other):
                yield f"{other.name} ran to its end, though {one.name} is better and overlaps it"


def _better(one: Seen, other: Seen) -> bool:
    """Whether it goes before the other: same device, time and mode (10.2.3.3 n, t)."""
    if one is other or one.lfdi != other.lfdi or not _meet(one, other):
        return False
    if not one.control.interval.window.overlaps(other.control.interval.window):
        return False
    newer = one.control.creation_time > other.control.creation_time
    return one.key < other.key or (one.key == other.key and newer)


def _meet(one: Seen, other: Seen) -> bool:
    mine, theirs = one.control.der_control_base.modes, other.control.der_control_base.modes
    return bool(mine.keys() & theirs.keys())


# --- what is missing ---------------------------------------------------------------------------


def _missing(procedure: Watched, witness: Witness, fit: Sequence[Seen]) -> Iterator[str]:
    short = False
    for want in procedure.wants:
        count = _count(want, witness, fit)
        if count < want.count:
            short = True
            yield f"{count} of {want.count} seen: {want.text}"
    if short:
        fates = Counter(str(fate(one) or "not over") for one in fit)
        if fates:
            said = ", ".join(f"{count} {became}" for became, count in fates.items())
            yield f"controls so far: {said}"
        for one in witness.controls:
            if one not in fit:
                yield f"{one.name} does not ask for the Responses (responseRequired 07, replyTo)"


def _count(want: Want, witness: Witness, fit: Sequence[Seen]) -> int:
    if want.fate is None:
        return sum(one.kind == want.sight for one in witness.sights)
    return sum(_counts(want, one) for one in fit)


def _counts(want: Want, one: Seen) -> bool:
    modes = one.control.der_control_base.modes
    became = fate(one)
    fits = became == want.fate or (want.optional and became == "refused")
    return fits and (not want.modes or bool(want.modes & modes.keys()))


# --- step by step ------------------------------------------------------------------------------


def _steps(seen: Seen) -> Iterator[Step]:
    about = f"{seen.program}: {described(seen.control)}, seen {seen.at:%H:%M:%S}"
    yield Step(subject=seen.name, step="control seen", ok=True, detail=about)
    for one in seen.answers:
        good = one.exchange.status == CREATED and one.exchange.location is not None
        said = f"{outcome(one.exchange)}, at {one.exchange.at:%H:%M:%S}"
        yield Step(subject=seen.name, step=f"Response {one.code}", ok=good, detail=said)
    became = fate(seen)
    if became is not None:
        yield Step(subject=seen.name, step="outcome", ok=True, detail=became)


def _other(procedure: Watched, witness: Witness) -> Iterator[Step]:
    """Changes; Notifications, of which there are many, only where the procedure is about them."""
    wanted = {want.sight for want in procedure.wants}
    for one in witness.sights:
        if one.kind != "notified" or one.kind in wanted:
            said = f"{one.what}, at {one.at:%H:%M:%S}"
            yield Step(subject="server", step=one.kind, ok=True, detail=said)
