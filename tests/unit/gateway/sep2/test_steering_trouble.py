"""Steering when the server, a device, the store or we ourselves are gone for a while."""

from __future__ import annotations

from dataclasses import replace

import pytest

from contracts.errors import PermanentError, TransientError
from contracts.sep2.resources import (
    DERControlResponse,
)
from gateway.domain.operating_envelope import SiteBounds
from gateway.utility.sep2.device_track import GONE_AFTER
from gateway.utility.sep2.view import EMPTY
from support.sep2_acting import (
    T0,
    UTILITY,
    PowerCutError,
    default_control,
    der_control,
    device_settings,
    device_view,
    program,
    running,
    sep2_settings,
    server_view,
)
from support.sep2_bench import MINUTE, Bench, exports, imports


@pytest.fixture
async def bench() -> Bench:
    made = Bench()
    await made.start()
    return made


DEVICE = device_settings()


@pytest.mark.row("sep2:13")
async def test_a_program_taken_away_takes_its_controls_with_it(bench: Bench) -> None:
    default = default_control(imports(7))
    bench.view = server_view(
        device_view(DEVICE, program(1, der_control(1, 0, 30, imports(5))), program(2))
    )
    await bench.follow()
    bench.view = server_view(device_view(DEVICE, program(2, default=default)))
    await bench.follow(minutes=1)
    assert bench.told() == [(1, None, SiteBounds(import_limit_w=7.0))]


@pytest.mark.row("sep2:42")
@pytest.mark.row("csip:G12")
async def test_without_the_server_the_schedule_is_run_to_its_end(bench: Bench) -> None:
    default = default_control(imports(50_000))
    bench.view = server_view(
        device_view(DEVICE, program(1, der_control(1, 10, 20, imports(5)), default=default))
    )
    await bench.follow()
    imposed = bench.told()
    await bench.start()  # and a restart that finds nobody
    bench.view = EMPTY
    assert await bench.follow(minutes=5) == T0 + 10 * MINUTE
    assert bench.told()[1:] == imposed[1:]
    assert await bench.follow(minutes=5) == T0 + 30 * MINUTE
    await bench.follow(minutes=600)
    assert bench.told() == [(610, None, SiteBounds(import_limit_w=50_000.0))]
    assert await bench.send() == [(1, 1, 1), (1, 1, 2), (1, 1, 3)]
    answers = bench.wire.resources(DERControlResponse)
    assert [one.created_date_time for one in answers] == [T0, T0 + 10 * MINUTE, T0 + 30 * MINUTE]


@pytest.mark.row("csip-test:MAINT-001")
async def test_a_device_taken_away_is_lifted_at_once(bench: Bench) -> None:
    default = default_control(imports(50_000))
    bench.view = server_view(device_view(DEVICE, program(1, default=default)))
    await bench.follow()
    bench.view = server_view()
    await bench.follow(minutes=1)
    assert bench.told() == []
    calls = len(bench.envelopes.calls)
    await bench.follow(minutes=1)
    assert len(bench.envelopes.calls) == calls
    bench.view = server_view(device_view(DEVICE, program(1, default=default)))
    await bench.follow(minutes=1)
    assert bench.told() == [(3, None, SiteBounds(import_limit_w=50_000.0))]


async def test_a_device_not_read_yet_after_a_restart_keeps_what_it_had(bench: Bench) -> None:
    default = default_control(imports(50_000))
    bench.view = server_view(device_view(DEVICE, program(1, default=default)))
    await bench.follow()
    await bench.start()
    bench.view = server_view()
    next_look = await bench.follow(minutes=1)
    assert bench.told() == [(1, None, SiteBounds(import_limit_w=50_000.0))]
    assert next_look == T0 + MINUTE + GONE_AFTER
    await bench.follow(minutes=60)
    assert bench.told() == []


async def test_a_device_removed_while_we_were_down_is_lifted_by_the_first_whole_list(
    bench: Bench,
) -> None:
    default = default_control(imports(50_000))
    bench.view = server_view(device_view(DEVICE, program(1, default=default)))
    await bench.follow()
    await bench.start()
    bench.view = server_view()
    await bench.follow(minutes=1)
    assert bench.told() == [(1, None, SiteBounds(import_limit_w=50_000.0))]
    bench.view = replace(server_view(), absent=frozenset({DEVICE.lfdi}))
    await bench.follow(minutes=1)
    assert bench.told() == []
    assert bench.outbox.states() == {}


