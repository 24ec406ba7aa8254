import asyncio
from collections.abc import Callable
from datetime import timedelta

import pytest

from contracts.errors import ConfigError, TransientError
from contracts.testing import FakeClock
from site_agent.devices.points.charger import PointCharger
from site_agent.domain.device import ChargerSetpoint, ChargerSpec, Lapse
from site_agent.domain.fleet.access import Access, Rule
from site_agent.domain.session import ChargingSession
from site_agent.store.memory import MemorySessions
from support.live_nature import living
from support.point_source import HandControllable, HandSource

SPEC = ChargerSpec(evse_id="e1", node="pcc", max_current_a=32.0, fail_safe_current_a=6.0)
POINTS = (
    "plugged",
    "charging",
    "active_power",
    "current_l1",
    "current_l2",
    "current_l3",
    "import_energy",
    "session_energy",
)
LAPSE_S = 60.0


def a_charger(
    source: HandSource,
    clock: FakeClock,
    store: MemorySessions | None = None,
    access: Access | None = None,
    wake: Callable[[], None] = lambda: None,
) -> PointCharger:
    sessions = store or MemorySessions()
    return PointCharger(source, SPEC, clock=clock, wake=wake, sessions=sessions, access=access)


def ask(limit_a: float) -> ChargerSetpoint:
    return ChargerSetpoint(evse_id="e1", limit_a=limit_a, cause="test")


async def sessions_of(store: MemorySessions, clock: FakeClock) -> list[ChargingSession]:
    span = timedelta(days=1)
    return list(await store.sessions(clock.now() - span, clock.now() + span))


def test_a_charger_must_show_its_plug_and_what_it_draws() -> None:
    clock = FakeClock()
    with pytest.raises(ConfigError, match=r"plugged, active_power\|current_l1"):
        a_charger(HandSource(["charging"], clock), clock)


@pytest.mark.row("truth:T3")
async def test_a_stay_is_a_transaction_from_plug_to_unplug() -> None:
    clock = FakeClock()
    store = MemorySessions()
    source = HandControllable(POINTS, clock, lapse_s=LAPSE_S)
    charger = a_charger(source, clock, store)
    async with living(charger, clock):
        source.show(plugged=0.0, charging=0.0, active_power=0.0, import_energy=5000.0)
        await clock.advance(0.1)
        state = charger.state(clock.now())
        assert (state.online, state.plugged, state.transaction_id) == (True, False, None)
        source.show(plugged=1.0)
        await clock.advance(0.1)
        assert charger.state(clock.now()).transaction_id is not None
        source.show(charging=1.0, active_power=11_000.0, import_energy=6500.0)
        source.show(current_l1=15.9, current_l2=16.1, current_l3=16.0)
        await clock.advance(0.1)
        state = charger.state(clock.now())
        assert (state.energy_wh.value, state.current_a.value) == (1500.0, 16.1)
        source.show(plugged=0.0, charging=0.0, active_power=0.0, import_energy=7000.0)
        await clock.advance(0.1)
        assert charger.state(clock.now()).transaction_id is None
    (session,) = await sessions_of(store, clock)
    assert session.energy.energy_wh == 2000.0
    assert session.reason == "EVDisconnected"


async def test_a_stay_goes_on_over_a_restart_of_the_agent() -> None:
    clock = FakeClock()
    store = MemorySessions()
    number = await store.start("e1", None, clock.now(), 1000.0, None)
    source = HandControllable(POINTS, clock)
    charger = a_charger(source, clock, store)
    async with living(charger, clock):
        state = charger.state(clock.now())
        assert (state.transaction_id, state.plugged) == (str(number), True)
        source.show(plugged=1.0, import_energy=1700.0)
        await clock.advance(0.1)
        assert charger.state(clock.now()).energy_wh.value == 700.0
    assert len(await sessions_of(store, clock)) == 1


async def test_one_that_left_while_the_agent_was_down_is_closed() -> None:
    clock = FakeClock()
    store = MemorySessions()
    await store.start("e1", None, clock.now(), 1000.0, None)
    source = HandControllable(POINTS, clock)
    async with living(a_charger(source, clock, store), clock):
        source.show(plugged=0.0, import_energy=1700.0)
        await clock.advance(0.1)
    (session,) = await sessions_of(store, clock)
    assert session.ended_at is not None


async def test_without_a_register_its_own_count_is_kept() -> None:
    clock = FakeClock()
    store = MemorySessions()
    points = [point for point in POINTS if point != "import_energy"]
    source = HandControllable(points, clock)
    charger = a_charger(source, clock, store)
    async with living(charger, clock):
        source.show(plugged=1.0, session_energy=0.0)
        await clock.advance(0.1)
        source.show(plugged=1.0, session_energy=900.0, active_power=1000.0)
        await clock.advance(0.1)
        assert charger.state(clock.now()).energy_wh.value == 900.0
        source.show(plugged=0.0, session_energy=0.0)
        await clock.advance(0.1)
    (session,) = await sessions_of(store, clock)
    assert session.energy.energy_wh == 900.0


