"""Whether the meter at the connection point is believed, and how far.

Three levels. *Trusted and proven*: it has shown a step of the site's devices. *Unproven* (after a
start, a long silence, a step that did not show, or a sudden fall of the building): the site draws
more only by small steps until one has shown. *Not trusted*: a check has caught it; its readings are
INVALID, the site falls to the static split as for a dead meter, and a notice names the check. Trust
returns after a declared time without contradiction, and begins unproven.

And at every level a fall of the building is believed late: it is taken at the most it was within
the last seconds. Rises are believed at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import Enum, auto

from contracts.reading import Quality, Reading
from site_agent.domain.device import PHASES, MeterState
from site_agent.domain.policy import TrustPolicy
from site_agent.domain.site import SiteModel
from site_agent.domain.trust.belief import Belief, Check, Distrust, Granted
from site_agent.domain.trust.floors import Floors
from site_agent.domain.trust.plausibility import refusal
from site_agent.domain.trust.register import Energy, RegisterCheck
from site_agent.domain.trust.told import Told
from site_agent.domain.trust.witness import Frozen, Sight, Step, Steps, contradiction

_FORGOTTEN = timedelta(seconds=30)
"""After so long a silence another meter may have come."""
_LATE_FOR, _LATEST = timedelta(minutes=2), timedelta(minutes=1)
_USUAL = timedelta(seconds=6)
"""How often chargers sample, at the most, where nothing else is learnt."""


@dataclass(frozen=True, slots=True)
class _Finding:
    """What speaks against the meter; `lasting`: how long it must to be sure."""

    check: Check
    words: str
    lasting: timedelta = timedelta(0)
    since: datetime | None = None
    """When it began, if it is only noticed now."""


class _Doubt(Enum):
    """What an unproven meter must show."""

    STEP = auto()
    STEP_OR_LEVEL = auto()
    """A step, or a load so large that no fault but standing still could show it."""


class MeterTrust:
    """Remembers what the meter has shown, and judges it with every new reading."""

    def __init__(self, model: SiteModel, policy: TrustPolicy) -> None:
        self._model, self._policy = model, policy
        self._pace = max(policy.pace, model.meter_max_age)
        contract_w = model.contract_limit_w
        self._register = RegisterCheck(contract_w, self._pace, policy)
        self._register_agrees = True
        self._frozen = Frozen(contract_w, self._pace, policy)
        self._steps = Steps(contract_w, self._pace, policy)
        self._floors = Floors()
        self._rise_w = _rise_w(model, policy)
        self._read_at: datetime | None = None
        self._good: MeterState | None = None
        self._told_phases: frozenset[int] = frozenset()
        self._late, self._late_at = timedelta(0), datetime.min.replace(tzinfo=UTC)
        self._used_since: dict[str, datetime] = {}
        self._doubt: _Doubt | None = _Doubt.STEP_OR_LEVEL
        self._most: tuple[datetime, Granted] | None = None
        self._level_since: datetime | None = None
        self._strikes: list[datetime] = []
        self._against: dict[Check, datetime] = {}
        self._distrust: Distrust | None = None
        self._sound_since: datetime | None = None

    @property
    def young(self) -> timedelta:
        """How old a word of a device may be to count."""
        return min(self._model.device_max_age, self._policy.told_max_age + self._late)

    def judge(
        self, pcc: MeterState, told: Told, granted: Callable[[], Granted]
    ) -> tuple[MeterState, Belief]:
        """The reading as it may be used, and how far it is believed.

        One that cannot be true gives way to the last that could, which ages on. `granted`: what
        devices may draw now.
        """
        refused = False
        if pcc.power_w.quality.usable and pcc.power_w.value is not None:
            if pcc.power_w.at != self._read_at:
                self._take(pcc, pcc.power_w.value, told, granted)
            refused = self._good is None or self._good.power_w.at != pcc.power_w.at
        if self._distrust is not None:
            return _without_value(pcc), Belief(distrust=self._distrust)
        shown = pcc if not refused else self._good or _without_value(pcc)
        return shown, self._floors.belief(None if self._most is None else self._most[1])

    # --- one new reading --------------------------------------------------------------------------

    def _take(
        self, pcc: MeterState, power_w: float, told: Told, granted: Callable[[], Granted]
    ) -> None:
        at = pcc.power_w.at
        if self._read_at is not None and at - self._read_at > _FORGOTTEN:
            self._doubt = _Doubt.STEP_OR_LEVEL
            self._floors.clear()
        self._read_at = at
        self._note_lateness(told, at)
        refused = refusal(pcc, self._model, self._told_phases, self._policy)
        if refused is not None:
            check, words = refused
            self._conclude(at, [_Finding(check, words, self._policy.rejected_paces * self._pace)])
            return
        self._good = pcc
        sight = Sight(at=at, power_w=power_w, current_a=_amps(pcc), told=told, late=self._late)
        self._told_phases |= {p for p in PHASES if sight.current_a[p - 1] is not None}
        self._conclude(at, list(self._findings(sight, pcc)))
        self._weigh(sight)
        self._bound(sight, granted)

    def _note_lateness(self, told: Told, at: datetime) -> None:
        """How much later than usual chargers in use tell; the most of the last minutes."""
        self._used_since = {name: self._used_since.get(name, at) for name in told.sampled}
        ages = (at - max(told.sampled[name], since) for name, since in self._used_since.items())
        late = min(_LATEST, max(timedelta(0), max(ages, default=_USUAL) - _USUAL))
        if late >= self._late or at - self._late_at > _LATE_FOR:
            self._late, self._late_at = late, at

    def _findings(self, sight: Sight, pcc: MeterState) -> Iterator[_Finding]:
        words = contradiction(sight, self._model, self._policy)
        if words is not None:
            lasting = self._policy.contradicted_paces * self._pace + self._late
            yield _Finding(Check.DEVICES, words, lasting)
        if self._frozen.see(sight):
            words = f"shows {sight.power_w:.0f} W whatever devices do"
            yield _Finding(Check.FROZEN, words, since=self._frozen.since)
        self._note_step(self._steps.see(sight), sight.at)
        if len(self._strikes) >= self._policy.strikes:
            first = self._strikes.pop(0)  # one more will do
            words = f"shows {self._steps.ratio:.1f} times what devices change"
            yield _Finding(Check.RESPONSE, words, since=first)
        agrees = self._compare_energy(sight, pcc)
        self._register_agrees = self._register_agrees if agrees is None else agrees
        if not self._register_agrees:
            words = f"shows {sight.power_w:.0f} W, but its energy register says otherwise"
            yield _Finding(Check.ENERGY, words, since=self._register.since)

    def _note_step(self, step: Step | None, at: datetime) -> None:
        if step is Step.SHOWN:
            self._strikes.clear()
            self._doubt = None
        elif step is Step.NOT_SHOWN:
            self._strikes.append(at)
            self._doubt = _Doubt.STEP

    def _compare_energy(self, sight: Sight, pcc: MeterState) -> bool | None:
        """A register that reads 0 is one that the meter has not got."""
        import_wh, export_wh = _value(pcc.import_wh), _value(pcc.export_wh)
        if not import_wh:
            return None
        return self._register.see(
            Energy(
                at=sight.at,
                power_w=sight.power_w,
                import_wh=import_wh,
                export_wh=export_wh or None,
            )
        )

    # --- what follows -----------------------------------------------------------------------------

    def _conclude(self, at: datetime, findings: list[_Finding]) -> None:
        """Lose trust for what has lasted; regain it when nothing has been found for long."""
        self._against = {
            one.check: self._against.get(one.check, one.since or at) for one in findings
        }
        if self._distrust is not None:
            self._sound_since = None if findings else self._sound_since or at
            if self._sound_since and at - self._sound_since >= self._policy.trust_after:
                self._restore(self._distrust.check, at)
            return
        for one in findings:
            since = self._against[one.check]
            if at - since >= one.lasting:
                self._distrust = Distrust(check=one.check, words=one.words, since=since, at=at)
                self._sound_since = None
                return

    def _restore(self, check: Check, at: datetime) -> None:
        """Trust again, but less: one step that does not show is enough now."""
        still = check in (Check.FROZEN, Check.RESPONSE)
        self._doubt = _Doubt.STEP if still else _Doubt.STEP_OR_LEVEL
        self._strikes = [at]
        self._distrust = self._sound_since = self._most = None

    def _weigh(self, sight: Sight) -> None:
        """How far the building may have fallen, and whether the meter must be seen to move."""
        told = sight.told
        fell_w = self._floors.add(
            sight.at,
            self._confirmed,
            sight.power_w - told.drawn_w.high,
            *(
                None if amps is None else amps - span.high
                for amps, span in zip(sight.current_a, told.drawn_a, strict=True)
            ),
        )
        suddenly = fell_w >= self._policy.step_share * self._model.contract_limit_w
        still = self._frozen.unmoved(sight.at) >= self._policy.unmoved_paces * self._pace
        if self._doubt is None and still:
            self._doubt = _Doubt.STEP
        elif self._doubt is None and suddenly:
            self._doubt = _Doubt.STEP_OR_LEVEL
        elif self._doubt is _Doubt.STEP_OR_LEVEL and self._bears_the_level(sight):
            self._doubt = None

    def _bound(self, sight: Sight, granted: Callable[[], Granted]) -> None:
        """In doubt, one small step at a time, each as long as a contradiction takes to be found."""
        if self._doubt is None:
            self._most = None
        elif self._most is None or (
            sight.at - self._most[0] >= self._confirmed and not self._against
        ):
            before = granted() if self._most is None else _less(granted(), self._most[1])
            self._most = sight.at, _and_a_step(before, sight.told, self._rise_w, self._model)

    @property
    def _confirmed(self) -> timedelta:
        return self._policy.confirmed_paces * self._pace + self._late

    def _bears_the_level(self, sight: Sight) -> bool:
        """Whether it has shown for a while what a wrong sign or scale could not."""
        model, policy, told = self._model, self._policy, sight.told
        least_w = max(model.max_building_w / 2, policy.proof_share * model.contract_limit_w)
        building_w = sight.power_w - told.sure_w + told.made_w
        fits = told.sure_w >= least_w and building_w <= model.max_building_w + told.made_w
        if not fits or self._against:
            self._level_since = None
            return False
        self._level_since = self._level_since or sight.at
        lasted = sight.at - self._level_since >= policy.contradicted_paces * self._pace + self._late
        if lasted:
            self._level_since = None
        return lasted


def _less(granted: Granted, most: Granted) -> Granted:
    """A vehicle that has just come finds the limit of the one before it, which nobody granted."""
    one, two, three = map(min, granted.phases_a, most.phases_a)
    return Granted(power_w=min(granted.power_w, most.power_w), phases_a=(one, two, three))


def _and_a_step(granted: Granted, told: Told, rise_w: float, model: SiteModel) -> Granted:
    """What is granted or drawn already, and a step more; doubt takes nothing back."""
    rise_a = rise_w / (len(PHASES) * model.voltage_v)
    one, two, three = (
        max(amps, span.low) + rise_a
        for amps, span in zip(granted.phases_a, told.drawn_a, strict=True)
    )
    power_w = max(granted.power_w, told.drawn_w.low) + rise_w
    return Granted(power_w=power_w, phases_a=(one, two, three))


def _rise_w(model: SiteModel, policy: TrustPolicy) -> float:
    """A step that shows, and lets at least one vehicle begin."""
    least = (c.min_current_a * c.voltage_v * len(c.phases) for c in model.chargers)
    return max(policy.step_share * model.contract_limit_w, *least, 0.0)


def _amps(pcc: MeterState) -> tuple[float | None, float | None, float | None]:
    one, two, three = (_value(reading) for reading in pcc.current_a)
    return one, two, three


def _value(reading: Reading | None) -> float | None:
    return reading.value if reading is not None and reading.quality.usable else None


def _without_value(pcc: MeterState) -> MeterState:
    """The same with nothing that could be used."""

    def none(reading: Reading) -> Reading:
        return Reading.missing(reading.at, Quality.INVALID)

    one, two, three = (none(reading) for reading in pcc.current_a)
    return replace(
        pcc,
        power_w=none(pcc.power_w),
        current_a=(one, two, three),
        import_wh=none(pcc.import_wh),
        export_wh=None if pcc.export_wh is None else none(pcc.export_wh),
    )