async def test_a_device_no_longer_configured_is_lifted() -> None:
    one, two = device_settings(1), device_settings(2)
    bench = Bench(one, two)
    await bench.start()
    default = program(1, default=default_control(imports(50_000)))
    bench.view = server_view(device_view(one, default), device_view(two, default))
    await bench.follow()
    bench.settings = sep2_settings(two)
    await bench.start()
    await bench.follow(minutes=1)
    assert bench.told("depot-1") == []
    assert bench.told("depot-2") == [(1, None, SiteBounds(import_limit_w=50_000.0))]
    assert list(bench.outbox.states()) == [f"device/{two.lfdi}"]


async def test_a_site_that_cannot_be_told_does_not_stop_the_others() -> None:
    devices = device_settings(1), device_settings(2)
    bench = Bench(*devices)
    await bench.start()
    default = program(1, default=default_control(imports(5)))
    bench.view = server_view(*(device_view(one, default) for one in devices))
    bench.envelopes.trouble = [PermanentError("no such site")]
    await bench.follow()
    assert sorted(bench.envelopes.imposed) == ["depot-2"]


async def test_what_could_not_be_imposed_is_imposed_the_next_time() -> None:
    devices = device_settings(1), device_settings(2)
    bench = Bench(*devices)
    await bench.start()
    default = program(1, default=default_control(imports(5)))
    bench.view = server_view(*(device_view(one, default) for one in devices))
    bench.envelopes.trouble = [TransientError("database is locked")]
    with pytest.raises(TransientError):
        await bench.follow()
    assert sorted(bench.envelopes.imposed) == ["depot-2"]
    await bench.follow(minutes=0.1)
    assert sorted(bench.envelopes.imposed) == ["depot-1", "depot-2"]


@pytest.mark.parametrize("die_at", range(1, 12))
async def test_a_kill_at_any_write_leaves_answers_and_envelopes_right(die_at: int) -> None:
    """State and answers are one write: before it nothing has happened, after it both have.

    The process dies at one write after the other, while the event begins, runs and ends.
    """
    bench = Bench()
    bench.view = server_view(
        device_view(
            DEVICE,
            program(
                1,
                der_control(1, 0, 10, imports(5)),
                der_control(2, 10, 10, exports(0)),
                default=default_control(imports(9)),
            ),
        )
    )
    bench.memory.die_at = die_at

    async def until(minute: float) -> None:
        await bench.follow(minutes=max(0.0, minute - (bench.clock.now() - T0) / MINUTE))
        async with running(bench.outbox.run()):
            await bench.clock.advance(2)

    deaths = 0
    await bench.start()
    for minute in (0.0, 10.0, 20.0, 30.0):
        try:
            await until(minute)
        except* PowerCutError:
            deaths += 1
            await bench.start()
            await until(minute)
    assert deaths == (1 if bench.memory.writes >= die_at else 0)
    expected = [(1, n, code) for n in (1, 2) for code in (1, 2, 3)]
    assert sorted(bench.answers()) == expected
    assert bench.told()[-1][1:] == (None, SiteBounds(import_limit_w=9.0))


async def test_the_first_site_does_not_wait_for_the_last() -> None:
    devices = tuple(device_settings(n) for n in (1, 2, 3))
    bench = Bench(*devices)
    await bench.start()
    bench.view = server_view(
        *(device_view(one, program(1, der_control(1, 0, 5, imports(5)))) for one in devices)
    )
    bench.memory.die_at = 4  # while the second is stored
    with pytest.raises(PowerCutError):
        await bench.follow()
    assert "depot-1" in bench.envelopes.imposed
    assert "depot-3" not in bench.envelopes.imposed


async def test_a_site_of_two_devices_is_told_once_both_are_worked_out() -> None:
    site, battery = device_settings(1), device_settings(2, sites=("depot-1",), scope="storage")
    bench = Bench(site, battery)
    await bench.start()
    bench.view = server_view(
        device_view(site, program(1, default=default_control(imports(50_000)))),
        device_view(battery, program(2, default=default_control(imports(20_000)))),
    )
    await bench.follow()
    await bench.start()
    await bench.follow(minutes=1)
    limits = [one.steps[0].bounds.import_limit_w for one in bench.envelopes.calls]
    assert limits == [20_000.0, 20_000.0]  # never the looser one alone, after a restart either


async def test_an_unreadable_state_is_not_the_end(bench: Bench) -> None:
    bench.view = server_view(device_view(DEVICE, program(1, der_control(1, 0, 30, imports(5)))))
    await bench.follow()
    await bench.send()
    key = (UTILITY, "sep2.Lane", f"device/{DEVICE.lfdi}")
    document = bench.memory.documents[key]
    assert isinstance(document, dict)
    document["state"] = {"engagements": "nonsense"}
    await bench.start()
    await bench.follow(minutes=1)
    assert [step[1:] for step in bench.told()] == [(30, SiteBounds(import_limit_w=5.0))]
    assert await bench.send() == [(1, 1, 1), (1, 1, 2)]  # the outbox knows what it has said
