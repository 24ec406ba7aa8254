"""Sites opt out of controls: what is lifted and answered, what is not allowed, what is kept."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from contracts.errors import PermanentError, TransientError
from contracts.sep2.resources import DERControl, ModeValue, Scaled
from gateway.domain.operating_envelope import SiteBounds
from support.sep2_acting import (
    T0,
    PowerCutError,
    default_control,
    der_control,
    device_settings,
    device_view,
    mrid,
    program,
    server_view,
)
from support.sep2_bench import MINUTE, Bench, imports

PAIR = device_settings(1, sites=("depot-1", "depot-2"))
ONE = device_settings(1)


def loads(watts: float) -> dict[str, ModeValue]:
    return {"opModLoadLimW": Scaled.of(watts)}


def load_limit(watts: float) -> SiteBounds:
    return SiteBounds(load_limit_w=watts)


async def made(*controls: DERControl, pair: bool = False, **settings: Any) -> Bench:
    """One device with a default of 50 kW; by default under control 1 of 20 kW from 10 to 30."""
    device = PAIR if pair else ONE
    bench = Bench(device, **settings)
    listed = controls or (der_control(1, 10, 20, loads(20_000)),)
    default = default_control(loads(50_000))
    bench.view = server_view(device_view(device, program(1, *listed, default=default)))
    await bench.start()
    await bench.follow()
    return bench


async def choose(bench: Bench, site: str = "depot-1", control: int = 1, *, out: bool) -> bool:
    return await bench.steering.choose(mrid(control), site, out=out)


@pytest.mark.row("sep2:31")
async def test_out_lifts_the_limit_and_in_brings_it_back() -> None:
    bench = await made()
    free, tight = load_limit(50_000), load_limit(20_000)
    assert bench.told() == [(0, 10, free), (10, 30, tight), (30, None, free)]
    await bench.follow(minutes=15)
    assert await choose(bench, out=True)
    assert bench.told() == [(15, None, free)]
    assert not await choose(bench, out=True)
    await bench.follow(minutes=5)
    assert await choose(bench, out=False)
    assert bench.told() == [(20, 30, tight), (30, None, free)]
    await bench.follow(minutes=10)
    assert await bench.send() == [(1, 1, code) for code in (1, 2, 4, 5, 9)]


@pytest.mark.parametrize("slower_s", [0.2, 0.4, 0.7, 0.99])
async def test_nothing_pauses_while_the_servers_clock_is_measured_slower(slower_s: float) -> None:
    """A clock read in whole seconds is a little off; a restart reads it anew."""
    bench = await made()
    await bench.follow(minutes=15)
    await choose(bench, out=True)
    for restart in (False, True):
        if restart:
            await bench.start()
        await bench.clock.advance(0.1)
        now = bench.clock.now()
        await bench.steering.follow(bench.view, now - timedelta(seconds=slower_s))
        step = bench.envelopes.imposed["depot-1"].at(now)
        assert step is not None
        assert step.bounds == load_limit(50_000)


async def test_a_change_of_mind_is_told_each_time() -> None:
    bench = await made()
    for out in (True, False, True):
        await bench.follow(minutes=1)
        await choose(bench, out=out)
    await bench.follow(minutes=30)
    assert await bench.send() == [(1, 1, code) for code in (1, 4, 5, 4, 10)]


async def test_one_site_of_two_leaves_and_the_other_keeps_its_share() -> None:
    bench = await made(pair=True)
    await bench.follow(minutes=15)
    await choose(bench, "depot-2", out=True)
    assert bench.told("depot-1") == [(15, 30, load_limit(10_000)), (30, None, load_limit(25_000))]
    assert bench.told("depot-2") == [(15, None, load_limit(25_000))]
    assert await bench.send() == [(1, 1, 1), (1, 1, 2)]
    await bench.follow(minutes=20)
    assert await bench.send() == [(1, 1, 1), (1, 1, 2), (1, 1, 8)]


async def test_the_device_opts_out_when_all_its_sites_have() -> None:
    bench = await made(pair=True)
    for site in ("depot-1", "depot-2"):
        await bench.follow(minutes=1)
        await choose(bench, site, out=True)
    for site in ("depot-1", "depot-2"):
        assert bench.told(site) == [(2, None, load_limit(25_000))]
    await bench.follow(minutes=30)
    assert await bench.send() == [(1, 1, 1), (1, 1, 4), (1, 1, 10)]


@pytest.mark.row("sep2:32")
async def test_a_utility_that_takes_no_such_codes_is_told_none() -> None:
    bench = await made(response_codes={1, 2, 3, 6, 7})
    await choose(bench, out=True)
    assert bench.told() == [(0, None, load_limit(50_000))]
    await bench.follow(minutes=40)
    assert await bench.send() == [(1, 1, 1)]


BATTERY: Mapping[str, ModeValue] = {"opModFixedW": 5_000}
STOP: Mapping[str, ModeValue] = {"opModEnergize": False}
UNKNOWN: Mapping[str, ModeValue] = {"opModVoltVar": True}


@pytest.mark.parametrize(
    ("rule", "modes", "allowed"),
    [
        ("devices", loads(1), True),
        ("devices", BATTERY, True),
        ("devices", {**loads(1), **UNKNOWN}, True),  # what is refused binds nobody
        ("devices", imports(1), False),
        ("devices", {**loads(1), **imports(1)}, False),
        ("devices", STOP, False),
        ("all", imports(1), True),
        ("all", STOP, True),
        ("none", loads(1), False),
    ],
)
async def test_the_settings_say_who_may_leave_what(
    rule: str, modes: Mapping[str, ModeValue], *, allowed: bool
) -> None:
    bench = await made(der_control(1, 0, 20, modes), opt_out=rule)
    (control,) = bench.steering.controls("depot-1")
    assert (not control.binding) == allowed
    before = bench.told()
    if allowed:
        assert await choose(bench, out=True)
        assert bench.told() != before
    else:
        with pytest.raises(PermanentError, match=r"opt out"):
            await choose(bench, out=True)
        assert bench.told() == before


async def test_limits_at_the_connection_point_are_kept_unless_settings_say_otherwise() -> None:
    bench = await made(der_control(1, 0, 20, imports(1)))
    assert bench.settings.opt_out == "devices"
    with pytest.raises(PermanentError, match="opModImpLimW binds"):
        await choose(bench, out=True)


async def test_who_has_left_may_return_under_a_stricter_rule() -> None:
    bench = await made(der_control(1, 0, 20, imports(1)), opt_out="all")
    await choose(bench, out=True)
    bench.settings = bench.settings.model_copy(update={"opt_out": "none"})
    await bench.start()
    await bench.follow(minutes=1)
    assert [one.opted_out for one in bench.steering.controls("depot-1")] == [True]
    assert await choose(bench, out=False)
    assert [one.opted_out for one in bench.steering.controls("depot-1")] == [False]


async def test_what_is_listed_for_a_site() -> None:
    bench = await made(
        der_control(2, 30, 10, {**loads(9_000), **UNKNOWN}), der_control(1, 0, 20, loads(20_000))
    )
    running, waiting = bench.steering.controls("depot-1")
    assert (running.control_id, running.running) == (mrid(1).upper(), True)
    assert (waiting.asks, waiting.running) == ("opModLoadLimW 9000 W", False)
    assert waiting.window.start == T0 + 30 * MINUTE
    assert bench.steering.controls("depot-9") == []


async def test_what_is_over_or_elsewhere_cannot_be_left() -> None:
    bench = await made()
    for site, control in (("depot-1", 2), ("depot-9", 1)):
        with pytest.raises(PermanentError, match="no control"):
            await choose(bench, site, control, out=True)
    await bench.follow(minutes=40)
    with pytest.raises(PermanentError, match="no control"):
        await choose(bench, out=True)


async def test_a_control_that_ends_unseen_is_over_all_the_same() -> None:
    bench = await made()
    await bench.clock.advance(40 * 60)  # nobody has looked in between
    assert not await choose(bench, out=True)
    assert await bench.send() == [(1, 1, 1), (1, 1, 2), (1, 1, 3)]


async def test_before_the_servers_time_is_known_nobody_chooses() -> None:
    bench = await made()
    await bench.start()
    with pytest.raises(TransientError, match="time"):
        await choose(bench, out=True)


async def test_a_choice_that_cannot_be_stored_changes_nothing() -> None:
    bench = await made()
    before = bench.told()
    bench.memory.fail_next = TransientError("disk full")
    with pytest.raises(TransientError):
        await choose(bench, out=True)
    await bench.follow(minutes=1)
    assert [one.opted_out for one in bench.steering.controls("depot-1")] == [False]
    assert bench.told()[1:] == before[1:]


async def test_a_choice_while_the_fleet_is_worked_out_is_not_lost() -> None:
    bench = await made()
    await bench.clock.advance(10 * 60)  # the control begins: `follow` has something to do
    await asyncio.gather(
        bench.steering.follow(bench.view, bench.clock.now()), choose(bench, out=True)
    )
    assert bench.told()[-1] == (10, None, load_limit(50_000))
    assert await bench.send() == [(1, 1, 1), (1, 1, 2), (1, 1, 4)]


@pytest.mark.parametrize("die_at", range(1, 12))
async def test_killed_anywhere_the_choice_and_its_answer_go_together(die_at: int) -> None:
    """The person sees an error and asks again; the utility hears of it once."""
    bench = await made(pair=True)
    bench.memory.die_at = bench.memory.writes + die_at
    deaths = 0
    for site in ("depot-1", "depot-2"):
        try:
            await bench.follow(minutes=5)
            await choose(bench, site, out=True)
        except PowerCutError:
            deaths += 1
            await bench.start()
            await bench.follow(minutes=1)
            await choose(bench, site, out=True)
    bench.memory.die_at = None
    await bench.start()
    await bench.follow(minutes=1)
    for site in ("depot-1", "depot-2"):
        assert bench.told(site)[-1][2] == load_limit(25_000)
        assert [one.opted_out for one in bench.steering.controls(site)] == [True]
    await bench.follow(minutes=30)
    assert [code for _, _, code in await bench.send() if code != 2] == [1, 4, *_end(bench)]
    assert deaths <= 1


def _end(bench: Bench) -> list[int]:
    started = any(code == 2 for _, _, code in bench.answers())
    return [8 if started else 10]
