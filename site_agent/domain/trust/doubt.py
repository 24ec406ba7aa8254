"""What a meter that is not proven yet must show, and what the site may grant until then."""

from __future__ import annotations

from collections.abc import Callable, Mapping
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
        self._devices_w: Mapping[str, float] | None = None
        """What devices told when they moved last."""
        self._moved_at: datetime | None = None

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
        self._devices_w = self._moved_at = None

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
        """Allow one more step once the last has stood for as long as a contradiction takes.

        A meter that must show a step is given that time after every move that devices tell of.
        """
        self._note_moves(sight)
        if self._missing is None:
            self._most = None
        elif self._most is None:
            self._most = sight.at, self._and_a_step(granted(), sight.told)
        elif sound and sight.at - self._settled_since(self._most[0]) >= confirmed:
            before = _less(granted(), self._most[1])
            self._most = sight.at, self._and_a_step(before, sight.told)

    def _settled_since(self, granted_at: datetime) -> datetime:
        return granted_at if self._moved_at is None else max(granted_at, self._moved_at)

    def _note_moves(self, sight: Sight) -> None:
        if self._missing is not Missing.STEP:
            return
        told, before = sight.told.watts, self._devices_w
        least_w = self._policy.proof_share * self._model.contract_limit_w
        if before is None:
            self._devices_w = told
        elif sum(abs(watts - before.get(name, 0.0)) for name, watts in told.items()) >= least_w:
            self._devices_w, self._moved_at = told, sight.at

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