class DiskFull(MemorySessions):
    full = True

    async def start(self, *args: object, **more: object) -> int:
        if self.full:
            raise TransientError("disk full")
        return await super().start(*args, **more)  # type: ignore[arg-type]


async def test_a_full_disk_is_tried_again() -> None:
    clock = FakeClock()
    store = DiskFull()
    source = HandControllable(POINTS, clock)
    charger = a_charger(source, clock, store)
    async with living(charger, clock):
        source.show(plugged=1.0)
        await clock.advance(0.1)
        state = charger.state(clock.now())
        assert (state.plugged, state.transaction_id) == (True, None)
        store.full = False
        source.show(plugged=1.0)
        await clock.advance(0.1)
        assert charger.state(clock.now()).transaction_id is not None


@pytest.mark.row("truth:T3")
async def test_limits_are_leases_in_tenths_of_an_ampere_and_0_pauses() -> None:
    clock = FakeClock()
    source = HandControllable(POINTS, clock, lapse_s=LAPSE_S)
    charger = a_charger(source, clock)
    async with living(charger, clock):
        source.show(plugged=1.0)
        for limit_a in (12.39, 0.0, -10.0, 40.0):
            await charger.set_limit(ask(limit_a))
        assert [value for _, value in source.written] == [12.3, 0.0, 32.0]
        since = charger.state(clock.now()).limit_in_force_since
        await clock.advance(25.0)
        state = charger.state(clock.now())
        assert (state.confirmed_limit_a, state.limit_in_force_since) == (32.0, since)
        assert source.written[3:] == [("current_limit", 32.0)], "told again at a third"
        await clock.advance(200.0)
        assert charger.state(clock.now()).confirmed_limit_a is None, "the loop fell silent"
        assert state.lapse is Lapse.DEVICE


async def test_one_without_a_watchdog_is_told_its_fail_safe_current() -> None:
    clock = FakeClock()
    source = HandControllable(POINTS, clock, lapse_s=None)
    charger = a_charger(source, clock)
    async with living(charger, clock):
        await charger.set_limit(ask(20.0))
        await clock.advance(120.0)
        assert source.written == [("current_limit", 20.0), ("current_limit", 6.0)]
        state = charger.state(clock.now())
        assert (state.confirmed_limit_a, state.lapse) == (6.0, Lapse.NONE)


async def test_a_write_that_fails_leaves_no_confirmed_limit() -> None:
    clock = FakeClock()
    source = HandControllable(POINTS, clock, lapse_s=LAPSE_S)
    charger = a_charger(source, clock)
    await charger.set_limit(ask(20.0))
    source.refuse = TransientError("no answer")
    with pytest.raises(TransientError):
        await charger.set_limit(ask(10.0))
    assert charger.state(clock.now()).confirmed_limit_a is None


async def test_where_nobody_charges_without_a_card_it_gives_nothing() -> None:
    clock = FakeClock()
    source = HandControllable(POINTS, clock, lapse_s=LAPSE_S)
    charger = a_charger(source, clock, access=Access(bare=Rule(admit=False)))
    await charger.set_limit(ask(20.0))
    assert source.written == [("current_limit", 0.0)]
    assert charger.state(clock.now()).ceiling_a == 0.0


async def test_a_plug_that_is_not_told_any_more_makes_it_offline_but_not_empty() -> None:
    clock = FakeClock()
    source = HandControllable(POINTS, clock, lapse_s=LAPSE_S)
    charger = a_charger(source, clock)
    async with living(charger, clock):
        source.show(plugged=1.0)
        await clock.advance(10.0)
        state = charger.state(clock.now())
        assert (state.online, state.plugged) == (False, True)


async def test_a_plug_wakes_the_loop() -> None:
    clock = FakeClock()
    source = HandControllable(POINTS, clock)
    woken: list[object] = []
    charger = a_charger(source, clock, wake=lambda: woken.append(1))
    async with living(charger, clock):
        source.show(plugged=0.0)
        await clock.advance(0.1)
        woken.clear()
        source.show(plugged=1.0)
        await clock.advance(0.1)
        assert woken


class SlowSource(HandControllable):
    """Takes a second to write."""

    async def write(self, control: str, value: float | None) -> None:
        await self._clock.sleep(1.0)
        await super().write(control, value)


async def test_while_it_is_told_another_limit_the_higher_one_counts() -> None:
    clock = FakeClock()
    source = SlowSource(POINTS, clock, lapse_s=LAPSE_S)
    charger = a_charger(source, clock)

    def limit_a() -> float | None:
        return charger.state(clock.now()).confirmed_limit_a

    async with asyncio.TaskGroup() as tasks:
        for limit, under_way, after in ((16.0, 16.0, 16.0), (10.0, 16.0, 10.0), (20.0, 20.0, 20.0)):
            tasks.create_task(charger.set_limit(ask(limit)))
            await clock.advance(0.5)
            assert limit_a() == under_way
            await clock.advance(1.0)
            assert limit_a() == after
