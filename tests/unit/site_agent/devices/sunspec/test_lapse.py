"""A lapse counts as far as the device has shown it, and deeds count for more than registers."""

from __future__ import annotations

import pytest

from site_agent.devices.sunspec.battery import SunSpecBattery
from site_agent.devices.sunspec.lapse import LATE, LapseBook, Timer, proven_lapse
from site_agent.devices.sunspec.pv import SunSpecPv
from site_agent.domain.device import BatterySetpoint, BatterySpec, Lapse, PvSetpoint, PvSpec
from site_agent.store.memory import MemoryKeyValues
from support.image_link import ImageLink
from support.manual_clock import ManualClock
from support.sunspec_image import address_of, common, image, model

LEASE_S = 30.0


@pytest.mark.row("trap:S8")
@pytest.mark.row("trap:S9")
@pytest.mark.parametrize(
    ("configured", "timer_s", "remaining_s", "expected"),
    [
        pytest.param(Lapse.UNKNOWN, 30, None, Lapse.DEVICE, id="kept"),
        pytest.param(Lapse.UNKNOWN, 30, 30, Lapse.DEVICE, id="kept and armed"),
        pytest.param(Lapse.UNKNOWN, 29, 29, Lapse.DEVICE, id="counts down in place"),
        pytest.param(Lapse.UNKNOWN, 40, None, Lapse.DEVICE, id="within the slack"),
        pytest.param(Lapse.UNKNOWN, 300, None, Lapse.UNKNOWN, id="keeps its own 300 s"),
        pytest.param(Lapse.UNKNOWN, 30, 12, Lapse.UNKNOWN, id="not re-armed by writing"),
        pytest.param(Lapse.DEVICE, 0, None, Lapse.NONE, id="a timer of 0 never ends"),
        pytest.param(Lapse.DEVICE, None, None, Lapse.NONE, id="no timer"),
        pytest.param(Lapse.NONE, 30, 30, Lapse.NONE, id="the operator knows better"),
    ],
)
def test_lapse(
    configured: Lapse, timer_s: float | None, remaining_s: float | None, expected: Lapse
) -> None:
    timer = Timer(total_s=timer_s, remaining_s=remaining_s)
    assert proven_lapse(configured, LEASE_S, timer) is expected
    unproven = Lapse.UNKNOWN if expected is Lapse.DEVICE else expected
    ignored_by_some = Timer(total_s=timer_s, remaining_s=remaining_s, claimed=False)
    assert proven_lapse(configured, LEASE_S, ignored_by_some) is unproven


class Story:
    """A device that is told a setpoint, and measured once a second."""

    def __init__(self, memory: MemoryKeyValues, configured: Lapse = Lapse.UNKNOWN) -> None:
        self.clock = ManualClock()
        self.book = LapseBook("b1", configured, lease_s=LEASE_S, clock=self.clock, memory=memory)

    async def passes(self, seconds: int, *, follows: bool, telling: bool = True) -> None:
        for _ in range(seconds):
            self.clock.pass_s(1.0)
            await self.book.observe(follows=follows, telling=telling)

    async def told_and_left(self, *, after: bool, telling: bool = True) -> Lapse:
        """It follows while the setpoint is in force, and `after` that; what is known then."""
        self.book.claims(Timer(total_s=LEASE_S, claimed=False))
        self.book.told(1000.0)
        await self.passes(20, follows=True, telling=telling)
        await self.passes(60, follows=after, telling=telling)
        return self.book.lapse


@pytest.fixture
def memory() -> MemoryKeyValues:
    return MemoryKeyValues()


@pytest.mark.parametrize(
    ("after", "telling", "proven"),
    [
        pytest.param(False, True, Lapse.DEVICE, id="it let go"),
        pytest.param(True, True, Lapse.NONE, id="it holds on"),
        pytest.param(False, False, Lapse.UNKNOWN, id="it may just be full"),
        pytest.param(True, False, Lapse.UNKNOWN, id="PV has no sun to make more"),
    ],
)
async def test_deeds_are_proof_and_are_remembered(
    memory: MemoryKeyValues, after: bool, telling: bool, proven: Lapse
) -> None:
    assert await Story(memory).told_and_left(after=after, telling=telling) is proven
    reborn = Story(memory)
    await reborn.book.load()
    reborn.book.claims(Timer(total_s=LEASE_S, claimed=False))
    assert reborn.book.lapse is proven


@pytest.mark.row("trap:S9")
async def test_a_timer_a_third_late_is_waited_for(memory: MemoryKeyValues) -> None:
    story = Story(memory)
    story.book.claims(Timer(total_s=LEASE_S))
    assert story.book.within_s == pytest.approx(40.0)
    story.book.told(1000.0)
    await story.passes(int(LEASE_S * LATE), follows=True)
    await story.passes(20, follows=False)
    assert story.book.lapse is Lapse.DEVICE


async def test_a_device_that_never_followed_proves_nothing(memory: MemoryKeyValues) -> None:
    story = Story(memory)
    story.book.claims(Timer(total_s=LEASE_S, claimed=False))
    story.book.told(1000.0)
    await story.passes(60, follows=False)
    assert story.book.lapse is Lapse.UNKNOWN
    assert story.book.within_s is None


async def test_a_refreshed_setpoint_is_not_judged(memory: MemoryKeyValues) -> None:
    story = Story(memory)
    story.book.claims(Timer(total_s=LEASE_S))
    for _ in range(10):
        story.book.told(1000.0)
        await story.passes(10, follows=True)
    story.book.told(None)
    await story.passes(100, follows=True)
    assert story.book.lapse is Lapse.DEVICE


