"""Geotab and Samsara connectors against fakes on sockets: news, cursors, trips, failures."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from contracts.errors import PermanentError, ProtocolError
from site_agent.config.fleet_systems import GeotabSettings, SamsaraSettings
from site_agent.domain.fleet.facts import Source
from site_agent.fleet.telematics.build import provider_of
from site_agent.fleet.telematics.poller import Poller, Rhythm
from site_agent.fleet.telematics.secrets import secret
from site_agent.fleet.telematics.web import MAX_BYTES
from site_agent.flows.fleet.roster import LiveRoster
from site_agent.store.memory import MemoryKeyValues
from support.fleet import VAN, change, live_roster
from support.manual_clock import ManualClock
from support.telematics import FakeApi, FakeGeotab, FakeSamsara, Reply, as_json, listening

VIN = "WVWZZZ1JZ3W386752"


@dataclass
class Bench:
    """A provider's fake, and the fleet that is told."""

    folder: Path
    source: Source
    fake: FakeGeotab | FakeSamsara
    clock: ManualClock = field(default_factory=ManualClock)
    memory: MemoryKeyValues = field(default_factory=MemoryKeyValues)
    roster: LiveRoster = field(
        default_factory=lambda: live_roster(VAN | {"vin": VIN}, {**VAN, "vehicle_id": "van-2",
                                                                "id_tags": []})
    )  # fmt: skip
    api: FakeApi = field(init=False)

    def __post_init__(self) -> None:
        self.api = FakeApi(self.fake.respond)
        secrets = {Source.SAMSARA: "samsara_api_token", Source.GEOTAB: "geotab-password"}
        (self.folder / "secret").write_text(secrets[self.source])

    def ago(self, minutes: float) -> str:
        at = self.clock.now() - timedelta(minutes=minutes)
        return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")

    def soc(self, vehicle: str, pct: Any, minutes: float, **more: str) -> None:
        """What the provider knows since then."""
        if isinstance(self.fake, FakeSamsara):
            milli = pct * 1000 if isinstance(pct, int | float) else pct
            self.fake.soc(vehicle, milli, self.ago(minutes), **more)
        else:
            if all(one["id"] != vehicle for one in self.fake.devices):
                vin = {"vehicleIdentificationNumber": more["vin"]} if "vin" in more else {}
                self.fake.devices.append({"id": vehicle, "name": more.get("name", "")} | vin)
            self.fake.soc(vehicle, pct, self.ago(minutes))

    @asynccontextmanager
    async def poller(self, names: dict[str, str] | None = None) -> AsyncIterator[Poller]:
        """A poller as a fresh process makes it."""
        file = self.folder / "secret"
        settings: GeotabSettings | SamsaraSettings
        if self.source is Source.SAMSARA:
            settings = SamsaraSettings(url=self.api.url, token_file=file)
        else:
            settings = GeotabSettings(
                url=self.api.url, database="d", user="bob", password_file=file
            )
        async with provider_of(settings, self.clock) as provider:
            rhythm = Rhythm(states_s=60.0, routes_s=300.0)
            told = (self.source, provider, self.roster, self.memory, self.clock, rhythm)
            yield Poller(*told, names or {}, lambda: 0.0)

    def held(self, vehicle: str = "van-1") -> float | None:
        soc = self.roster.vehicles[vehicle].soc
        return None if soc is None else soc.pct


@pytest.fixture(params=[Source.SAMSARA, Source.GEOTAB])
async def bench(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Bench]:
    fake = FakeSamsara() if request.param is Source.SAMSARA else FakeGeotab()
    found = Bench(tmp_path, request.param, fake)
    async with listening(found.api):
        yield found


@pytest.mark.row("site:F3")
async def test_states_of_charge_reach_their_vehicles_by_vin_name_and_settings(
    bench: Bench,
) -> None:
    await bench.roster.tell([change("van-3", rank=1)])
    bench.soc("281474978683353", 41.5, 10, name="Sprinter 1", vin=VIN.lower())
    bench.soc("281474978683354", 60, 5, name="van-2")
    bench.soc("281474978683355", 70, 5, name="Sprinter 3")
    bench.soc("281474978683356", 80, 5, name="somebody else's")
    async with bench.poller({"281474978683355": "van-3"}) as poller:
        assert await poller.turn() == 60.0
    assert [bench.held(f"van-{n}") for n in (1, 2, 3)] == [41.5, 60.0, 70.0]
    entry = bench.roster.entry("van-1")
    assert entry is not None
    fact = entry.facts["soc_pct"]
    assert fact.source is bench.source
    assert abs(fact.at - (bench.clock.now() - timedelta(minutes=10))) < timedelta(seconds=1)
    assert "somebody else's" not in bench.roster.vehicles


