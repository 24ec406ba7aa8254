"""The event rules once more, minute by minute, as plain loops: what the engine must agree with.

No plan is made here. Each minute looks only at who is alive now: who is dropped, who begins, who
ends. Times are whole minutes; draws are given.
"""

from __future__ import annotations

from dataclasses import dataclass, field

WAITING, RUNNING, OVER = "waiting", "running", "over"


@dataclass(kw_only=True)
class Side:
    """One control as the oracle sees it."""

    mrid: str
    primacy: int
    program: str
    created: int
    start: int
    end: int
    modes: tuple[str, ...]
    arrives: int = 0
    draws: tuple[int, int, int] = (0, 0, 0)
    cancelled: int | None = None
    """Minute at which the cancellation is heard."""
    tail: bool = False
    state: dict[str, str] = field(default_factory=dict)
    held: set[str] = field(default_factory=set)
    ends: dict[str, str] = field(default_factory=dict)
    off: bool = False
    outcome: int | None = None
    outcome_at: int | None = None
    started_at: int | None = None
    effective: tuple[int, int] = (0, 0)

    def receive(self, now: int) -> None:
        if self.end <= now:
            self.outcome, self.outcome_at = 254, now
            return
        move, stretch, _ = self.draws
        begin = self.start + move
        if begin >= now:
            finish = max(self.end + move + stretch, begin)
        else:
            finish = max(self.end + stretch, now)
            begin = min(now + abs(move), finish)
        self.effective = (begin, finish)
        self.state = dict.fromkeys(self.modes, WAITING)

    def cancel(self, now: int) -> None:
        begin, finish = self.effective
        late = self.draws[2] if self.tail and begin <= now else 0
        self.effective = (begin, min(finish, now + late))
        self.off = True

    def alive(self, mode: str) -> bool:
        return self.state.get(mode) in (WAITING, RUNNING)

    def begun(self, now: int) -> bool:
        return self.off or bool(self.held) or self.start <= now or self.effective[0] <= now


def better(one: Side, other: Side) -> bool:
    return (one.off, one.primacy, -one.created, one.mrid) < (
        other.off,
        other.primacy,
        -other.created,
        other.mrid,
    )


class Oracle:
    """Runs all controls to `until`; `holder[minute][mode]` is the mRID in force, if any."""

    def __init__(self, sides: list[Side], until: int) -> None:
        self.sides = sides
        self.holder: list[dict[str, str]] = []
        for now in range(until):
            self._go_on(now)
            for side in sides:
                if side.arrives == now:
                    side.receive(now)
                if side.cancelled == now and side.state and side.outcome is None:
                    side.cancel(now)
            self._drop(now)
            self._go_on(now)
            self.holder.append(
                {
                    mode: side.mrid
                    for side in sides
                    for mode, state in side.state.items()
                    if state == RUNNING
                }
            )

    def _rivals(self, side: Side, mode: str) -> list[Side]:
        """Better ones, alive and with time left, whose specified times meet this one's."""
        return [
            other
            for other in self.sides
            if other is not side
            and other.alive(mode)
            and better(other, side)
            and self._has_time(other, mode)
            and side.start < self._stands_until(other, mode)
            and other.start < side.end
        ]

    def _takeover(self, side: Side, mode: str) -> int | None:
        """When the first of its rivals begins, if that is before it ends by itself."""
        starts = [rival.effective[0] for rival in self._rivals(side, mode)]
        first = min(starts, default=None)
        return first if first is not None and first < side.effective[1] else None

    def _stands_until(self, side: Side, mode: str) -> int:
        first = self._takeover(side, mode)
        return side.end if first is None else min(side.end, first)

    def _has_time(self, side: Side, mode: str) -> bool:
        first = self._takeover(side, mode)
        end = side.effective[1] if first is None else first
        return side.effective[0] < end

    def _drop(self, now: int) -> None:
        for side in sorted(self.sides, key=lambda s: (s.off, s.primacy, -s.created, s.mrid)):
            for mode in side.modes:
                if side.alive(mode) and not side.begun(now):
                    rivals = self._rivals(side, mode)
                    if rivals:
                        self._end(side, mode, "dropped", now)

    def _go_on(self, now: int) -> None:
        moves: list[tuple[Side, str, str]] = []
        for side in self.sides:
            for mode in side.modes:
                if side.alive(mode):
                    move = self._move(side, mode, now)
                    if move:
                        moves.append((side, mode, move))
        for side, mode, move in moves:
            if move == RUNNING:
                side.state[mode] = RUNNING
                side.held.add(mode)
                side.started_at = now if side.started_at is None else side.started_at
            else:
                if move == "done":
                    side.held.add(mode)
                    side.started_at = now if side.started_at is None else side.started_at
                self._end(side, mode, move, now)

    def _move(self, side: Side, mode: str, now: int) -> str:
        begin, finish = side.effective
        takeover = self._takeover(side, mode)
        later = [
            other
            for other in self.sides
            if other is not side
            and other.alive(mode)
            and other.start >= self._stands_until(side, mode)
            and (other.start > side.start or other.end > side.start)
            and self._has_time(other, mode)
        ]
        if self._has_time(side, mode):
            if any(other.effective[0] <= now for other in later) and (
                takeover is None or min(o.effective[0] for o in later) < takeover
            ):
                if side.off:
                    return "cancelled"
                return "done" if takeover is None else "displaced"
            next_one = [o for o in later if o.start == side.end]
            if next_one and takeover is None and not side.off:
                finish = max(o.effective[0] for o in next_one)
        if takeover is not None and takeover <= now:
            return "cancelled" if side.off else "displaced"
        if takeover is None and finish <= now:
            return "cancelled" if side.off else "done"
        if begin <= now and side.state[mode] == WAITING:
            return RUNNING
        return ""

    def _end(self, side: Side, mode: str, how: str, now: int) -> None:
        side.state[mode] = OVER
        side.ends[mode] = how
        if all(state == OVER for state in side.state.values()):
            side.outcome, side.outcome_at = self._outcome(side), now

    def _outcome(self, side: Side) -> int:
        hows = set(side.ends.values())
        if "done" in hows:
            return 3
        return 6 if "cancelled" in hows else 7
