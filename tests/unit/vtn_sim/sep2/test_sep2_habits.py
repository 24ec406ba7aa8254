"""Each habit of servers in use, by name; prices and load control."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from contracts.sep2 import codec
from contracts.sep2.codes import EventState
from contracts.sep2.resources import (
    ConsumptionTariffIntervalList,
    DemandResponseProgramList,
    DERControlList,
    DERProgramList,
    EndDeviceControlList,
    Error,
    FunctionSetAssignments,
    FunctionSetAssignmentsList,
    PriceResponse,
    RateComponentList,
    ReadingType,
    TariffProfileList,
    TimeTariffIntervalList,
)
from contracts.testing import FakeClock
from support.sep2_world import World, lfdi_of

MakeWorld = Callable[..., World]
CONTROL = {"program": "narrow", "duration_s": 100, "modes": {"opModImpLimW": 1000}}


def fsa(world: World, label: str = "one", place: int = 0) -> FunctionSetAssignments:
    href = world.utility.hrefs.device(world.utility.devices.get(label).number) + "/fsa"
    return world.get(href, FunctionSetAssignmentsList, "?l=15").items[place]


def control_list(world: World) -> DERControlList:
    hrefs = world.utility.hrefs
    return world.get(hrefs.program(hrefs.prefix, 2) + "/derc", DERControlList, "?l=9")


async def superseded(world: World, clock: FakeClock) -> Any:
    """The older of two controls with the same modes, before the newer one starts."""
    world.act("add-control", name="old", start_in_s=0, **CONTROL)
    await clock.advance(10)
    world.act("add-control", name="new", start_in_s=20, **CONTROL)
    await clock.advance(10)
    return control_list(world).items[0]


async def test_the_standard_first(world: World, clock: FakeClock) -> None:
    old = await superseded(world, clock)
    assert old.event_status.current_status == EventState.ACTIVE
    await clock.advance(10)
    old = control_list(world).items[0]
    assert old.event_status.current_status == EventState.SUPERSEDED
    assert old.creation_time == clock.now() - timedelta(seconds=30)


async def test_superseded_at_creation_with_a_moved_creation_time(
    make_world: MakeWorld, clock: FakeClock
) -> None:
    world = make_world(habits={"supersede_at_creation": True, "creation_time_moves": True})
    old = await superseded(world, clock)
    new = control_list(world).items[1]
    assert old.event_status.current_status == EventState.SUPERSEDED
    assert old.creation_time == new.creation_time


@pytest.mark.parametrize("habit", [False, True])
async def test_active_lists_may_still_show_what_is_superseded(
    make_world: MakeWorld, clock: FakeClock, habit: bool
) -> None:
    world = make_world(habits={"active_lists_superseded": habit})
    await superseded(world, clock)
    await clock.advance(10)
    hrefs = world.utility.hrefs
    href = hrefs.program(hrefs.prefix, 2) + "/actderc"
    assert world.get(href, DERControlList, "?l=9").all == (2 if habit else 1)


def test_short_hex(make_world: MakeWorld) -> None:
    for short in (False, True):
        world = make_world(habits={"short_hex": short})
        world.act("add-control", start_in_s=0, device_category=0x200, **CONTROL)
        hrefs = world.utility.hrefs
        body = world.answer("GET", hrefs.program(hrefs.prefix, 2) + "/derc").body
        found = re.search(rb"<deviceCategory>(.*?)<", body)
        assert found
        assert found[1] == (b"0200" if short else b"00000200")


def test_lower_case_mrids(make_world: MakeWorld) -> None:
    world = make_world(habits={"lower_case_mrids": True})
    asked = world.act("add-control", start_in_s=0, **CONTROL)
    assert asked["mrid"] == asked["mrid"].lower()
    assert fsa(world).mrid == (fsa(world).mrid or "").lower()


def test_addresses_of_each_devices_own(make_world: MakeWorld) -> None:
    world = make_world(habits={"per_device_hrefs": True})
    world.act(
        "add-control",
        start_in_s=0,
        program="wide",
        **{k: CONTROL[k] for k in ("duration_s", "modes")},
    )
    seen = []
    for label in ("one", "two"):
        own = world.utility.hrefs.device(world.utility.devices.get(label).number)
        for place in range(len(world.utility.devices.get(label).fsas)):
            link = fsa(world, label, place).der_program_list_link
            assert link
            for program in world.get(link.href, DERProgramList, "?l=9").items:
                assert (program.href or "").startswith(own)
                assert program.der_control_list_link
                controls = world.get(program.der_control_list_link.href, DERControlList, "?l=9")
                seen += [(own, control) for control in controls.items]
    assert len({control.mrid for _, control in seen}) == 1
    assert [control.reply_to for own, control in seen] == [f"{own}/rsps/der/rsp" for own, _ in seen]


@pytest.mark.parametrize("habit", [False, True])
def test_errors_may_speak(make_world: MakeWorld, habit: bool) -> None:
    world = make_world(habits={"error_messages": habit})
    answer = world.answer("GET", "/nowhere")
    assert (codec.decode(answer.body, Error).message is not None) == habit


def test_habits_can_be_taken_on_while_it_runs(world: World) -> None:
    world.act("set-habits", habits={"error_messages": True})
    assert codec.decode(world.answer("GET", "/nowhere").body, Error).message


# --- prices --------------------------------------------------------------------------------------

PRICES = [
    {"at": "00:00", "price": 0.2, "export_price": 0.05},
    {"at": "17:00", "price": 0.3123},
]


def priced(make_world: MakeWorld, **changes: Any) -> World:
    tariff = {"name": "tou", "time_zone": "America/Los_Angeles", "prices": PRICES, **changes}
    fsas = [{"name": "wide", "programs": ["wide"], "tariffs": ["tou"]}, {"name": "narrow"}]
    return make_world(tariffs=[tariff], fsas=fsas)


def components(world: World) -> RateComponentList:
    link = next(f.tariff_profile_list_link for f in (fsa(world, "two"),))
    assert link
    (profile,) = world.get(link.href, TariffProfileList, "?l=9").items
    assert profile.price_power_of_ten_multiplier == -5
    assert profile.rate_component_list_link
    return world.get(profile.rate_component_list_link.href, RateComponentList, "?l=99")


def test_prices_are_found_day_by_day(make_world: MakeWorld) -> None:
    """FakeClock starts at 12:00 UTC on 5 January: 04:00 in Los Angeles."""
    world = priced(make_world)
    listed = components(world)
    assert sorted(c.description or "" for c in listed.items) == [
        "2026-01-05 forward",
        "2026-01-05 reverse",
        "2026-01-06 forward",
        "2026-01-06 reverse",
    ]
    today = next(c for c in listed.items if c.description == "2026-01-05 forward")
    assert today.reading_type_link
    assert today.time_tariff_interval_list_link
    reading = world.get(today.reading_type_link.href, ReadingType)
    assert (reading.uom, reading.power_of_ten_multiplier, reading.flow_direction) == (72, 3, 1)
    night, evening = world.get(
        today.time_tariff_interval_list_link.href, TimeTariffIntervalList, "?l=99"
    ).items
    assert night.interval.start == datetime(2026, 1, 5, 8, tzinfo=UTC)
    assert night.interval.duration == timedelta(hours=17)
    assert night.event_status.current_status == EventState.ACTIVE
    assert evening.event_status.current_status == EventState.SCHEDULED
    assert ":" in (evening.href or "")
    assert evening.consumption_tariff_interval_list_link
    href = evening.consumption_tariff_interval_list_link.href
    assert world.get(href, ConsumptionTariffIntervalList).items[0].price == 31_230


def test_only_hours_with_an_export_price_are_in_the_reverse_direction(
    make_world: MakeWorld,
) -> None:
    world = priced(make_world)
    reverse = next(c for c in components(world).items if c.description == "2026-01-06 reverse")
    assert reverse.time_tariff_interval_list_link
    assert reverse.time_tariff_interval_list_link.all == 1


def test_changed_prices_are_new_intervals(make_world: MakeWorld) -> None:
    world = priced(make_world, response_required=3)

    def mrids() -> set[str]:
        return {
            interval.mrid
            for component in components(world).items
            if component.time_tariff_interval_list_link
            for interval in world.get(
                component.time_tariff_interval_list_link.href, TimeTariffIntervalList, "?l=99"
            ).items
        }

    before = mrids()
    world.act("set-prices", tariff="tou", prices=[{"at": "00:00", "price": 1.0}])
    after = mrids()
    assert after
    assert not before & after

    href = world.utility.hrefs.responses(world.utility.hrefs.prefix, "price")
    for subject, wanted in ((min(after), 201), ("F" * 32, 400)):
        response = PriceResponse(end_device_lfdi=lfdi_of(2), status=1, subject=subject)
        assert world.status("POST", href, response) == wanted


@pytest.mark.parametrize("habit", [False, True])
def test_rate_components_may_claim_to_be_subscribable(make_world: MakeWorld, habit: bool) -> None:
    world = priced(make_world)
    world.act("set-habits", habits={"subscribable_rate_components": habit})
    assert components(world).subscribable == int(habit)


# --- load control --------------------------------------------------------------------------------


async def test_load_controls_are_events_too(make_world: MakeWorld, clock: FakeClock) -> None:
    fsas = [{"name": "wide", "load_programs": ["loads"]}, {"name": "narrow"}]
    world = make_world(load_programs=[{"name": "loads", "primacy": 4}], fsas=fsas)
    world.act(
        "add-load-control",
        program="loads",
        name="shed",
        start_in_s=10,
        duration_s=60,
        device_category=1 << 17,
        duty_cycle_percent=50,
        target_w=3000,
    )
    link = fsa(world, "two").demand_response_program_list_link
    assert link
    (program,) = world.get(link.href, DemandResponseProgramList, "?l=9").items
    assert program.primacy == 4
    assert program.end_device_control_list_link
    assert program.active_end_device_control_list_link
    listed = world.get(program.end_device_control_list_link.href, EndDeviceControlList, "?l=9")
    (control,) = listed.items
    assert control.duty_cycle
    assert control.duty_cycle.normal_value == 50
    assert control.target_reduction
    assert (control.target_reduction.type, control.target_reduction.value) == (2, 3000)
    active = program.active_end_device_control_list_link.href
    assert world.get(active, EndDeviceControlList, "?l=9").all == 0
    await clock.advance(10)
    assert world.get(active, EndDeviceControlList, "?l=9").all == 1
    world.act("cancel-event", event="shed")
    assert world.get(control.href, type(control)).event_status.current_status == 2
    assert ("EndDeviceControlList", "1") in world.topics
