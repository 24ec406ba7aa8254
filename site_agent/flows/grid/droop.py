"""Answers the grid's frequency, four times a second as well as software can.

Inverters with a droop of their own do it better, within milliseconds and without us: they are told
their line as a function (`functions`) and left alone. Everything else is done here: batteries are
asked between control cycles, chargers with the next cycle. Setpoints are the usual leases, and the
limits are the usual ones. When the frequency is no longer heard, the response ends.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from contracts.inverter import FrequencyDroop, InverterFunction, Inverters
from contracts.reading import Reading
from contracts.site_link.messages import Severity
from contracts.time import Clock
from site_agent.domain.decide.control import DEFAULT_POLICY, Decision
from site_agent.domain.grid.droop import DroopPolicy, Response, answered, response
from site_agent.domain.policy import ControlPolicy
from site_agent.domain.site import ROOT, SiteSnapshot
from site_agent.flows.report.notices import Condition, Key

PERIOD_S = 0.25
MAX_AGE = timedelta(seconds=1.5)
"""An older frequency says nothing of now."""
FREQUENCY_RESPONSE = "frequency-response"
FREQUENCY_LOST = "frequency-lost"
_KEPT = 200
_STEP_SHARE = 0.02
"""Of the full response: a smaller change waits for the next cycle."""
_REACHED = 0.9
"""A response counts as given once batteries have moved by this share of it."""
_LONGEST = timedelta(seconds=10)
_RESPONSE_S = 0.5
"""Asked of inverters that answer by themselves; most are faster."""

Frequency = Callable[[datetime], Reading | None]
"""The grid's frequency, Hz; None: nothing tells it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Latency:
    """How long responses took, from the reading that showed the deviation to the power given, s."""

    median_s: float
    p95_s: float
    count: int


@dataclass(slots=True)
class _Pending:
    since: datetime
    from_w: float
    change_w: float


class Droop:
    """The frequency response of one site."""

    def __init__(
        self,
        policy: DroopPolicy,
        frequency: Frequency,
        clock: Clock,
        *,
        act: Callable[[], None],
        by_themselves: Callable[[], frozenset[str]] = frozenset,
        suspended: Callable[[], bool] = lambda: False,
        control: ControlPolicy = DEFAULT_POLICY,
    ) -> None:
        """`act` asks for an answer at once; `suspended`: the grid is away, so nothing is answered.

        `by_themselves`: the batteries whose inverters hold their own droop now.
        """
        self._policy = policy
        self._frequency = frequency
        self._clock = clock
        self._act = act
        self._by_themselves = by_themselves
        self._suspended = suspended
        self._control = control
        self._acted_w = 0.0
        self._answering = False
        self._pending: _Pending | None = None
        self._took: deque[float] = deque(maxlen=_KEPT)

    async def run(self) -> None:
        """Look every 250 ms until cancelled."""
        while True:
            due_s = self._clock.monotonic() + PERIOD_S
            self.look()
            await self._clock.sleep(max(0.0, due_s - self._clock.monotonic()))

    def look(self) -> None:
        """Ask for an answer when the frequency wants another one than before."""
        now = self._now()
        wanted_w = 0.0 if now is None else now.change_w
        step_w = _STEP_SHARE * self._policy.power_w
        ended = wanted_w == 0 and self._acted_w != 0
        if ended or abs(wanted_w - self._acted_w) >= step_w:
            self._acted_w = wanted_w
            self._act()

    def reflex(self, snapshot: SiteSnapshot, decision: Decision) -> Decision:
        """The decision with the answer to the present frequency in it."""
        asked = self._now()
        self._measure(snapshot, asked)
        if asked is None:
            return decision
        by_themselves = self._by_themselves()
        moved = answered(
            decision, snapshot, asked, self._policy, self._control, by_themselves=by_themselves
        )
        self._begin(snapshot, decision, moved)
        return moved

    def functions(self) -> tuple[InverterFunction, ...]:
        """The line, for inverters that can follow it by themselves."""
        policy = self._policy
        line = FrequencyDroop(
            over_dead_band_hz=policy.dead_band_hz,
            under_dead_band_hz=policy.dead_band_hz,
            over_slope=policy.slope,
            under_slope=policy.slope,
            response_s=_RESPONSE_S,
            on=Inverters.STORAGE,
        )
        return (line,)

    @property
    def latency(self) -> Latency | None:
        """Of the last responses; None before the first."""
        if not self._took:
            return None
        order = sorted(self._took)
        place = min(len(order) - 1, round(0.95 * len(order)))
        return Latency(median_s=order[len(order) // 2], p95_s=order[place], count=len(order))

    def conditions(self) -> Mapping[Key, Condition]:
        """What people should know."""
        return dict(self._conditions())

    def _conditions(self) -> Iterator[tuple[Key, Condition]]:
        now = self._now()
        if self._reading() is None and not self._suspended():
            words = "the grid's frequency is not known: nothing answers it"
            lost = Condition(severity=Severity.WARNING, text=words, after=timedelta(seconds=30))
            yield (FREQUENCY_LOST, ROOT), lost
        if now is not None and now.change_w != 0:
            way = "gives" if now.change_w < 0 else "takes"
            kw = abs(now.change_w) / 1000
            words = f"{way} up to {kw:.1f} kW at {now.hertz:.2f} Hz{self._told()}"
            yield (FREQUENCY_RESPONSE, ROOT), Condition(severity=Severity.INFO, text=words)

    def _told(self) -> str:
        took = self.latency
        if took is None:
            return ""
        return f"; the last {took.count} answers took {took.p95_s:.1f} s or less (95 %)"

    def _now(self) -> Response | None:
        hertz = None if self._suspended() else self._reading()
        return None if hertz is None else response(hertz, self._policy)

    def _reading(self) -> float | None:
        now = self._clock.now()
        reading = self._frequency(now)
        return None if reading is None else reading.fresh(now, MAX_AGE)

    # --- how long it takes ------------------------------------------------------------------------

    def _begin(self, snapshot: SiteSnapshot, calm: Decision, moved: Decision) -> None:
        """A response begins: note when the frequency showed it, and from where batteries start."""
        change_w = sum(one.power_w for one in moved.batteries)
        change_w -= sum(one.power_w for one in calm.batteries)
        reading = self._frequency(self._clock.now())
        large = abs(change_w) >= _STEP_SHARE * self._policy.power_w
        if self._pending is None and large and reading is not None and not self._answering:
            self._pending = _Pending(reading.at, _stored_w(snapshot), change_w)
        self._answering = large

    def _measure(self, snapshot: SiteSnapshot, asked: Response | None) -> None:
        """Whether what began has been given by now, as batteries were last read."""
        pending = self._pending
        if pending is None:
            return
        read_at = max((one.power_w.at for one in snapshot.batteries), default=snapshot.at)
        moved_w = _stored_w(snapshot) - pending.from_w
        if moved_w * pending.change_w > 0 and abs(moved_w) >= _REACHED * abs(pending.change_w):
            self._took.append(max(0.0, (read_at - pending.since).total_seconds()))
            self._pending = None
        elif asked is None or asked.change_w == 0 or snapshot.at - pending.since > _LONGEST:
            self._pending = None


def _stored_w(snapshot: SiteSnapshot) -> float:
    max_age = snapshot.model.device_max_age
    return sum(one.power_w.fresh(snapshot.at, max_age) or 0.0 for one in snapshot.batteries)
