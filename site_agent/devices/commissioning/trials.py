"""What only a setpoint can show: that it is obeyed, kept alive, and ends by itself.

A trial moves a device a little, keeps it there for longer than its own timer, then falls silent
and waits for the timer to end the setpoint. Whatever happens, the setpoint is released at the end.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing

from contracts.errors import GridyardError
from contracts.time import Clock
from site_agent.devices.commissioning.verdict import Judge, Line
from site_agent.devices.commissioning.yard import Candidate
from site_agent.devices.leased import PATIENCE_S
from site_agent.domain.device import BatterySetpoint, BatterySpec, Lapse, PvSetpoint, PvSpec
from site_agent.ports import Battery, PvInverter

CAUSE = "commissioning"
TOLERANCE = 0.03
"""Of the rated power: closer than this is the same."""
STEP = 0.125
"""Of the rated power: how far a battery is moved; enough for its adapter to learn from."""
_SHARE = 0.5
"""Of its generation: what an inverter is cut to."""
_LIGHT = 0.15
"""Of its rating: with less generation a limit cannot be seen to work."""
FOLLOW_S = 30.0
"""How long a device may take to follow."""
_ASK_S = 1.0
_OVER = 1.4
"""So many times its own timer a setpoint is kept alive, and may take to lapse (a timer may be a
third late)."""
_SURE_S = 5.0
"""On top, for ramps and polls."""
_FULL_PCT, _EMPTY_PCT = 90.0, 20.0
_WITNESS = 0.5
"""Of the step: so much of it must be seen at the meter."""

Power = Callable[[], float | None]


class Trial(ABC):
    """One device and a setpoint for it."""

    lease_s: float
    tolerance_w: float
    opposite_hint: str

    def __init__(self, candidate: Candidate, clock: Clock, room_w: Power) -> None:
        """`room_w`: how much more the site may import now; None while nobody knows."""
        self._candidate = candidate
        self._clock = clock
        self._room_w = room_w

    @abstractmethod
    def plan(self) -> str | None:
        """Choose the setpoint by what is measured now; why not, when it cannot be tried."""

    @property
    @abstractmethod
    def words(self) -> str:
        """The setpoint, for people."""

    @property
    @abstractmethod
    def lapse(self) -> Lapse:
        """What the device has shown of its timer."""

    @abstractmethod
    async def ask(self) -> None:
        """Ask for the setpoint, or keep it alive."""

    @abstractmethod
    async def release(self) -> None:
        """Take it back."""

    @abstractmethod
    def follows(self, power_w: float) -> bool:
        """Whether this is what was asked for."""

    @abstractmethod
    def opposes(self, power_w: float) -> bool:
        """Whether it went the other way."""

    def power_w(self) -> float | None:
        """What is measured now; None when that is not of the present."""
        reading = self._candidate.readings(self._clock.now())["active_power"]
        return reading.value if reading.quality.usable else None


class BatteryTrial(Trial):
    """Charges a little, or discharges where the battery is full or the site has no room."""

    opposite_hint = (
        "the setpoint's sign is turned round: set `invert_setpoint` (SunSpec), or correct `invert` "
        "in its profile"
    )

    def __init__(self, candidate: Candidate, device: Battery, clock: Clock, room_w: Power) -> None:
        super().__init__(candidate, clock, room_w)
        self._device = device
        self._wanted_w = 0.0
        self.lease_s = candidate.lease_s
        self.tolerance_w = TOLERANCE * self._rated_w

    def plan(self) -> str | None:
        """As its parent."""
        said = self._candidate.readings(self._clock.now())
        power, soc = self.power_w(), said["soc"]
        if power is None or not soc.quality.usable:
            return "its power and state of charge must be known"
        step_w = round(min(STEP * self._rated_w, self._spec.max_charge_w))
        soc_pct, room_w = soc.value or 0.0, self._room_w()
        fits = room_w is not None and step_w - power < room_w
        if soc_pct > _FULL_PCT or not fits:
            if soc_pct < _EMPTY_PCT:
                return f"the meter shows no room to charge, and it holds {soc_pct:.0f} % only"
            step_w = -round(min(STEP * self._rated_w, self._spec.max_discharge_w))
        self._wanted_w = float(step_w)
        if self.follows(power):  # it does so already, for somebody else: ask for half
            self._wanted_w = round(self._wanted_w / 2)
        return None if abs(self._wanted_w) > 2 * self.tolerance_w else "it allows no power now"

    @property
    def words(self) -> str:
        """As its parent."""
        return f"{abs(self._wanted_w):g} W {'charging' if self._wanted_w > 0 else 'discharging'}"

    @property
    def lapse(self) -> Lapse:
        """As its parent."""
        return self._spec.lapse

    async def ask(self) -> None:
        """As its parent."""
        await self._set(self._wanted_w)

    async def release(self) -> None:
        """At rest; the timer ends that too."""
        await self._set(0.0)

    def follows(self, power_w: float) -> bool:
        """As its parent."""
        return abs(power_w - self._wanted_w) <= self.tolerance_w

    def opposes(self, power_w: float) -> bool:
        """As its parent."""
        return abs(power_w + self._wanted_w) <= self.tolerance_w

    async def _set(self, power_w: float) -> None:
        await self._device.set_power(
            BatterySetpoint(battery_id=self._spec.battery_id, power_w=power_w, cause=CAUSE)
        )

    @property
    def _spec(self) -> BatterySpec:
        return self._device.spec

    @property
    def _rated_w(self) -> float:
        return max(self._spec.max_charge_w, self._spec.max_discharge_w)


class PvTrial(Trial):
    """Limits an inverter to half of what it makes."""

    opposite_hint = "see `sign`"

    def __init__(
        self, candidate: Candidate, device: PvInverter, clock: Clock, room_w: Power
    ) -> None:
        super().__init__(candidate, clock, room_w)
        self._device = device
        self._limit_w = 0.0
        self.lease_s = candidate.lease_s
        self.tolerance_w = TOLERANCE * self._spec.rated_w

    def plan(self) -> str | None:
        """As its parent."""
        power = self.power_w()
        if power is None or -power < _LIGHT * self._spec.rated_w:
            return f"it makes less than {_LIGHT:.0%} of its rating: try again in more light"
        self._limit_w = float(round(-power * _SHARE))
        room_w = self._room_w()
        if room_w is None or -power - self._limit_w > room_w:
            return "the meter shows no room for what it would stop making"
        return None

    @property
    def words(self) -> str:
        """As its parent."""
        return f"at most {self._limit_w:g} W"

    @property
    def lapse(self) -> Lapse:
        """As its parent."""
        return self._spec.lapse

    async def ask(self) -> None:
        """As its parent."""
        await self._set(self._limit_w)

    async def release(self) -> None:
        """No limit."""
        await self._set(None)

    def follows(self, power_w: float) -> bool:
        """As its parent."""
        return -power_w <= self._limit_w + self.tolerance_w

    def opposes(self, power_w: float) -> bool:
        """A limit has no other way."""
        return False

    async def _set(self, limit_w: float | None) -> None:
        await self._device.set_limit(
            PvSetpoint(pv_id=self._spec.pv_id, limit_w=limit_w, cause=CAUSE)
        )

    @property
    def _spec(self) -> PvSpec:
        return self._device.spec


async def run(
    judge: Judge, trial: Trial, clock: Clock, meter_w: Power
) -> AsyncGenerator[Line, None]:
    """Every step of a trial; the setpoint is released at its end, and when it is broken off."""
    impossible = trial.plan()
    if impossible is not None:
        yield judge.warn("setpoint", f"not tried: {impossible}", "run `--write` again then")
        return
    try:
        async with aclosing(_steps(judge, trial, clock, meter_w)) as steps:
            async for line in steps:
                yield line
    except GridyardError as error:
        yield judge.fail(
            "setpoint", str(error), "is it in local control, or has it another writer?"
        )
    finally:
        released = await _released(judge, trial)
    yield released


async def _released(judge: Judge, trial: Trial) -> Line:
    try:
        await trial.release()
    except GridyardError as error:
        stays = trial.lapse is Lapse.NONE
        left = "nothing else ends it" if stays else f"its timer does, after {trial.lease_s:g} s"
        return judge.fail(
            "released", f"the setpoint could not be taken back ({error}): {left}", "look at it"
        )
    return judge.ok("released", "the setpoint is taken back")


async def _steps(
    judge: Judge, trial: Trial, clock: Clock, meter_w: Power
) -> AsyncGenerator[Line, None]:
    before_w, site_before_w = trial.power_w(), meter_w()
    await trial.ask()
    yield judge.ok("setpoint", f"{trial.words}: written, and read back as written")
    took_s = await _until(trial, clock, trial.follows, FOLLOW_S, ask=True)
    measured_w = trial.power_w()
    if took_s is None:
        yield _disobeyed(judge, trial, measured_w)
        return
    yield judge.ok("response", f"{measured_w:g} W measured after {took_s:.0f} s")
    if before_w is not None and measured_w is not None:
        yield _witness(judge, measured_w - before_w, site_before_w, meter_w())
    if trial.lapse is Lapse.NONE:
        yield _never_lapses(judge)
        return
    lost_s = await _until(
        trial, clock, lambda w: not trial.follows(w), _OVER * trial.lease_s, ask=True
    )
    if lost_s is not None:
        yield judge.fail(
            "re-arm",
            f"it left the setpoint after {lost_s:.0f} s although it was told again and again",
            "a new write does not re-arm its timer: raise `lease_s`, or set `lapse: none`",
        )
        return
    yield judge.ok("re-arm", f"held for longer than its timer of {trial.lease_s:g} s")
    yield await _lapse(judge, trial, clock)


def _disobeyed(judge: Judge, trial: Trial, measured_w: float | None) -> Line:
    if measured_w is not None and trial.opposes(measured_w):
        return judge.fail("response", f"{measured_w:g} W: the other way", trial.opposite_hint)
    said = "nothing usable" if measured_w is None else f"{measured_w:g} W"
    return judge.fail(
        "response",
        f"accepted, but {said} was measured after {FOLLOW_S:.0f} s",
        "is it enabled for remote control (its own menu, LocRemCtl), in operation, and does no "
        "other system write to it?",
    )


def _witness(
    judge: Judge, step_w: float, site_before_w: float | None, site_w: float | None
) -> Line:
    """The meter at the connection point must see the step, and the same way."""
    if site_w is None or site_before_w is None or not step_w:
        return judge.warn(
            "meter sees it", "the meter says nothing now", "see the meter's own lines"
        )
    share = (site_w - site_before_w) / step_w
    told = f"{step_w:+g} W here, {site_w - site_before_w:+g} W at the meter"
    if share >= _WITNESS:
        return judge.ok("meter sees it", told)
    if share <= -_WITNESS:
        return judge.fail(
            "meter sees it", told, "one of them counts the other way: see `sign` of both"
        )
    return judge.warn(
        "meter sees it",
        told,
        "other loads may have moved at the same time; if it stays like this, the device is not "
        "behind this meter",
    )


def _never_lapses(judge: Judge) -> Line:
    return judge.warn(
        "lapse",
        "its setpoint never ends by itself: if this machine dies, the last one stands",
        "the site's promise is derated for it; keep `lapse: none` in its settings",
    )


async def _lapse(judge: Judge, trial: Trial, clock: Clock) -> Line:
    """Silence until the device's own book may close too: it proves the lapse for the agent."""
    begun_s = clock.monotonic()
    within_s = _OVER * trial.lease_s + PATIENCE_S + _SURE_S
    ended_s = await _until(trial, clock, lambda w: not trial.follows(w), within_s, ask=False)
    await clock.sleep(max(0.0, begun_s + within_s - clock.monotonic()))
    if ended_s is None:
        return judge.fail(
            "lapse",
            f"nobody told it again for {within_s:.0f} s, and it still keeps the setpoint",
            "set `lapse: none`: the site must not rely on it when the agent dies",
        )
    return judge.ok("lapse", f"told nothing, it left the setpoint by itself after {ended_s:.0f} s")


async def _until(
    trial: Trial, clock: Clock, wanted: Callable[[float], bool], within_s: float, *, ask: bool
) -> float | None:
    """Seconds until measured power is as wanted, twice in a row; None when it is not in time."""
    begun_s = clock.monotonic()
    seen = 0
    while clock.monotonic() - begun_s < within_s:
        await clock.sleep(_ASK_S)
        if ask:
            await trial.ask()
        power_w = trial.power_w()
        seen = seen + 1 if power_w is not None and wanted(power_w) else 0
        if seen >= 2:  # noqa: PLR2004 - once may be chance
            return clock.monotonic() - begun_s
    return None
