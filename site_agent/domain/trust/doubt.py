"""What a meter that is not proven yet must show, and what the site may grant until then."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from enum import Enum, auto

from site_agent.domain.device import PHASES
from site_agent.domain.policy import TrustPolicy
from site_agent.domain.site import SiteModel
from site_agent.domain.trust.belief import Granted
from site_agent.domain.trust.told import Told
from site_agent.domain.trust.witness import Sight


class Missing(Enum):
    """What an unproven meter must show."""

    STEP = auto()
    STEP_OR_LEVEL = auto()
    """A step, or a load so large that no fault but standing still could show it."""


class Doubt:
    """In doubt the site grants one small step at a time."""

    def __init__(
        self,
        model: SiteModel,
        pace: timedelta,
        policy: TrustPolicy,
        missing: Missing = Missing.STEP_OR_LEVEL,
    ) -> None:
        self._model, self._pace, self._policy = model, pace, policy
        self._missing: Missing | None = missing
        self._level_since: datetime | None = None
        self._most: tuple[datetime, Granted] | None = None

    @property
    def most(self) -> Granted | None:
        """Most the site may grant; None: the meter is proven."""
        return None if self._most is None else self._most[1]

    def begin(self, missing: Missing) -> None:
        """The meter must show this (again)."""
        self._missing, self._level_since = missing, None

    def end(self) -> None:
        """It has shown it."""
        self._missing = self._level_since = None

    def weigh(self, sight: Sight, *, still: bool, fell: bool, sound: bool) -> None:
        """Begin or end by what is seen: a meter that stands `still`, a building that `fell`.

        `sound`: nothing speaks against the meter.
        """
        if self._missing is None and still:
            self.begin(Missing.STEP)
        elif self._missing is None and fell:
            self.begin(Missing.STEP_OR_LEVEL)
        elif self._missing is Missing.STEP_OR_LEVEL and self._bears_the_level(sight, sound=sound):
            self.end()

    def bound(
        self, sight: Sight, confirmed: timedelta, granted: Callable[[], Granted], *, sound: bool
    ) -> None:
        """Allow one more step once the last has stood for as long as a contradiction takes."""
        if self._missing is None:
            self._most = None
        elif self._most is None:
            self._most = sight.at, self._and_a_step(granted(), sight.told)
        elif sound and sight.at - self._most[0] >= confirmed:
            before = _less(granted(), self._most[1])
            self._most = sight.at, self._and_a_step(before, sight.told)

    def _bears_the_level(self, sight: Sight, *, sound: bool) -> bool:
        """Whether it has shown for a while what a wrong sign or scale could not."""
        model, policy, told = self._model, self._policy, sight.told
        least_w = max(model.max_building_w / 2, policy.proof_share * model.contract_limit_w)
        building_w = sight.power_w - told.sure_w + told.made_w
        fits = told.sure_w >= least_w and building_w <= model.max_building_w + told.made_w
        if not (fits and sound):
            self._level_since = None
            return False
        self._level_since = self._level_since or sight.at
        lasting = policy.contradicted_paces * self._pace + sight.late
        return sight.at - self._level_since >= lasting

    def _and_a_step(self, granted: Granted, told: Told) -> Granted:
        """What is granted or drawn already, and a step more; doubt takes nothing back."""
        rise_w = _rise_w(self._model, self._policy)
        rise_a = rise_w / (len(PHASES) * self._model.voltage_v)
        one, two, three = (
            max(amps, span.low) + rise_a
            for amps, span in zip(granted.phases_a, told.drawn_a, strict=True)
        )
        power_w = max(granted.power_w, told.drawn_w.low) + rise_w
        return Granted(power_w=power_w, phases_a=(one, two, three))


def _less(granted: Granted, most: Granted) -> Granted:
    """A vehicle that has just come finds the limit of the one before it, which nobody granted."""
    one, two, three = map(min, granted.phases_a, most.phases_a)
    return Granted(power_w=min(granted.power_w, most.power_w), phases_a=(one, two, three))


def _rise_w(model: SiteModel, policy: TrustPolicy) -> float:
    """A step that shows, and lets at least one vehicle begin."""
    least = (c.min_current_a * c.voltage_v * len(c.phases) for c in model.chargers)
    return max(policy.step_share * model.contract_limit_w, *least, 0.0)
