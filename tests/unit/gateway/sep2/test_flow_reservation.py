"""Reservations: what vehicles need is asked for, and what is granted binds."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta

import pytest

from contracts.sep2.resources import (
    DateTimeInterval,
    EventStatus,
    FlowReservationRequest,
    FlowReservationRequestList,
    FlowReservationResponse,
    FlowReservationResponseList,
    FlowReservationResponseResponse,
    Scaled,
)
from contracts.site_link.messages import VehicleReadiness
from contracts.testing import FakeClock
from gateway.domain.operating_envelope import SiteBounds
from gateway.utility.sep2.event_answers import EventAnswers
from gateway.utility.sep2.flow_reservation import FlowReservations
from gateway.utility.sep2.memory import Sep2Memory
from gateway.utility.sep2.outbox import Sep2Outbox
from gateway.utility.sep2.polled import Polled
from gateway.utility.sep2.settings import Scope
from gateway.utility.sep2.steering import Steering
from support.sep2_acting import (
    T0,
    UTILITY,
    Envelopes,
    FragileMemory,
    XmlWire,
    device_settings,
    device_view,
    mrid,
    running,
    sep2_settings,
    server_view,
)
from support.sep2_tree_server import TreeServer

MINUTE = timedelta(minutes=1)


class Bench:
    def __init__(self, scope: Scope = "load") -> None:
        self.settings = sep2_settings(device_settings(scope=scope), poll_s=30)
        self.clock = FakeClock(T0)
        self.memory = FragileMemory()
        self.server = TreeServer()
        self.server.resources["/frq"] = FlowReservationRequestList()
        self.server.resources["/frp"] = FlowReservationResponseList()
        self.wire = XmlWire()
        self.envelopes = Envelopes()
        self.needs: list[tuple[float, float]] = []
        """(Wh, minutes from T0 to the departure)."""
        self.view = server_view(
            device_view(
                self.settings.devices[0],
                flow_reservation_requests="/frq",
                flow_reservation_responses="/frp",
            )
        )

    async def readiness(self, site_id: str) -> Sequence[VehicleReadiness]:
        assert site_id == "depot-1"
        return [
            VehicleReadiness(
                at=T0,
                vehicle_id=f"v{n}",
                evse_id="e",
                soc_pct=None,
                required_wh=energy_wh,
                departure=T0 + minutes * MINUTE,
                on_track=True,
            )
            for n, (energy_wh, minutes) in enumerate(self.needs)
        ]

    async def start(self) -> None:
        memory = Sep2Memory(self.memory, UTILITY)
        self.outbox = Sep2Outbox(memory, self.wire, self.wire, self.clock)
        await self.outbox.restore()
        steering = Steering(self.settings, self.envelopes, self.outbox, memory, self.clock)
        transport = self.server.transport(self.settings)
        answers = EventAnswers("flow", FlowReservationResponseResponse, self.settings, self.outbox)
        self.flow = FlowReservations(
            self.settings,
            transport,
            Polled(self.settings, transport, self.clock),
            answers,
            self.readiness,
            steering.renew,
            memory,
            self.clock,
        )
        steering.also = self.flow.pieces
        await self.flow.restore()

    async def at(self, minutes: float) -> None:
        await self.clock.advance(max(0.0, minutes * 60 - self.clock.monotonic()))
        work = asyncio.ensure_future(self.flow.tell(self.view, self.clock.now()))
        while not work.done():
            await self.clock.advance(0.001)
        work.result()
        async with running(self.outbox.run()):
            await self.clock.advance(1)

    def requests(self) -> list[FlowReservationRequest]:
        return [one for _, one in self.server.posted if isinstance(one, FlowReservationRequest)]

    def grant(
        self, watts: float, start: float, minutes: float, status: int = 0, subject: str = ""
    ) -> None:
        one = FlowReservationResponse(
            mrid=mrid(7),
            reply_to="/rsp",
            response_required=3,
            creation_time=T0,
            event_status=EventStatus(current_status=status, date_time=T0),
            interval=DateTimeInterval(start=T0 + start * MINUTE, duration=minutes * MINUTE),
            energy_available=Scaled.of(10_000),
            power_available=Scaled.of(watts),
            subject=subject or self.requests()[-1].mrid,
        )
        self.server.resources["/frp"] = FlowReservationResponseList(items=(one,))

    def bounds(self, minutes: float) -> SiteBounds | None:
        envelope = self.envelopes.imposed.get("depot-1")
        step = None if envelope is None else envelope.at(T0 + minutes * MINUTE)
        return None if step is None else step.bounds

    def codes(self) -> list[int | None]:
        return [one.status for one in self.wire.resources(FlowReservationResponseResponse)]


@pytest.fixture
async def bench() -> Bench:
    made = Bench()
    made.needs = [(30_000, 240), (10_000, 120), (0, 60), (9_000, -5)]
    await made.start()
    return made


@pytest.mark.row("sep2-other:flow-reservation")
async def test_a_request_says_what_the_vehicles_need(bench: Bench) -> None:
    await bench.at(0)
    (request,) = bench.requests()
    assert request.energy_requested.number == 40_000
    assert request.power_requested.number == 80_000
    assert request.duration_requested == timedelta(minutes=30)
    assert request.interval_requested.window.end == T0 + 240 * MINUTE
    assert request.request_status.request_status == 0
    for minutes in (5, 20, 40):
        await bench.at(minutes)
    assert len(bench.requests()) == 1


@pytest.mark.row("sep2-other:flow-reservation")
@pytest.mark.parametrize(
    ("scope", "bounds"),
    [
        ("load", SiteBounds(load_limit_w=20_000.0)),
        ("site", SiteBounds(import_limit_w=20_000.0)),
    ],
)
async def test_a_grant_binds_while_it_lasts(scope: Scope, bounds: SiteBounds) -> None:
    bench = Bench(scope)
    bench.needs = [(30_000, 240)]
    await bench.start()
    await bench.at(0)
    bench.grant(20_000, 10, 60)
    await bench.at(1)
    assert [bench.bounds(m) for m in (5, 10, 69, 70)] == [None, bounds, bounds, None]
    await bench.at(11)
    await bench.at(71)
    assert bench.codes() == [1, 2, 3]
    assert bench.envelopes.imposed["depot-1"].steps == ()


@pytest.mark.row("sep2-other:flow-refused")
async def test_no_duration_is_a_refusal(bench: Bench) -> None:
    await bench.at(0)
    bench.grant(20_000, 10, 0)
    for minutes in (1, 11, 30):
        await bench.at(minutes)
    assert bench.envelopes.imposed == {}
    assert len(bench.requests()) == 1


async def test_a_grant_called_off_is_lifted(bench: Bench) -> None:
    await bench.at(0)
    bench.grant(20_000, 1, 60)
    await bench.at(2)
    bench.grant(20_000, 1, 60, status=2)
    await bench.at(5)
    assert bench.bounds(6) is None
    assert bench.codes() == [1, 2, 6]


async def test_grants_of_other_requests_are_no_concern(bench: Bench) -> None:
    await bench.at(0)
    bench.grant(20_000, 1, 60, subject=mrid(99))
    await bench.at(2)
    assert bench.envelopes.imposed == {}
    assert bench.codes() == []


async def test_another_need_cancels_and_asks_anew(bench: Bench) -> None:
    await bench.at(0)
    bench.needs = [(90_000, 240)]
    await bench.at(5)
    assert len(bench.requests()) == 1  # not so soon
    await bench.at(20)
    assert [one.energy_requested.number for one in bench.requests()] == [40_000, 90_000]
    ((path, cancelled),) = bench.server.put
    assert path == "/frq/1"
    assert isinstance(cancelled, FlowReservationRequest)
    assert cancelled.request_status.request_status == 1
    assert cancelled.mrid == bench.requests()[0].mrid


async def test_no_need_is_no_request_and_cancels_one(bench: Bench) -> None:
    bench.needs = [(500, 60)]
    await bench.at(0)
    assert bench.requests() == []
    bench.needs = [(50_000, 600)]
    await bench.at(1)
    bench.needs = []
    await bench.at(30)
    assert len(bench.requests()) == 1
    assert len(bench.server.put) == 1


async def test_a_restart_asks_nothing_again(bench: Bench) -> None:
    await bench.at(0)
    await bench.start()
    await bench.at(20)
    assert len(bench.requests()) == 1


async def test_a_request_that_may_never_have_arrived_is_sent_again(bench: Bench) -> None:
    bench.server.status["/frq"] = 400
    await bench.at(0)
    bench.server.status.clear()
    await bench.at(10)
    assert bench.requests() == []
    await bench.at(16)
    assert len(bench.requests()) == 1


async def test_a_restart_lifts_no_grant_though_the_server_is_silent(bench: Bench) -> None:
    await bench.at(0)
    bench.grant(20_000, 1, 60)
    await bench.at(2)
    await bench.start()
    bench.server.status["/frp"] = 404
    await bench.at(10)
    assert bench.bounds(11) == SiteBounds(load_limit_w=20_000.0)
    assert len(bench.envelopes.calls) == 1


async def test_without_the_links_nothing_happens(bench: Bench) -> None:
    bench.view = server_view(device_view(bench.settings.devices[0]))
    await bench.at(0)
    assert bench.server.posted == []
