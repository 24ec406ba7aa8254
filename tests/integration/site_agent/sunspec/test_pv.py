"""An inverter on a real socket: curtailed by either family of controls, and released."""

from __future__ import annotations

import pytest
from pymodbus.constants import ExcCodes

from contracts.errors import PermanentError
from contracts.reading import Quality
from contracts.time import Clock
from site_agent.devices.modbus.link import RegisterLink
from site_agent.devices.sunspec.pv import SunSpecPv
from site_agent.domain.device import Lapse, PvSetpoint, PvSpec
from site_agent.ports import Wake
from support.device_bench import Bench
from support.sunspec_image import address_of, common, image, model
from support.sunspec_server import ImageServer
from support.waiting import until

SPEC = PvSpec(pv_id="pv1", node="pcc", rated_w=50e3)
CONTROLS = {
    "WMaxLimPct": 1000, "WMaxLimPct_SF": -1, "WMaxLimPct_WinTms": 60,
    "WMaxLimPct_RvrtTms": 300, "WMaxLimPct_RmpTms": 7, "WMaxLim_Ena": 0,
}  # fmt: skip
CONTROLS_1547 = {
    "WMaxLimPctEna": 0, "WMaxLimPct": 100, "WMaxLimPctRvrt": 0, "WMaxLimPctEnaRvrt": 1,
    "WMaxLimPctRvrtTms": 0, "WMaxLimPct_SF": 0,
}  # fmt: skip
MAXIMUM = {"WMax": 5000, "WMax_SF": 1}
GENERATING = {"W": 4000, "W_SF": 1, "St": 4}


def old(controls: dict[str, int] = CONTROLS, maximum: dict[str, int] = MAXIMUM) -> dict[int, int]:
    return image(common(), model(103, **GENERATING), model(121, **maximum), model(123, **controls))


def new() -> dict[int, int]:
    return image(
        common(),
        model(701, W=4000, W_SF=1, St=1, InvSt=3),
        model(702, WMaxRtg=5000, W_SF=1),
        model(704, **CONTROLS_1547),
    )


def pv(link: RegisterLink, clock: Clock, wake: Wake) -> SunSpecPv:
    return SunSpecPv(link, 1, SPEC, clock=clock, wake=wake)


def patient(link: RegisterLink, clock: Clock, wake: Wake) -> SunSpecPv:
    return SunSpecPv(link, 1, SPEC, clock=clock, wake=wake, lease_s=3600, max_age_s=60.0)


def to(limit_w: float | None) -> PvSetpoint:
    return PvSetpoint(pv_id="pv1", limit_w=limit_w, cause="test")


@pytest.mark.row("trap:S2")
@pytest.mark.parametrize("registers", [old(), new()], ids=["123", "704"])
async def test_generation_is_negative(bench: Bench, registers: dict[int, int]) -> None:
    server = ImageServer(registers)
    async with server.serving(), bench.running(server.port, pv) as device:
        await until(lambda: device.state(bench.clock.now()).online)
        assert device.state(bench.clock.now()).power_w.value == -40_000.0


@pytest.mark.parametrize(
    ("limit_w", "block"),
    [
        pytest.param(25_000.0, [500, 0, 30, 7, 1], id="half"),
        pytest.param(16_666.6, [333, 0, 30, 7, 1], id="cut to its resolution"),
        pytest.param(90_000.0, [1000, 0, 30, 7, 1], id="more than it has"),
        pytest.param(0.0, [0, 0, 30, 7, 1], id="nothing"),
        pytest.param(None, [1000, 0, 30, 7, 0], id="released"),
    ],
)
async def test_a_limit_by_123(bench: Bench, limit_w: float | None, block: list[int]) -> None:
    server = ImageServer(old())
    async with server.serving(), bench.running(server.port, pv) as device:
        await device.set_limit(to(limit_w))
        assert server.writes == [(address_of(server.registers, 123) + 5, block)]
        await device.set_limit(to(limit_w))
        assert len(server.writes) == 1
        assert device.spec.lapse is (Lapse.UNKNOWN if limit_w is None else Lapse.DEVICE)


@pytest.mark.parametrize(
    ("limit_w", "block"),
    [
        pytest.param(25_000.0, [1, 50, 100, 0, 0, 30], id="half"),
        pytest.param(None, [0, 100, 100, 0, 0, 30], id="released"),
    ],
)
async def test_a_limit_by_704(bench: Bench, limit_w: float | None, block: list[int]) -> None:
    server = ImageServer(new())
    async with server.serving(), bench.running(server.port, pv) as device:
        await device.set_limit(to(limit_w))
        assert server.writes == [(address_of(server.registers, 704) + 14, block)]


async def test_an_inverter_that_refuses_registers_in_between_is_told_the_end_first(
    bench: Bench,
) -> None:
    words = image(
        common(),
        model(701, W=4000, W_SF=1, St=1, InvSt=3),
        model(702, WMaxRtg=5000, W_SF=1),
        model(704, **{k: v for k, v in CONTROLS_1547.items() if k != "WMaxLimPctRvrt"}),
    )
    at = address_of(words, 704) + 14

    def strict(address: int, values: list[int]) -> ExcCodes | None:
        return ExcCodes.ILLEGAL_ADDRESS if at + 2 in range(address, address + len(values)) else None

    server = ImageServer(words, on_write=strict)
    async with server.serving(), bench.running(server.port, pv) as device:
        await device.set_limit(to(25_000.0))
        assert server.writes == [(at + 3, [0, 0, 30]), (at, [1, 50])]