@pytest.mark.parametrize(
    ("configured", "timer"),
    [
        pytest.param(Lapse.NONE, Timer(total_s=LEASE_S), id="the operator says so"),
        pytest.param(Lapse.DEVICE, Timer(total_s=None), id="it has no timer"),
    ],
)
async def test_what_outranks_a_proof(
    memory: MemoryKeyValues, configured: Lapse, timer: Timer
) -> None:
    await Story(memory).told_and_left(after=False)
    story = Story(memory, configured)
    await story.book.load()
    story.book.claims(timer)
    assert story.book.lapse is Lapse.NONE


async def test_a_proof_may_be_refuted(memory: MemoryKeyValues) -> None:
    await Story(memory).told_and_left(after=True)
    assert await Story(memory).told_and_left(after=False) is Lapse.DEVICE


async def test_words_in_memory_that_nobody_wrote_are_ignored(memory: MemoryKeyValues) -> None:
    await memory.put("sunspec-lapse/b1", "perhaps")
    story = Story(memory)
    await story.book.load()
    assert story.book.lapse is Lapse.UNKNOWN


BATTERY = BatterySpec(
    battery_id="b1", node="pcc", capacity_wh=20e3, max_charge_w=10e3, max_discharge_w=10e3
)
PV = PvSpec(pv_id="b1", node="pcc", rated_w=10e3)
TOLD = {"WSet": 0, "WSet_SF": 0, "WSetEna": 0, "WSetRvrtTms": 0}
LIMITED = {
    "WMaxLimPct": 100, "WMaxLimPct_SF": 0, "WMaxLimPctEna": 0, "WMaxLimPctEnaRvrt": 0,
    "WMaxLimPctRvrtTms": 0,
}  # fmt: skip


class Hardware:
    """A battery of 10 kW, or PV of as much, in a register image."""

    def __init__(self, memory: MemoryKeyValues) -> None:
        self.clock = ManualClock()
        self.link = ImageLink(
            image(
                common(),
                model(701, W=0, W_SF=0, St=1, InvSt=3),
                model(702, WMaxRtg=10_000, W_SF=0),
                model(704, **TOLD, **LIMITED),
                model(713, SoC=50, Pct_SF=0),
                model(715, LocRemCtl=0),
            )
        )
        of = {"clock": self.clock, "wake": lambda: None, "lease_s": 30, "memory": memory}
        self.battery = SunSpecBattery(self.link, 1, BATTERY, **of)  # type: ignore[arg-type]
        self.pv = SunSpecPv(self.link, 1, PV, **of)  # type: ignore[arg-type]

    def shows(self, model_id: int, **raw: int) -> None:
        at = address_of(self.link.registers, model_id)
        self.link.registers.update(enumerate(model(model_id, **raw), at))

    async def passes(self, device: SunSpecBattery | SunSpecPv, seconds: int) -> None:
        for _ in range(seconds):
            self.clock.pass_s(1.0)
            await device._poll()


FULL, LOCAL = (713, {"SoC": 100, "Pct_SF": 0}), (715, {"LocRemCtl": 1})
FAULT = (701, {"W": 0, "W_SF": 0, "St": 1, "InvSt": 6})
FREE = (701, {"W": 9_000, "W_SF": 0, "St": 1, "InvSt": 3})


@pytest.mark.parametrize(
    ("others", "learnt"),
    [
        pytest.param([], "device", id="by itself"),
        pytest.param([FULL], None, id="for it is full"),
        pytest.param([LOCAL], None, id="for somebody there has taken command"),
        pytest.param([FAULT], None, id="for it is in fault"),
    ],
)
async def test_why_a_battery_has_stopped(
    memory: MemoryKeyValues, others: list[tuple[int, dict[str, int]]], learnt: str | None
) -> None:
    hardware = Hardware(memory)
    battery = hardware.battery
    await hardware.passes(battery, 1)
    await battery.set_power(BatterySetpoint(battery_id="b1", power_w=5_000.0, cause="test"))
    hardware.shows(701, W=-5_000, W_SF=0, St=1, InvSt=3)
    await hardware.passes(battery, 5)
    hardware.shows(701, W=0, W_SF=0, St=1, InvSt=3)
    for model_id, raw in others:
        hardware.shows(model_id, **raw)
    await hardware.passes(battery, 60)
    assert await memory.get("sunspec-lapse/b1") == learnt


@pytest.mark.parametrize(
    ("others", "learnt"),
    [
        pytest.param([FREE], "device", id="by itself"),
        pytest.param([], None, id="not at all"),
        pytest.param([FREE, LOCAL], None, id="for somebody there has taken command"),
    ],
)
async def test_why_pv_makes_more_again(
    memory: MemoryKeyValues, others: list[tuple[int, dict[str, int]]], learnt: str | None
) -> None:
    hardware = Hardware(memory)
    hardware.shows(701, W=4_000, W_SF=0, St=1, InvSt=4)
    await hardware.passes(hardware.pv, 1)
    await hardware.pv.set_limit(PvSetpoint(pv_id="b1", limit_w=4_000.0, cause="test"))
    await hardware.passes(hardware.pv, 5)
    for model_id, raw in others:
        hardware.shows(model_id, **raw)
    await hardware.passes(hardware.pv, 60)
    assert await memory.get("sunspec-lapse/b1") == learnt
