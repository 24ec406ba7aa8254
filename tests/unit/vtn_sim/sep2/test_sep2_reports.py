"""What clients tell the server: DER information, readings, Responses, LogEvents, flow, load."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from contracts.sep2.resources import (
    DER,
    DateTimeInterval,
    DERCapability,
    DERControlResponse,
    DERList,
    DERStatus,
    DrResponse,
    FlowReservationRequest,
    FlowReservationRequestList,
    FlowReservationResponseList,
    LoadShedAvailability,
    LoadShedAvailabilityList,
    LogEvent,
    LogEventList,
    MirrorMeterReading,
    MirrorReadingSet,
    MirrorUsagePoint,
    MirrorUsagePointList,
    Reading,
    ReadingType,
    RequestStatus,
    Response,
    ResponseList,
    Scaled,
)
from contracts.testing import FakeClock
from support.sep2_world import AGGREGATOR, OTHER_AGGREGATOR, World, lfdi_of

MakeWorld = Callable[..., World]
NOW = FakeClock().now()


def href_of(world: World, label: str) -> str:
    return world.utility.hrefs.device(world.utility.devices.get(label).number)


# --- DER information -----------------------------------------------------------------------------


def capability(watts: Scaled, **more: Any) -> DERCapability:
    return DERCapability(modes_supported=1 << 20, rtg_max_w=watts, type=81, **more)


def test_der_information_is_put_and_read_back(world: World) -> None:
    ders = world.get(href_of(world, "one") + "/der", DERList)
    assert ders.all == 1
    der = world.get(ders.items[0].href, DER)
    assert der.der_capability_link
    href = der.der_capability_link.href
    assert world.status("GET", href) == 404
    assert world.status("PUT", href, capability(Scaled.of(150_000))) == 204
    told = world.get(href, DERCapability)
    assert told.rtg_max_w == Scaled(multiplier=1, value=15_000)
    assert told.href == href


def test_a_power_beyond_int16_is_taken_and_remarked(world: World) -> None:
    """As a server in use does; 150000 is 15000 x 10 when it is read back."""
    href = href_of(world, "one") + "/der/1/dercap"
    body = (
        b'<DERCapability xmlns="urn:ieee:std:2030.5:ns"><modesSupported>0A</modesSupported>'
        b"<rtgMaxW><multiplier>0</multiplier><value>150000</value></rtgMaxW><type>81</type>"
        b"</DERCapability>"
    )
    answer = world.answer("PUT", href, body)
    assert answer.status == 204
    assert "150000" in answer.remarks[0]
    assert world.get(href, DERCapability).rtg_max_w == Scaled(multiplier=1, value=15_000)


def test_the_wrong_resource_is_refused(world: World) -> None:
    href = href_of(world, "one") + "/der/1/ders"
    assert world.status("PUT", href, capability(Scaled.of(1))) == 400
    assert world.status("PUT", href, DERStatus(reading_time=NOW)) == 204
    assert world.status("GET", href_of(world, "one") + "/der/2") == 404


def test_a_server_may_insist_on_australian_modes(make_world: MakeWorld) -> None:
    world = make_world(habits={"require_doe_modes": True})
    href = href_of(world, "one") + "/der/1/dercap"
    assert world.status("PUT", href, capability(Scaled.of(1))) == 400
    assert world.status("PUT", href, capability(Scaled.of(1), doe_modes_supported=15)) == 204


# --- mirror metering -----------------------------------------------------------------------------


def mirror(number: int = 1, **more: Any) -> MirrorUsagePoint:
    fields: dict[str, Any] = {
        "mrid": f"{0xAA00 + number:032X}",
        "device_lfdi": lfdi_of(1),
        "role_flags": 3,
        "status": 1,
        **more,
    }
    return MirrorUsagePoint(**fields)


def readings(*values: int, mrid: str = "BB" * 16, power: int | None = 3) -> MirrorMeterReading:
    each = timedelta(minutes=5)
    times = [NOW + each * place for place in range(len(values))]
    periods = [DateTimeInterval(start=start, duration=each) for start in times]
    return MirrorMeterReading(
        mrid=mrid,
        description="site W",
        reading_type=(
            None if power is None else ReadingType(power_of_ten_multiplier=power, uom=38, kind=37)
        ),
        reading_sets=(
            MirrorReadingSet(
                mrid="CC" * 16,
                time_period=DateTimeInterval(start=NOW, duration=each * len(values)),
                readings=tuple(
                    Reading(value=value, time_period=period)
                    for value, period in zip(values, periods, strict=True)
                ),
            ),
        ),
    )


def test_a_mirror_is_made_once_and_found_again(world: World) -> None:
    mirrors = world.utility.hrefs.mirrors
    location = world.post(mirrors, mirror())
    assert world.post(mirrors, mirror(), wanted=204) == location
    found = world.get(location, MirrorUsagePoint)
    assert found.post_rate == timedelta(seconds=300)
    world.act("set-post-rate", seconds=60)
    listed = world.get(mirrors, MirrorUsagePointList, "?l=9")
    assert [m.post_rate for m in listed.items] == [timedelta(seconds=60)]


def test_readings_are_kept_by_their_start(world: World) -> None:
    location = world.post(world.utility.hrefs.mirrors, mirror())
    world.post(location, readings(10, 20))
    world.post(location, readings(11, power=None), wanted=204)
    (quantity,) = world.utility.mirrors.all()[0].quantities.values()
    assert [sample.value for sample in quantity.series] == [11_000.0, 20_000.0]
    assert world.get(location, MirrorUsagePoint).meter_readings[0].description == "site W"


def test_a_quantity_is_described_before_it_is_measured(world: World) -> None:
    location = world.post(world.utility.hrefs.mirrors, mirror())
    assert world.status("POST", location, readings(1, power=None)) == 400


def test_there_is_room_for_so_many(make_world: MakeWorld) -> None:
    world = make_world(max_mirrors=1)
    world.post(world.utility.hrefs.mirrors, mirror(1))
    assert world.status("POST", world.utility.hrefs.mirrors, mirror(2)) == 413


def test_nobody_measures_for_a_strangers_device(make_world: MakeWorld) -> None:
    world = make_world(
        aggregators=[
            {"name": "agg", "lfdi": AGGREGATOR},
            {"name": "other", "lfdi": OTHER_AGGREGATOR},
        ]
    )
    other = world.client_of(OTHER_AGGREGATOR)
    mirrors = world.utility.hrefs.mirrors
    assert world.status("POST", mirrors, mirror(), client=other) == 403
    location = world.post(mirrors, mirror())
    assert world.status("GET", location, client=other) == 404
    assert world.status("DELETE", location, client=other) == 404
    assert world.status("DELETE", location) == 204


def test_a_server_may_forget_mirrors(world: World) -> None:
    location = world.post(world.utility.hrefs.mirrors, mirror())
    world.act("forget-mirrors")
    assert world.status("POST", location, readings(1)) == 404
    world.post(world.utility.hrefs.mirrors, mirror())


# --- Responses and LogEvents ---------------------------------------------------------------------


def respond(world: World, mrid: str, status: int = 1, lfdi: str = lfdi_of(1)) -> int:
    response = DERControlResponse(
        created_date_time=NOW, end_device_lfdi=lfdi, status=status, subject=mrid
    )
    href = world.utility.hrefs.responses(world.utility.hrefs.prefix, "der")
    return world.status("POST", href, response)


@pytest.fixture
def mrid(world: World) -> str:
    asked = world.act(
        "add-control",
        program="narrow",
        name="c",
        start_in_s=0,
        duration_s=60,
        modes={"opModImpLimW": 1},
    )
    return str(asked["mrid"])


def test_responses_are_kept_newest_first(world: World, mrid: str) -> None:
    assert [respond(world, mrid, code) for code in (1, 2)] == [201, 201]
    href = world.utility.hrefs.responses(world.utility.hrefs.prefix, "der")
    listed = world.get(href, ResponseList, "?l=9")
    assert [r.status for r in listed.items] == [2, 1]
    assert world.get(listed.items[0].href, Response).subject == mrid


def test_mrids_and_lfdis_are_compared_by_value(world: World, mrid: str) -> None:
    assert respond(world, mrid.lower(), lfdi=lfdi_of(1).lower()) == 201


def test_wrong_responses_are_refused_and_remembered(world: World, mrid: str) -> None:
    assert respond(world, mrid, lfdi=OTHER_AGGREGATOR) == 400
    assert respond(world, "F" * 32) == 400
    response = DrResponse(end_device_lfdi=lfdi_of(1), status=1, subject=mrid)
    href = world.utility.hrefs.responses(world.utility.hrefs.prefix, "der")
    assert world.status("POST", href, response) == 400
    problems = [r.problem for r in world.utility.received.responses()]
    assert len([p for p in problems if p]) == 3


def log_event(seconds: float = 0.0) -> LogEvent:
    return LogEvent(
        created_date_time=NOW - timedelta(seconds=seconds),
        function_set=11,
        log_event_code=2,
        log_event_id=1,
        log_event_pen=40732,
        profile_id=2,
    )


@pytest.mark.parametrize("own_time", [False, True])
async def test_log_events_newest_first(
    make_world: MakeWorld, clock: FakeClock, own_time: bool
) -> None:
    world = make_world(habits={"own_created_time": own_time})
    await clock.advance(100)
    href = href_of(world, "one") + "/lel"
    old, new = world.post(href, log_event(50)), world.post(href, log_event(20))
    listed = world.get(href, LogEventList, "?l=9")
    assert [e.href for e in listed.items] == [new, old]
    told = world.get(old, LogEvent).created_date_time
    assert told == (clock.now() if own_time else NOW - timedelta(seconds=50))


# --- flow reservation ----------------------------------------------------------------------------


def flow_request(status: int = 0, watts: float = 50_000) -> FlowReservationRequest:
    return FlowReservationRequest(
        mrid="EE" * 16,
        creation_time=NOW,
        duration_requested=timedelta(hours=1),
        energy_requested=Scaled.of(40_000),
        interval_requested=DateTimeInterval(start=NOW, duration=timedelta(hours=8)),
        power_requested=Scaled.of(watts),
        request_status=RequestStatus(date_time=NOW, request_status=status),
    )


@pytest.mark.parametrize(("policy", "seconds"), [("grant", 3600), ("refuse", 0)])
def test_a_flow_reservation_is_answered(make_world: MakeWorld, policy: str, seconds: int) -> None:
    world = make_world(flow_reservation={"policy": policy})
    href = href_of(world, "one")
    location = world.post(href + "/frq", flow_request())
    assert world.post(href + "/frq", flow_request(), wanted=204) == location
    (answer,) = world.get(href + "/frp", FlowReservationResponseList, "?l=9").items
    assert answer.subject == "EE" * 16
    assert answer.interval.duration == timedelta(seconds=seconds)
    assert answer.event_status.current_status == 1


def test_the_utility_may_answer_by_hand(make_world: MakeWorld) -> None:
    world = make_world(flow_reservation={"policy": "manual"})
    href = href_of(world, "one")
    world.post(href + "/frq", flow_request())
    assert world.get(href + "/frp", FlowReservationResponseList, "?l=9").items == ()
    world.act("grant-flow", request="EE" * 16, duration_s=600, power_w=20_000)
    (answer,) = world.get(href + "/frp", FlowReservationResponseList, "?l=9").items
    assert answer.power_available.number == 20_000
    assert answer.interval.duration == timedelta(seconds=600)


def test_only_the_status_of_a_request_may_change(make_world: MakeWorld) -> None:
    world = make_world(flow_reservation={})
    href = href_of(world, "one")
    location = world.post(href + "/frq", flow_request())
    assert world.status("PUT", location, flow_request(watts=60_000)) == 400
    assert world.status("PUT", location, flow_request(status=1)) == 204
    (answer,) = world.get(href + "/frp", FlowReservationResponseList, "?l=9").items
    assert answer.event_status.current_status == 2
    (request,) = world.get(href + "/frq", FlowReservationRequestList, "?l=9").items
    assert request.request_status.request_status == 1


def test_flow_reservation_is_not_offered_by_itself(world: World) -> None:
    assert world.status("POST", href_of(world, "one") + "/frq", flow_request()) == 404


# --- load shed -----------------------------------------------------------------------------------


def test_how_much_load_could_be_shed(make_world: MakeWorld) -> None:
    world = make_world(load_programs=[{"name": "loads", "primacy": 1}])
    href = href_of(world, "one") + "/lsl"
    location = world.post(href, LoadShedAvailability(sheddable_power=Scaled.of(30_000)))
    changed = LoadShedAvailability(sheddable_power=Scaled.of(20_000))
    assert world.status("PUT", location, changed) == 204
    (told,) = world.get(href, LoadShedAvailabilityList, "?l=9").items
    assert told.sheddable_power == Scaled.of(20_000)
    assert world.get(location, LoadShedAvailability).href == location
    assert world.status("PUT", href + "/7", changed) == 404


def test_an_absurd_request_is_answered_as_it_was_asked(make_world: MakeWorld) -> None:
    world = make_world(flow_reservation={})
    href = href_of(world, "one")
    absurd = replace(flow_request(), energy_requested=Scaled(multiplier=127, value=2**40))
    world.post(href + "/frq", absurd)
    (answer,) = world.get(href + "/frp", FlowReservationResponseList, "?l=9").items
    assert answer.energy_available == absurd.energy_requested
