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
from datetime import datetime, timedelta

from contracts.reading import Quality, Reading
from site_agent.domain.device import PHASES, MeterState
from site_agent.domain.policy import TrustPolicy
from site_agent.domain.site import SiteModel
from site_agent.domain.trust.belief import Belief, Check, Distrust, Granted
from site_agent.domain.trust.doubt import Doubt, Missing
from site_agent.domain.trust.floors import Floors
from site_agent.domain.trust.lateness import Lateness
from site_agent.domain.trust.plausibility import refusal
from site_agent.domain.trust.register import Energy, RegisterCheck
from site_agent.domain.trust.told import Told
from site_agent.domain.trust.witness import Frozen, Sight, Step, Steps, contradiction

_FORGOTTEN = timedelta(seconds=30)
"""After so long a silence another meter may have come."""


@dataclass(frozen=True, slots=True)
class _Finding:
    """What speaks against the meter; `lasting`: how long it must to be sure."""

    check: Check
    words: str
    lasting: timedelta = timedelta(0)
    since: datetime | None = None
    """When it began, if it is only noticed now."""


class MeterTrust:
    """Remembers what the meter has shown, and judges it with every new reading."""

    def __init__(self, model: SiteModel, policy: TrustPolicy) -> None:
        self._model, self._policy = model, policy
        self._pace = max(policy.pace, model.meter_max_age)
        contract_w = model.contract_limit_w
        self._register = RegisterCheck(contract_w, self._pace, policy)
        self._frozen = Frozen(contract_w, self._pace, policy)
        self._steps = Steps(contract_w, self._pace, policy)
        self._floors = Floors()
        self._lateness = Lateness()
        self._doubt = Doubt(model, self._pace, policy)
        self._read_at: datetime | None = None
        self._good: MeterState | None = None
        self._told_phases: frozenset[int] = frozenset()
        self._strikes: list[datetime] = []
        self._against: dict[Check, datetime] = {}
        self._distrust: Distrust | None = None
        self._sound_since: datetime | None = None

    @property
    def young(self) -> timedelta:
        """How old a word of a device may be to count."""
        return min(self._model.device_max_age, self._policy.told_max_age + self._lateness.late)

    def judge(
        self, pcc: MeterState, told: Callable[[], Told], granted: Callable[[], Granted]
    ) -> tuple[MeterState, Belief]:
        """The reading as it may be used, and how far it is believed.

        One that cannot be true gives way to the last that could, which ages on. `told`, `granted`:
        what devices tell, and may draw now; asked when the reading is a new one.
        """
        refused = False
        if pcc.power_w.quality.usable and pcc.power_w.value is not None:
            if pcc.power_w.at != self._read_at:
                self._take(pcc, pcc.power_w.value, told(), granted)
            refused = self._good is None or self._good.power_w.at != pcc.power_w.at
        if self._distrust is not None:
            return _without_value(pcc), Belief(distrust=self._distrust)
        shown = pcc if not refused else self._good or _without_value(pcc)
        return shown, self._floors.belief(self._doubt.most)

    # --- one new reading --------------------------------------------------------------------------

    def _take(
        self, pcc: MeterState, power_w: float, told: Told, granted: Callable[[], Granted]
    ) -> None:
        at = pcc.power_w.at
        if self._read_at is not None and at - self._read_at > _FORGOTTEN:
            self._doubt.begin(Missing.STEP_OR_LEVEL)
            self._floors.clear()
        self._read_at = at
        late = self._lateness.see(told, at)
        refused = refusal(pcc, self._model, self._told_phases, self._policy)
        if refused is not None:
            check, words = refused
            self._conclude(at, [_Finding(check, words, self._policy.rejected_paces * self._pace)])
            return
        self._good = pcc
        sight = Sight(at=at, power_w=power_w, current_a=_amps(pcc), told=told, late=late)
        self._told_phases |= {p for p in PHASES if sight.current_a[p - 1] is not None}
        self._conclude(at, list(self._findings(sight, pcc)))
        self._weigh(sight, granted)

    def _findings(self, sight: Sight, pcc: MeterState) -> Iterator[_Finding]:
        words = contradiction(sight, self._model, self._policy)
        if words is not None:
            lasting = self._policy.contradicted_paces * self._pace + sight.late
            yield _Finding(Check.DEVICES, words, lasting)
        if self._frozen.see(sight):
            words = f"shows {sight.power_w:.0f} W whatever devices do"
            yield _Finding(Check.FROZEN, words, since=self._frozen.since)
        self._note_step(self._steps.see(sight), sight.at)
        if len(self._strikes) >= self._policy.strikes:
            first = self._strikes.pop(0)  # one more will do
            words = f"shows {self._steps.ratio:.1f} times what devices change"
            yield _Finding(Check.RESPONSE, words, since=first)
        self._compare_energy(sight, pcc)
        if not self._register.agrees:
            words = f"shows {sight.power_w:.0f} W, but its energy register says otherwise"
            yield _Finding(Check.ENERGY, words, since=self._register.since)

    def _note_step(self, step: Step | None, at: datetime) -> None:
        if step is Step.SHOWN:
            self._strikes.clear()
            self._doubt.end()
        elif step is Step.NOT_SHOWN:
            self._strikes.append(at)
            self._doubt.begin(Missing.STEP)

    def _compare_energy(self, sight: Sight, pcc: MeterState) -> None:
        """A register that reads 0 is one that the meter has not got."""
        import_wh, export_wh = _value(pcc.import_wh), _value(pcc.export_wh)
        if import_wh:
            self._register.see(
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
        missing = Missing.STEP if still else Missing.STEP_OR_LEVEL
        self._doubt = Doubt(self._model, self._pace, self._policy, missing)
        self._strikes = [at]
        self._distrust = self._sound_since = None

    def _weigh(self, sight: Sight, granted: Callable[[], Granted]) -> None:
        """How far the building may have fallen, and whether the meter must be seen to move."""
        confirmed = self._policy.confirmed_paces * self._pace + sight.late
        told = sight.told
        fell_w = self._floors.add(
            sight.at,
            confirmed,
            sight.power_w - told.drawn_w.high,
            *(
                None if amps is None else amps - span.high
                for amps, span in zip(sight.current_a, told.drawn_a, strict=True)
            ),
        )
        fell = fell_w >= self._policy.step_share * self._model.contract_limit_w
        still = self._frozen.unmoved(sight.at) >= self._policy.unmoved_paces * self._pace
        sound = not self._against
        self._doubt.weigh(sight, still=still, fell=fell, sound=sound)
        self._doubt.bound(sight, confirmed, granted, sound=sound)


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