@pytest.mark.row("trap:S1")
@pytest.mark.parametrize(
    "registers",
    [
        pytest.param(
            old({k: v for k, v in CONTROLS.items() if k != "WMaxLimPct_SF"}), id="no scale factor"
        ),
        pytest.param(old(maximum={"WMax": 5000}), id="a maximum without scale factor"),
        pytest.param(image(common(), model(103, **GENERATING), model(123, **CONTROLS)), id="none"),
        pytest.param(image(common(), model(103, **GENERATING)), id="no controls"),
    ],
)
async def test_limits_fail_closed(bench: Bench, registers: dict[int, int]) -> None:
    server = ImageServer(registers)
    async with server.serving(), bench.running(server.port, pv) as device:
        with pytest.raises(PermanentError):
            await device.set_limit(to(10_000.0))
        assert server.writes == []


async def test_the_older_model_serves_where_704_is_not_whole(bench: Bench) -> None:
    words = image(
        common(),
        model(704, WMaxLimPctEna=0, WMaxLimPct=100),  # no scale factor
        model(103, **GENERATING),
        model(121, **MAXIMUM),
        model(123, **CONTROLS),
    )
    server = ImageServer(words)
    async with server.serving(), bench.running(server.port, pv) as device:
        await device.set_limit(to(25_000.0))
        assert server.writes == [(address_of(words, 123) + 5, [500, 0, 30, 7, 1])]


async def test_no_timer_no_lapse(bench: Bench) -> None:
    server = ImageServer(old({k: v for k, v in CONTROLS.items() if "Tms" not in k}))
    async with server.serving(), bench.running(server.port, pv) as device:
        await device.set_limit(to(25_000.0))
        assert device.spec.lapse is Lapse.NONE
        assert server.writes[0][1] == [500, 0xFFFF, 0xFFFF, 0xFFFF, 1]


@pytest.mark.row("trap:S5")
async def test_at_night_zeros_are_true_and_leftovers_are_not(bench: Bench) -> None:
    """As a KACO blueplanet asleep (zeros), and one that shows its last power for ever."""
    server = ImageServer(old())
    async with server.serving(), bench.running(server.port, pv) as device:
        await until(lambda: device.state(bench.clock.now()).online)
        place = address_of(server.registers, 103)
        server.put(place, model(103, W=0, W_SF=1, St=2))
        await until(lambda: device.state(bench.clock.now()).power_w.value == 0.0)
        server.put(place, model(103, W=4000, W_SF=1, St=2))
        await until(lambda: device.state(bench.clock.now()).power_w.quality is Quality.INVALID)


@pytest.mark.row("trap:S7")
async def test_registers_that_show_a_limit_which_is_none(bench: Bench) -> None:
    """As an SMA that produces while WMaxLim_Ena is 1 at 0 %: only measured power counts."""
    shown = CONTROLS | {"WMaxLim_Ena": 1, "WMaxLimPct": 0, "WMaxLimPct_RvrtTms": 30}
    server = ImageServer(old(shown))
    async with server.serving(), bench.running(server.port, pv) as device:
        await until(lambda: device.state(bench.clock.now()).power_w.value == -40_000.0)
        await device.set_limit(to(0.0))
        assert server.writes, "what the registers show already is written all the same"
        while device.obeys:
            await device.set_limit(to(0.0))
            await bench.clock.sleep(1.0)
        assert device.state(bench.clock.now()).power_w.value == -40_000.0


@pytest.mark.row("trap:S5")
async def test_a_sleeping_inverter_is_told_its_limit_when_it_wakes(bench: Bench) -> None:
    server = ImageServer(old(), on_write=lambda address, words: ExcCodes.ILLEGAL_ADDRESS)
    place = address_of(server.registers, 103)
    asleep, awake = model(103, W=0, W_SF=1, St=2), model(103, W=2, W_SF=1, St=3)
    server.put(place, asleep)
    async with server.serving(), bench.running(server.port, patient) as device:
        await until(lambda: device.state(bench.clock.now()).power_w.value == 0.0)
        await device.set_limit(to(10_000.0))
        assert not any(frame[7] == 0x10 for frame in server.received)
        server.on_write = None
        for writes in (1, 2):
            server.put(place, awake)
            await until(lambda: device.state(bench.clock.now()).power_w.value == -20.0)
            await device.set_limit(to(10_000.0))
            assert len(server.writes) == writes, "it may have forgotten"
            server.put(place, asleep)
            await until(lambda: device.state(bench.clock.now()).power_w.value == 0.0)
            await device.set_limit(to(10_000.0))
            assert len(server.writes) == writes


@pytest.mark.row("trap:S7")
async def test_an_inverter_above_its_limit_is_noticed(bench: Bench) -> None:
    server = ImageServer(old())
    async with server.serving(), bench.running(server.port, pv) as device:
        while device.obeys:
            await device.set_limit(to(10_000.0))
            await bench.clock.sleep(1.0)
        assert not device.state(bench.clock.now()).obeys
        place = address_of(server.registers, 103)
        server.put(place, model(103, W=1200, W_SF=1, St=5))
        await until(lambda: device.state(bench.clock.now()).obeys)


async def test_generating_less_than_the_limit_is_no_offence(bench: Bench) -> None:
    server = ImageServer(old())
    async with server.serving(), bench.running(server.port, pv) as device:
        begun_s = bench.clock.monotonic()
        while bench.clock.monotonic() < begun_s + 16.0:
            await device.set_limit(to(45_000.0))
            await bench.clock.sleep(1.0)
        assert device.obeys
