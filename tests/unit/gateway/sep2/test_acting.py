"""Both halves together against a server in memory: discovered, obeyed, answered, reported to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import httpx
import pytest

from contracts.sep2.resources import (
    DERCapability,
    DERControlList,
    DERControlResponse,
    DERSettings,
    DERStatus,
    EventStatus,
    LogEvent,
    MirrorMeterReading,
    MirrorUsagePoint,
    Resource,
    ResponseList,
)
from contracts.site_link.messages import Notice, Severity, VehicleReadiness
from contracts.testing import FakeClock
from gateway.utility.sep2.acting import Acting, Sep2Ports
from gateway.utility.sep2.client import Sep2Client
from gateway.utility.sep2.difference import Difference
from support.openadr import RecordingIntake
from support.sep2_acting import Envelopes, FragileMemory, Sites, running
from support.sep2_tree_server import NOW, OWN_LFDI, Fleet, settings


class Utility(Fleet):
    """A fleet's server that takes answers, LogEvents and mirror usage points."""

    def __init__(self, count: int) -> None:
        super().__init__(count, groups=4)
        self.on_post = self._take
        self.resources["/rsp"] = ResponseList()

    def _take(self, path: str, resource: Resource) -> httpx.Response:
        if isinstance(resource, MirrorUsagePoint):
            location = f"{path}/{resource.mrid}"
            self.resources[location] = replace(resource, href=location)
            return httpx.Response(201, headers={"Location": location})
        if isinstance(resource, DERControlResponse):
            return self.add(path, resource)
        return httpx.Response(201)

    def took(self, kind: type[Resource]) -> list[tuple[str, Resource]]:
        return [(path, one) for path, one in (*self.posted, *self.put) if isinstance(one, kind)]

    def answers(self) -> list[tuple[str, int | None, str]]:
        return sorted(
            (one.end_device_lfdi[-1], one.status, one.subject.lstrip("0"))
            for _, one in self.took(DERControlResponse)
            if isinstance(one, DERControlResponse)
        )


class Bench:
    def __init__(self, count: int = 2) -> None:
        self.settings = settings(count)
        self.clock = FakeClock(NOW)
        self.server = Utility(count)
        self.memory = FragileMemory()
        self.envelopes = Envelopes()
        self.sites = Sites()
        for number in range(1, count + 1):
            self.sites.has(f"depot-{number}", NOW, pcc_power_w=9e4, charging_power_w=5e4)

    async def readiness(self, site_id: str) -> Sequence[VehicleReadiness]:
        del site_id
        return []

    async def start(self) -> Sep2Client:
        transport = self.server.transport(self.settings)
        ports = Sep2Ports(
            envelopes=self.envelopes,
            events=RecordingIntake(),
            usage=self.sites,
            states=self.sites,
            readiness=self.readiness,
            memory=self.memory,
        )
        acting = Acting(self.settings, OWN_LFDI, transport, ports, self.clock)
        await acting.restore()
        return Sep2Client(
            self.settings,
            transport,
            acting,
            self.clock,
            own_lfdi=OWN_LFDI,
            beside=(acting.run,),
        )


@pytest.fixture
def bench() -> Bench:
    return Bench()


async def test_everything_once_round(bench: Bench) -> None:
    client = await bench.start()
    async with running(client.run()):
        await bench.clock.advance(400)
        site = bench.envelopes.imposed["depot-1"].at(bench.clock.now())
        assert site is not None
        assert site.bounds.import_limit_w == 50_000.0
        default = bench.envelopes.imposed["depot-1"].default
        assert default is not None
        assert default.bounds.import_limit_w == 100_000.0
        assert {path for path, _ in bench.server.took(DERCapability)} == {
            "/edev/1/der/1/dercap",
            "/edev/2/der/1/dercap",
        }
        assert len(bench.server.took(DERSettings)) == 2
        assert len(bench.server.took(DERStatus)) >= 2 * 6  # every minute
        assert len(bench.server.took(MirrorUsagePoint)) == 5
        assert len(bench.server.took(MirrorMeterReading)) >= 2 * 6
    received = [(device, subject) for device, code, subject in bench.server.answers() if code == 1]
    started = [(device, subject) for device, code, subject in bench.server.answers() if code == 2]
    assert len(received) == len(set(received)) == 6  # three programs each
    assert len(started) == 2  # of which the best is run


async def test_a_notice_becomes_a_log_event(bench: Bench) -> None:
    client = await bench.start()
    async with running(client.run()):
        await bench.clock.advance(30)
        notice = Notice(
            at=bench.clock.now(),
            code="meter-stale",
            subject="root",
            severity=Severity.ALARM,
            raised=True,
            text="",
        )
        bench.sites.told.append(("depot-2", notice))
        await bench.clock.advance(30)
    assert [path for path, _ in bench.server.took(LogEvent)] == ["/edev/2/lel"]


@pytest.mark.row("sep2:42")
async def test_an_event_that_ends_while_the_server_is_away(bench: Bench) -> None:
    client = await bench.start()
    async with running(client.run()):
        await bench.clock.advance(400)
        before = bench.server.answers()
        bench.server.down = True
        await bench.clock.advance(3600)
        step = bench.envelopes.imposed["depot-1"].at(bench.clock.now())
        assert step is not None
        assert step.bounds.import_limit_w == 100_000.0
        assert bench.server.answers() == before
        bench.server.down = False
        await bench.clock.advance(400)
    done = [one for one in bench.server.answers() if one not in before]
    assert [code for _, code, _ in done] == [3, 3]


async def test_a_restart_answers_nothing_twice(bench: Bench) -> None:
    for _ in range(3):
        client = await bench.start()
        async with running(client.run()):
            await bench.clock.advance(200)
    answers = bench.server.answers()
    assert len(answers) == len(set(answers)) == 6 + 2 + 4


async def test_an_answer_that_got_lost_is_found_on_the_server(bench: Bench) -> None:
    lost = 3

    def lose(path: str, resource: Resource) -> httpx.Response:
        nonlocal lost
        answer = bench.server._take(path, resource)
        if isinstance(resource, DERControlResponse) and lost:
            lost -= 1
            raise httpx.ReadError("reset")
        return answer

    bench.server.on_post = lose
    client = await bench.start()
    async with running(client.run()):
        await bench.clock.advance(300)
    answers = bench.server.answers()
    assert lost == 0
    assert len(answers) == len(set(answers)) == 6 + 2 + 4


async def test_a_cancelled_event_is_let_go(bench: Bench) -> None:
    client = await bench.start()
    async with running(client.run()):
        await bench.clock.advance(100)
        path = "/prog/feeder-1/derc"
        listed = bench.server.resources[path]
        assert isinstance(listed, DERControlList)
        off = EventStatus(current_status=2, date_time=bench.clock.now())
        cancelled = replace(listed.items[0], event_status=off)
        bench.server.change(path, items=(cancelled,))
        await bench.clock.advance(400)
    step = bench.envelopes.imposed["depot-1"].at(bench.clock.now())
    assert step is not None
    assert step.bounds.import_limit_w == 100_000.0
    assert [code for device, code, _ in bench.server.answers() if device == "1"].count(6) == 1


def test_clocks_apart() -> None:
    apart = Difference()
    assert apart.theirs(NOW) == NOW
    assert apart.measured(NOW, NOW - timedelta(seconds=9.6))
    assert not apart.measured(NOW, NOW - timedelta(seconds=10.4))
    assert apart.theirs(NOW) == NOW - timedelta(seconds=10)
    assert apart.ours_at(NOW) == NOW + timedelta(seconds=10)