async def test_a_restart_goes_on_where_it_was(bench: Bench) -> None:
    bench.soc("1", 40, 10, name="van-1")
    async with bench.poller() as poller:
        await poller.turn()
    bench.soc("1", 45, 1, name="van-1")
    before = len(bench.api.asked)
    async with bench.poller() as poller:
        await poller.turn()
    assert bench.held() == 45.0
    key = f"fleet/{bench.source.value}/cursor"
    cursor = await bench.memory.get(key)
    assert cursor is not None
    assert int(cursor, 16) == 2
    assert len(bench.api.asked) > before


async def test_an_older_or_impossible_state_never_counts(bench: Bench) -> None:
    bench.soc("1", 50, 5, name="van-1")
    bench.soc("1", 90, 30, name="van-1")
    bench.soc("1", 180, 1, name="van-1")
    bench.soc("1", "full", 1, name="van-1")
    bench.soc("1", 99, -60, name="van-1")  # in an hour
    async with bench.poller() as poller:
        assert await poller.turn() == 60.0
    assert bench.held() == 50.0


async def test_long_feeds_are_followed_page_by_page(bench: Bench) -> None:
    for n in range(7):
        bench.soc("1", 40 + n, 10 - n, name="van-1")
    async with bench.poller() as poller:
        await poller.turn()
    assert bench.held() == 46.0


def _route(bench: Bench, number: str, departs_h: float, returns_h: float) -> None:
    at = bench.clock.now().replace(microsecond=0)
    start, end = (
        (at + timedelta(hours=h)).isoformat().replace("+00:00", "Z") for h in (departs_h, returns_h)
    )
    if isinstance(bench.fake, FakeSamsara):
        bench.fake.routes.append({
            "id": number, "name": "Bid", "vehicle": {"id": "1", "name": "van-1"},
            "scheduledRouteStartTime": start, "scheduledRouteEndTime": end,
            "stops": [{"id": "9", "state": "scheduled", "scheduledArrivalTime": end}],
        })  # fmt: skip
    else:
        bench.fake.devices[:] = [{"id": "1", "name": "van-1"}]
        bench.fake.routes.append({
            "id": number, "name": "Bid", "device": {"id": "1"}, "startTime": start, "endTime": end,
            "routeType": "Plan", "routePlanItemCollection": [],
        })  # fmt: skip


@pytest.mark.row("site:F3")
async def test_planned_routes_become_trips_and_others_stay(bench: Bench) -> None:
    own = {"trip_id": "own", "departs": (bench.clock.now() + timedelta(hours=30)).isoformat()}
    await bench.roster.tell([change(trips=[own])])
    _route(bench, "r1", 6, 14)
    _route(bench, "r2", 100, 110)  # beyond what is asked for
    async with bench.poller() as poller:
        await poller.turn()
        trips = bench.roster.vehicles["van-1"].trips
        name = f"{bench.source.value}:r1"
        assert sorted(one.trip_id for one in trips) == sorted(["own", name])
        (trip,) = (one for one in trips if one.trip_id == name)
        assert trip.returns is not None
        assert trip.returns - trip.departs == timedelta(hours=8)
        bench.fake.routes.clear()  # called off
        await poller.turn()
        assert len(bench.roster.vehicles["van-1"].trips) == 2  # not asked again yet
        bench.clock.pass_s(301)
        await poller.turn()
    assert [one.trip_id for one in bench.roster.vehicles["van-1"].trips] == ["own"]


@pytest.mark.parametrize(
    ("fault", "wait_s"),
    [
        (as_json({}, 500), 5.0),
        (as_json({}, 503, **{"retry-after": "17"}), 17.0),
        (as_json({}, 429, **{"retry-after": "0.4"}), 1.0),
        (as_json({}, 429), 60.0),
        (as_json({}, 429, **{"retry-after": "nan"}), 60.0),
        (as_json({}, 404), 900.0),
        (as_json([]), 5.0),
        (as_json({"data": 7, "result": 7}), 5.0),
        ((200, {}, b"<html>"), 5.0),
        ((200, {}, b"[" * 200_000), 5.0),
        ((302, {"location": "http://192.0.2.1/"}, b""), 5.0),
    ],
    ids=lambda one: None if isinstance(one, float) else f"{one[0]} {one[2][:20]!r}",
)
async def test_failures_are_waited_out_and_nothing_is_lost(
    bench: Bench, fault: Reply, wait_s: float
) -> None:
    bench.soc("1", 40, 10, name="van-1")
    bench.api.faults.append(fault)
    async with bench.poller() as poller:
        assert await poller.turn() == wait_s
        assert poller.healthy is False
        assert poller.failure
        assert bench.held() is None
        assert await poller.turn() == 60.0
        assert poller.healthy is True
    assert bench.held() == 40.0


async def test_back_off_grows_and_begins_anew(bench: Bench) -> None:
    async with bench.poller() as poller:
        bench.api.faults.extend([as_json({}, 500)] * 3)
        waits = [await poller.turn() for _ in range(4)]
        bench.api.faults.append(as_json({}, 500))
        waits.append(await poller.turn())
    assert waits == [5.0, 10.0, 20.0, 60.0, 5.0]


