"""The meter at the connection point against what the devices tell.

Three questions, asked of every new reading:

- *level*: can the meter show so little while devices draw so much? Caught by it: a flipped sign, a
  scale too small, a missing phase.
- *steps*: when devices together draw more or less, does the meter move as much? Caught by it: a
  meter that stands still, lags, or is scaled either way.
- *frozen*: has it shown the very same number ever since, although devices have moved?

Devices sample slowly and tell late; a vehicle that stops is seen at the meter first. So levels must
be contradicted for a while, and a step is judged once devices have told of it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum, auto
from statistics import fmean

from contracts.metering import level_slack_w
from site_agent.domain.device import PHASES
from site_agent.domain.policy import TrustPolicy
from site_agent.domain.site import SiteModel
from site_agent.domain.trust.told import Told

_SPACING = timedelta(seconds=0.4)
_REMEMBERED_PACES = 6.0
_BEFORE_PACES = 4.0
_STEADY_SHARE = 0.2
_CALM = 0.1
"""Weight of the newest move of the building in what is held to be usual."""
_CLEAR = 0.6
"""Of the step that a meter in doubt must show: setpoints are rounded, and vehicles take less."""
_NOISES, _BLINDS = 4.0, 2.5
_ZERO_A = 1.0
_LEVEL_SIGHTS = 2
"""One sight is no level."""
_LEAST_READINGS = 3
"""... of a meter that have not moved since devices have."""


class Step(Enum):
    """What has become of a step of the devices."""

    SHOWN = auto()
    NOT_SHOWN = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """A reading of the meter beside what the devices tell."""

    at: datetime
    power_w: float
    current_a: tuple[float | None, float | None, float | None]
    told: Told
    late: timedelta = timedelta(0)
    """How much later than usual devices tell."""

    @property
    def face(self) -> tuple[float | None, ...]:
        """What the meter shows, bit by bit."""
        return self.power_w, *self.current_a


def contradiction(sight: Sight, model: SiteModel, policy: TrustPolicy) -> str | None:
    """Words for devices that draw more than the meter shows; None: they go together."""
    told = sight.told
    slack_w = model.unseen_generation_w + level_slack_w(
        model.contract_limit_w,
        told.sure_w + told.made_w,
        level_share=policy.level_share,
        told_error=policy.told_error,
    )
    missing_w = told.sure_w - told.made_w - sight.power_w - slack_w
    if missing_w > 0:
        return f"shows {sight.power_w:.0f} W while devices draw {told.sure_w:.0f} W"
    slack_a = (slack_w + told.made_w) / model.voltage_v + _ZERO_A  # PV may be on one phase alone
    for phase in PHASES:
        amps, sure_a = sight.current_a[phase - 1], told.sure_a[phase - 1]
        if amps is not None and amps > -_ZERO_A and amps + slack_a < sure_a:
            return f"shows {amps:.1f} A in phase {phase} while devices draw {sure_a:.1f} A"
    return None


class Frozen:
    """Whether the meter stands still while devices move."""

    def __init__(self, contract_w: float, pace: timedelta, policy: TrustPolicy) -> None:
        self._contract_w, self._pace, self._policy = contract_w, pace, policy
        self._face: tuple[float | None, ...] = ()
        self._since: datetime | None = None
        self._from: Mapping[str, float] | None = None
        self._moved_at: datetime | None = None
        self._after_move = 0
        self._resolution_w = float("inf")

    @property
    def since(self) -> datetime | None:
        """Since when the meter has shown the very same."""
        return self._since

    def unmoved(self, now: datetime) -> timedelta:
        """For how long the meter has shown the very same."""
        return timedelta(0) if self._since is None else now - self._since

    def see(self, sight: Sight) -> bool:
        """Whether it must be frozen: devices have moved long since, and it has not."""
        if sight.face != self._face:
            self._learn(sight)
            return False
        if self._since is None:
            return False
        if self._from is None:
            # Devices tell late of what the meter has shown already: begin once they must have.
            if sight.at - self._since >= self._policy.contradicted_paces * self._pace + sight.late:
                self._from = sight.told.watts
            return False
        least_w = max(self._policy.proof_share * self._contract_w, 2.0 * self._coarse_w())
        moved_w = abs(difference(sight.told.watts, self._from))
        if moved_w < least_w + _BLINDS * sight.told.blind_w:
            self._moved_at, self._after_move = None, 0
            return False
        self._moved_at = self._moved_at or sight.at
        self._after_move += 1
        return self._after_move > _LEAST_READINGS and sight.at - self._moved_at >= self._pace

    def _coarse_w(self) -> float:
        return 0.0 if self._resolution_w == float("inf") else self._resolution_w

    def _learn(self, sight: Sight) -> None:
        before = self._face[0] if self._face else None
        if before is not None and before != sight.power_w:
            self._resolution_w = min(self._resolution_w, abs(sight.power_w - before))
        self._face, self._since = sight.face, sight.at
        self._from, self._moved_at, self._after_move = None, None, 0


class Steps:
    """Judges every step of the devices by what the meter makes of it."""

    def __init__(self, contract_w: float, pace: timedelta, policy: TrustPolicy) -> None:
        self._contract_w, self._pace, self._policy = contract_w, pace, policy
        self._sights: deque[Sight] = deque()
        self._restless_w = 0.0
        self._run: tuple[Step, datetime] | None = None
        self.ratio = 1.0
        """What of the last step the meter has shown."""

    def see(self, sight: Sight) -> Step | None:
        """The verdict on a step, once, when it is clear."""
        if self._sights and sight.at - self._sights[-1].at < _SPACING:
            return None
        if self._sights and sight.at - self._sights[-1].at > 2 * self._pace:
            self._sights.clear()
        self._sights.append(sight)
        while sight.at - self._sights[0].at > _REMEMBERED_PACES * self._pace + sight.late:
            self._sights.popleft()
        judged = self._judge(sight)
        if judged is None or self._run is None or self._run[0] is not judged:
            self._run = None if judged is None else (judged, sight.at)
            return None
        if sight.at - self._run[1] < self._pace * (2 / 3):
            return None
        self._sights.clear()  # the next step shall be another one
        self._run = None
        return judged

    def _judge(self, sight: Sight) -> Step | None:
        old = _BEFORE_PACES * self._pace + sight.late
        before = [s for s in self._sights if sight.at - s.at >= old]
        recent = [s for s in self._sights if sight.at - s.at < self._pace]
        if not before or len(recent) < _LEVEL_SIGHTS:
            return None
        step_w = difference(sight.told.watts, before[-1].told.watts)
        moved_w = fmean(s.power_w for s in recent) - fmean(s.power_w for s in before)
        least_w = max(
            self._policy.proof_share * self._contract_w,
            _NOISES * self._restless_w,
            _BLINDS * sight.told.blind_w,
        )
        if abs(step_w) < least_w:
            self._restless_w += _CALM * (abs(moved_w - step_w) - self._restless_w)
            return None
        on_the_way_w = abs(difference(sight.told.watts, recent[0].told.watts))
        if on_the_way_w > _STEADY_SHARE * abs(step_w):
            return None
        self.ratio = moved_w / step_w
        if self._policy.shown_least <= self.ratio <= self._policy.shown_most:
            return Step.SHOWN
        too_small = abs(step_w) < _CLEAR * self._policy.step_share * self._contract_w
        return None if too_small else Step.NOT_SHOWN


def difference(now: Mapping[str, float], then: Mapping[str, float]) -> float:
    """How far the devices have moved that have told at both times, W."""
    return sum(watts - then[name] for name, watts in now.items() if name in then)
