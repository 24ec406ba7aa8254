"""What becomes of a setpoint that nobody renews, by timers that are late, deaf or unmoved."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

import pytest

from contracts.errors import TransientError
from contracts.time import Clock
from site_agent.devices.modbus.link import RegisterLink
from site_agent.devices.sunspec.battery import SunSpecBattery
from site_agent.devices.sunspec.pv import SunSpecPv
from site_agent.domain.device import BatterySetpoint, BatterySpec, Lapse, PvSetpoint, PvSpec
from site_agent.ports import Wake
from site_agent.store.memory import MemoryKeyValues
from support.device_bench import Bench
from support.sunspec_image import address_of, common, image, model
from support.sunspec_server import ImageServer
from support.waiting import until

LEASE_S = 18
SPEC = BatterySpec(
    battery_id="b1", node="pcc", capacity_wh=400e3, max_charge_w=150e3, max_discharge_w=150e3
)
PV = PvSpec(pv_id="pv1", node="pcc", rated_w=50e3)
SET = {
    "WSet_SF": 0, "WSetEna": 0, "WSetMod": 0, "WSet": 0, "WSetRvrt": 0, "WSetPct": 0,
    "WSetPctRvrt": 0, "WSetEnaRvrt": 0, "WSetRvrtTms": 0,
}  # fmt: skip


@dataclass
class Hardware:
    """A battery whose timer ends `lateness` times what was asked, or never (None).

    `rearms` False: the timer of the first write runs on, whatever is written later.
    """

    clock: Clock
    lateness: float | None = 1.0
    rearms: bool = True
    shows_rest: bool = True

    def __post_init__(self) -> None:
        rest = {"WSetRvrtRem": 0} if self.shows_rest else {}
        self.server = ImageServer(
            image(
                common(),
                model(701, W=0, W_SF=0, St=1, InvSt=3),
                model(704, **SET, **rest),
                model(713, SoC=50, Pct_SF=0),
            ),
            on_write=self.written,
        )
        self.power_w = 0
        self.ends_s: float | None = None

    def written(self, address: int, words: list[int]) -> None:
        """The setpoint counts at once."""
        raw = words[2] << 16 | words[3]
        self.power_w = (1 << 32) - raw if raw >> 31 else -raw
        timer_s = words[9] << 16 | words[10]
        if self.ends_s is None or self.rearms:
            self.ends_s = self.clock.monotonic() + timer_s
        self.step(self.clock.monotonic())

    async def run(self) -> None:
        """Time passes: the timer counts down, and may do something at its end."""
        while True:
            await self.clock.sleep(0.1)
            self.step(self.clock.monotonic())

    def step(self, now_s: float) -> None:
        if self.ends_s is not None and self.lateness is not None:
            late_s = LEASE_S * (self.lateness - 1.0)
            if now_s >= self.ends_s + late_s:
                self.power_w, self.ends_s = 0, None
        start = address_of(self.server.registers, 704)
        if self.shows_rest:
            rest_s = max(0, round((self.ends_s or now_s) - now_s))
            self.server.put(start + 33, [rest_s >> 16, rest_s & 0xFFFF])
        power = min(32767, max(-32767, -self.power_w))
        place = address_of(self.server.registers, 701)
        self.server.put(place, model(701, W=power, W_SF=0, St=1, InvSt=3))

    @asynccontextmanager
    async def running(self) -> AsyncIterator[int]:
        async with self.server.serving() as server, asyncio.TaskGroup() as tasks:
            life = tasks.create_task(self.run())
            try:
                yield server.port
            finally:
                life.cancel()


class Memory(MemoryKeyValues):
    """Shows what was learnt."""

    learnt: str | None = None

    async def put(self, key: str, value: str) -> None:
        await super().put(key, value)
        self.learnt = value


Make = Callable[[RegisterLink, Clock, Wake], SunSpecBattery]


def battery(memory: MemoryKeyValues) -> Make:
    def make(link: RegisterLink, clock: Clock, wake: Wake) -> SunSpecBattery:
        return SunSpecBattery(link, 1, SPEC, clock=clock, wake=wake, lease_s=LEASE_S, memory=memory)

    return make


def to(power_w: float) -> BatterySetpoint:
    return BatterySetpoint(battery_id="b1", power_w=power_w, cause="test")


async def steered(device: SunSpecBattery, bench: Bench, seconds: float, power_w: float) -> None:
    """The control loop asks for the same, once a second."""
    begun_s = bench.clock.monotonic()
    while bench.clock.monotonic() < begun_s + seconds:
        with suppress(TransientError):  # the loop asks again
            await device.set_power(to(power_w))
        await bench.clock.sleep(1.0)


@pytest.mark.row("trap:S8")
async def test_every_refresh_rearms_the_timer(bench: Bench) -> None:
    hardware = Hardware(bench.clock)
    async with hardware.running() as port, bench.running(port, battery(Memory())) as one:
        await steered(one, bench, 2.5 * LEASE_S, 20_000.0)
        assert hardware.power_w == 20_000
        assert one.spec.lapse is Lapse.DEVICE
        assert one.lapse_s == pytest.approx(4 / 3 * LEASE_S)


@pytest.mark.row("trap:S8")
async def test_a_timer_that_no_refresh_rearms_is_not_relied_on(bench: Bench) -> None:
    hardware = Hardware(bench.clock, rearms=False)
    async with hardware.running() as port, bench.running(port, battery(Memory())) as one:
        await device_answers(one, bench)
        for shown in (Lapse.UNKNOWN, Lapse.DEVICE):  # not tried yet, then as the first write shows
            while one.spec.lapse is shown:
                await steered(one, bench, 1.0, 20_000.0)
        assert one.spec.lapse is Lapse.UNKNOWN
        assert one.lapse_s is None


@pytest.mark.row("trap:S9")
@pytest.mark.parametrize("lateness", [1.0, 1.32])
async def test_a_timer_a_third_late_is_a_lapse(bench: Bench, lateness: float) -> None:
    hardware = Hardware(bench.clock, lateness=lateness)
    memory = Memory()
    async with hardware.running() as port, bench.running(port, battery(memory)) as one:
        await device_answers(one, bench)
        await steered(one, bench, 8.0, 20_000.0)
        await until(lambda: hardware.power_w == 0)
        await until(lambda: memory.learnt is not None)
        assert memory.learnt == "device"
        assert one.spec.lapse is Lapse.DEVICE


@pytest.mark.row("trap:S8")
async def test_a_timer_that_does_nothing_is_found_out_and_remembered(bench: Bench) -> None:
    hardware = Hardware(bench.clock, lateness=None, shows_rest=False)
    memory = Memory()
    async with hardware.running() as port:
        async with bench.running(port, battery(memory)) as one:
            await device_answers(one, bench)
            await steered(one, bench, 8.0, 20_000.0)
            assert one.spec.lapse is Lapse.DEVICE, "so its registers say"
            await until(lambda: one.spec.lapse is Lapse.NONE)
        assert hardware.power_w == 20_000, "it stands, as long as nobody writes"
        async with bench.running(port, battery(memory)) as again:
            await device_answers(again, bench)
            assert again.spec.lapse is Lapse.NONE
            await again.set_power(to(10_000.0))
            assert again.spec.lapse is Lapse.NONE, "deeds count for more than registers"


async def test_a_limit_that_ended_by_itself_is_proof(bench: Bench) -> None:
    """The sun shines on: once the inverter makes more than the old limit, its timer works."""
    memory = Memory()

    def make(link: RegisterLink, clock: Clock, wake: Wake) -> SunSpecPv:
        return SunSpecPv(link, 1, PV, clock=clock, wake=wake, lease_s=12, memory=memory)

    controls = {"WMaxLimPct": 100, "WMaxLimPct_SF": 0, "WMaxLimPct_RvrtTms": 0, "WMaxLim_Ena": 0}
    server = ImageServer(
        image(
            common(),
            model(103, W=1000, W_SF=1, St=5),
            model(121, WMax=5000, WMax_SF=1),
            model(123, **controls),
        )
    )
    async with server.serving(), bench.running(server.port, make) as inverter:
        begun_s = bench.clock.monotonic()
        while bench.clock.monotonic() < begun_s + 6.0:
            with suppress(TransientError):
                await inverter.set_limit(PvSetpoint(pv_id="pv1", limit_w=10e3, cause="test"))
            await bench.clock.sleep(1.0)
        server.put(address_of(server.registers, 103), model(103, W=4000, W_SF=1, St=4))
        await until(lambda: memory.learnt == "device")


async def device_answers(device: SunSpecBattery, bench: Bench) -> None:
    await until(lambda: device.state(bench.clock.now()).online)