async def test_a_huge_answer_is_cut_off(bench: Bench) -> None:
    bench.api.faults.append((200, {}, b" " * (MAX_BYTES + 1)))
    async with bench.poller() as poller:
        assert await poller.turn() == 5.0


async def test_wrong_credentials_are_tried_again_once_they_are_replaced(
    bench: Bench, capsys: pytest.CaptureFixture[str]
) -> None:
    (bench.folder / "secret").write_text("wrong-secret")
    bench.soc("1", 40, 10, name="van-1")
    async with bench.poller() as poller:
        assert await poller.turn() == 900.0
        (bench.folder / "secret").unlink()
        assert await poller.turn() == 900.0
        right = "samsara_api_token" if bench.source is Source.SAMSARA else "geotab-password"
        (bench.folder / "secret").write_text(right + "\n")
        assert await poller.turn() == 60.0
    assert bench.held() == 40.0
    logged = capsys.readouterr()
    assert "wrong-secret" not in logged.out + logged.err
    assert "bob" not in logged.out + logged.err


async def test_nobody_there_is_a_failure_like_others(bench: Bench) -> None:
    bench.api.url = "http://127.0.0.1:9"
    async with bench.poller() as poller:
        assert await poller.turn() == 5.0


# --- Geotab's own ---------------------------------------------------------------------------------


@pytest.fixture
async def geotab(tmp_path: Path) -> AsyncIterator[Bench]:
    found = Bench(tmp_path, Source.GEOTAB, FakeGeotab())
    async with listening(found.api):
        yield found


async def test_a_session_is_kept_and_made_anew_when_it_has_run_out(geotab: Bench) -> None:
    fake = geotab.fake
    assert isinstance(fake, FakeGeotab)
    geotab.soc("b1", 40, 10, name="van-1")
    async with geotab.poller() as poller:
        await poller.turn()
        await poller.turn()
        assert fake.calls.count("Authenticate") == 1
        fake.expire()
        geotab.soc("b1", 44, 1)
        assert await poller.turn() == 60.0
    assert fake.calls.count("Authenticate") == 2
    assert geotab.held() == 44.0


@pytest.mark.parametrize(
    ("name", "wait_s"),
    [("OverLimitException", 60.0), ("DbUnavailableException", 5.0), ("ArgumentException", 900.0)],
)
async def test_errors_by_name(geotab: Bench, name: str, wait_s: float) -> None:
    geotab.api.faults.append(FakeGeotab.error(name))
    async with geotab.poller() as poller:
        assert await poller.turn() == wait_s


@pytest.mark.parametrize("path", ["evil.example", "127.0.0.1", "a/../b.geotab.com", "x@1.0.0.1"])
async def test_it_is_not_sent_to_another_domain(geotab: Bench, path: str) -> None:
    assert isinstance(geotab.fake, FakeGeotab)
    geotab.fake.path = path
    async with geotab.poller() as poller:
        assert await poller.turn() == 5.0
    assert geotab.fake.calls == ["Authenticate"]


# --- settings and secrets -------------------------------------------------------------------------


@pytest.mark.parametrize(
    "url", ["http://my.geotab.com", "https://u:p@my.geotab.com", "https://x/y", "ftp://x"]
)
def test_credentials_only_go_where_they_are_encrypted(url: str) -> None:
    with pytest.raises(ValueError, match="url"):
        GeotabSettings(url=url, database="d", user="u", password_env="P")


def test_one_secret_is_enough() -> None:
    with pytest.raises(ValueError, match="either token_file or token_env"):
        SamsaraSettings()
    with pytest.raises(ValueError, match="either password_file or password_env"):
        GeotabSettings(database="d", user="u", password_env="P", password_file=Path("x"))


def test_a_secret_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLEET_TOKEN", " abc\n")
    assert secret(None, "FLEET_TOKEN") == "abc"
    monkeypatch.setenv("FLEET_TOKEN", "two\nlines")
    with pytest.raises(PermanentError, match=r"\$FLEET_TOKEN: holds no secret"):
        secret(None, "FLEET_TOKEN")


async def test_routes_that_never_end_are_refused(tmp_path: Path) -> None:
    bench = Bench(tmp_path, Source.SAMSARA, FakeSamsara())
    endless = {"data": [], "pagination": {"endCursor": "x", "hasNextPage": True}}
    bench.api.respond = lambda *_: as_json(endless)
    async with listening(bench.api):
        settings = SamsaraSettings(url=bench.api.url, token_file=tmp_path / "secret")
        async with provider_of(settings, bench.clock) as provider:
            with pytest.raises(ProtocolError, match="go on after"):
                await provider.routes(datetime(2026, 1, 1, tzinfo=UTC), bench.clock.now())
