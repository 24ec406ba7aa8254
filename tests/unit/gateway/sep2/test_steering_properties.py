"""Whatever the server lists: nothing imposed is ever looser than any mode in force."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.sep2.resources import DefaultDERControl, DERControl, ModeValue, Scaled
from contracts.testing import FakeClock
from gateway.domain.der.engagement import DeviceState
from gateway.domain.der.engine import advance
from gateway.domain.operating_envelope import FREE, OperatingEnvelope, SiteBounds
from gateway.utility.sep2 import mapping
from gateway.utility.sep2.bounds import at_least_as_tight
from gateway.utility.sep2.mapping_modes import bounds_of
from gateway.utility.sep2.memory import Sep2Memory
from gateway.utility.sep2.outbox import Sep2Outbox
from gateway.utility.sep2.settings import DeviceSettings
from gateway.utility.sep2.steering import Steering
from gateway.utility.sep2.view import ProgramView, ServerView
from support.sep2_acting import (
    T0,
    UTILITY,
    Envelopes,
    FakeWire,
    FragileMemory,
    default_control,
    der_control,
    device_settings,
    device_view,
    program,
    sep2_settings,
    server_view,
)

limits = st.integers(0, 9).map(lambda n: Scaled.of(n * 1000))
VALUES: dict[str, st.SearchStrategy[ModeValue]] = {
    "opModImpLimW": limits,
    "opModExpLimW": limits,
    "opModLoadLimW": limits,
    "opModGenLimW": limits,
    "opModMaxLimW": st.integers(0, 10_000),
    "opModTargetW": st.integers(-9, 9).map(lambda n: Scaled.of(n * 1000)),
    "opModFixedW": st.integers(-10_000, 10_000),
    "opModEnergize": st.booleans(),
    "opModConnect": st.booleans(),
}
modes = st.fixed_dictionaries({}, optional=VALUES)
seconds = st.sampled_from([3, 8, 30, 60, 300, 900])


@st.composite
def controls(draw: st.DrawFn, number: int) -> DERControl:
    return der_control(
        number,
        draw(st.integers(-5, 30)),
        draw(seconds) / 60,
        draw(modes),
        randomize_start=timedelta(seconds=draw(st.sampled_from([0, 5, -30]))),
    )


@st.composite
def programs(draw: st.DrawFn) -> list[ProgramView]:
    found = []
    for number in range(1, draw(st.integers(1, 3)) + 1):
        default: DefaultDERControl | None = None
        if draw(st.booleans()):
            default = default_control(draw(modes))
        numbers = range(10 * number, 10 * number + draw(st.integers(0, 4)))
        listed = [draw(controls(n)) for n in numbers]
        found.append(program(number, *listed, default=default))
    return found


async def imposed(device: DeviceSettings, view: ServerView) -> dict[str, OperatingEnvelope]:
    memory, wire, clock = Sep2Memory(FragileMemory(), UTILITY), FakeWire(), FakeClock(T0)
    envelopes = Envelopes()
    outbox = Sep2Outbox(memory, wire, wire, clock)
    steering = Steering(sep2_settings(device), envelopes, outbox, memory, clock)
    await steering.follow(view, T0)
    return envelopes.imposed


def in_force(device: DeviceSettings, view: ServerView, after_s: float) -> list[SiteBounds]:
    """By the event rules alone, without the client's own arithmetic of steps."""
    shown = view.devices[device.lfdi]
    known = mapping.known(shown, device, DeviceState())
    rules = mapping.device(device, shown)
    nothing: DeviceState[ModeValue] = DeviceState()
    step = advance(nothing, known, T0, device=rules)
    at = T0 + timedelta(seconds=after_s)
    found = ((mode, step.schedule.at(mode, at)) for mode in step.schedule.modes)
    return [bounds_of(mode, one.value, device) for mode, one in found if one is not None]


@pytest.mark.row("sep2:28")
@settings(deadline=None)
@given(programs(), st.lists(st.integers(0, 45 * 60), min_size=1, max_size=12))
def test_never_looser_than_any_mode_in_force(
    listed: list[ProgramView], instants: list[int]
) -> None:
    device = device_settings()
    view = server_view(device_view(device, *listed))
    envelope = asyncio.run(imposed(device, view)).get("depot-1")
    for after_s in instants:
        step = None if envelope is None else envelope.at(T0 + timedelta(seconds=after_s))
        kept = FREE if step is None else step.bounds
        for one in in_force(device, view, after_s):
            assert at_least_as_tight(_no_target(kept), _no_target(one))
            if one.storage_power_w is not None:
                assert kept.storage_power_w is not None
                assert abs(kept.storage_power_w) <= abs(one.storage_power_w)


@pytest.mark.row("sep2:3")
@settings(deadline=None)
@given(programs(), st.lists(st.integers(0, 45 * 60), min_size=1, max_size=6))
def test_sites_of_one_device_together_keep_what_it_was_asked(
    listed: list[ProgramView], instants: list[int]
) -> None:
    sites = ("depot-1", "depot-2", "depot-3")
    device = device_settings(sites=sites, weights=(1.0, 2.5, 7.0))
    view = server_view(device_view(device, *listed))
    envelopes = asyncio.run(imposed(device, view))
    for after_s in instants:
        at = T0 + timedelta(seconds=after_s)
        steps = [envelopes[site].at(at) for site in sites if site in envelopes]
        for one in in_force(device, view, after_s):
            if one.import_limit_w is not None:
                kept = [s.bounds.import_limit_w for s in steps if s is not None]
                assert len(kept) == len(sites)
                assert sum(watts or 0.0 for watts in kept) <= one.import_limit_w + 1e-6
            if one.energize is False:
                assert [s.bounds.energize for s in steps if s] == [False] * len(sites)


def _no_target(bounds: SiteBounds) -> SiteBounds:
    return SiteBounds(
        import_limit_w=bounds.import_limit_w,
        export_limit_w=bounds.export_limit_w,
        load_limit_w=bounds.load_limit_w,
        generation_limit_w=bounds.generation_limit_w,
        energize=bounds.energize,
    )
