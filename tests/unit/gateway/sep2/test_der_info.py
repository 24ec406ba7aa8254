"""What a DER says of itself, and when it says it."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import get_args

import pytest

from contracts.sep2 import codec
from contracts.sep2.codes import Connect, DerAlarm, OperationalMode
from contracts.sep2.dialect import CSIPAUS_V1_2, CSIPAUS_V1_3_STORAGE, Dialect
from contracts.sep2.resources import (
    ConnectionPoint,
    DERAvailability,
    DERCapability,
    DERSettings,
    DERStatus,
    Resource,
    Scaled,
)
from contracts.testing import FakeClock
from gateway.ports import SiteState
from gateway.utility.sep2 import der_info
from gateway.utility.sep2.alarms import Alarms
from gateway.utility.sep2.der_reporting import REFUSED_PAUSE, DerReporting
from gateway.utility.sep2.memory import Sep2Memory
from gateway.utility.sep2.outbox import Sep2Outbox
from gateway.utility.sep2.settings import DeviceSettings, InverterMode, Scope
from gateway.utility.sep2.view import DerLinks
from support.sep2_acting import (
    T0,
    UTILITY,
    FakeWire,
    FragileMemory,
    Sites,
    device_settings,
    device_view,
    sep2_settings,
    server_view,
)
from support.sep2_tree_server import TreeServer

RATE = timedelta(seconds=300)
LINKS = DerLinks(
    href="/der/1",
    capability="/der/1/dercap",
    settings="/der/1/derg",
    status="/der/1/ders",
    availability="/der/1/dera",
    poll_rate=RATE,
)
SCOPES: tuple[Scope, ...] = ("site", "storage", "generation", "load")


@pytest.mark.row("sep2:AU4")
@pytest.mark.row("csip-test:CORE-009")
@pytest.mark.parametrize(
    ("scope", "modes", "doe", "kind"),
    [
        # charge, discharge, connect, energize, fixed W, max lim W, target W
        ("site", 0b0101_0000_0000_0000_1000_1111, 0b1111, 1),
        ("storage", 0b0101_0000_0000_0000_1000_1111, 0b1111, 80),
        ("generation", 0b0101_0000_0000_0000_1000_1111, 0b0101, 83),
        ("load", 0b0000_0000_0000_0000_0000_1111, 0b1010, 82),
    ],
)
def test_capability_by_scope(scope: Scope, modes: int, doe: int, kind: int) -> None:
    device = device_settings(scope=scope)
    found = der_info.capability(device, CSIPAUS_V1_2)
    assert (found.modes_supported, found.doe_modes_supported, found.type) == (modes, doe, kind)
    assert found.vpp_modes_supported is None
    told = der_info.capability(device, CSIPAUS_V1_3_STORAGE).vpp_modes_supported
    assert told == (0 if scope == "load" else 1)


@pytest.mark.row("csip:P43", "sep2:22")
def test_modes_of_inverters_are_told_as_declared() -> None:
    plain = der_info.capability(device_settings(), None).modes_supported
    for place, mode in INVERTER_BITS.items():
        device = device_settings(inverter_modes=[mode])
        told = der_info.capability(device, None).modes_supported
        assert told == (plain or 0) | 1 << place
        assert der_info.settings(device, None, T0).modes_enabled == told
    assert set(INVERTER_BITS.values()) == set(get_args(InverterMode))


INVERTER_BITS = {
    4: "opModFixedPFAbsorbW",
    5: "opModFixedPFInjectW",
    6: "opModFixedVar",
    8: "opModFreqDroop",
    10: "opModHFRTMayTrip",
    11: "opModHFRTMustTrip",
    12: "opModHVRTMayTrip",
    13: "opModHVRTMomentaryCessation",
    14: "opModHVRTMustTrip",
    15: "opModLFRTMayTrip",
    16: "opModLFRTMustTrip",
    17: "opModLVRTMayTrip",
    18: "opModLVRTMomentaryCessation",
    19: "opModLVRTMustTrip",
    21: "opModTargetVar",
    23: "opModVoltVar",
    24: "opModVoltWatt",
    26: "opModWattVar",
}


@pytest.mark.parametrize("scope", SCOPES)
@pytest.mark.parametrize("csipaus", [None, CSIPAUS_V1_2, CSIPAUS_V1_3_STORAGE])
def test_what_is_said_can_be_written(scope: Scope, csipaus: str | None) -> None:
    device, dialect = device_settings(scope=scope), Dialect(csipaus=csipaus)
    for one in (
        der_info.capability(device, csipaus),
        der_info.settings(device, csipaus, T0),
    ):
        assert codec.decode(codec.encode(one, dialect), type(one)) == one


@pytest.mark.row("csip:G28")
@pytest.mark.row("csip-test:CORE-014")
def test_every_rating_has_its_setting_and_no_setting_is_above_it() -> None:
    ratings = {
        "rtg_max_w": 150_000.0,
        "rtg_max_charge_rate_w": 80_000.0,
        "rtg_max_discharge_rate_w": 90_000.0,
        "rtg_max_va": 160_000.0,
        "rtg_max_var": 10_000.0,
        "rtg_max_var_neg": 10_500.0,
        "rtg_max_wh": 400_000.0,
    }
    device = device_settings(ratings=ratings)
    rated = der_info.capability(device, None)
    settled = der_info.settings(device, None, T0)
    for name, number in ratings.items():
        rating = getattr(rated, name)
        setting = getattr(settled, name.replace("rtg", "set"))
        assert isinstance(rating, Scaled)
        assert rating.number == number
        assert setting.number <= rating.number
    assert settled.modes_enabled == rated.modes_supported
    assert settled.doe_modes_enabled is None


def site(*, online: bool = True, age_s: float = 0, **values: float) -> SiteState:
    sites = Sites()
    sites.has("s", T0 - timedelta(seconds=age_s), online=online, **values)
    return sites.states["s"]


WORKS = site(charging_power_w=50_000.0)
IDLES = site(charging_power_w=0.0)
DEAD = site(charging_power_w=50_000.0, age_s=3600)
GONE = site(online=False, charging_power_w=50_000.0)


@pytest.mark.row("sep2:37")
@pytest.mark.row("csip:G30")
@pytest.mark.parametrize(
    ("states", "alarm", "mode", "connect"),
    [
        ([WORKS], False, OperationalMode.OPERATIONAL, 7),
        ([IDLES], False, OperationalMode.OPERATIONAL, 3),
        ([DEAD], False, OperationalMode.OFF, 1),
        ([GONE], False, OperationalMode.UNKNOWN, 0),
        ([WORKS], True, OperationalMode.OPERATIONAL, 7 | 16),
        ([IDLES, WORKS], False, OperationalMode.OPERATIONAL, 7),
        ([DEAD, IDLES], False, OperationalMode.OPERATIONAL, 3),
        ([DEAD, DEAD], False, OperationalMode.OFF, 1),
        ([GONE, DEAD], False, OperationalMode.UNKNOWN, 1),
        ([GONE, WORKS], False, OperationalMode.OPERATIONAL, 7),
        ([GONE, GONE], True, OperationalMode.UNKNOWN, 16),
    ],
)
def test_off_only_if_all_are_and_operating_if_any_is(
    states: list[SiteState], alarm: bool, mode: OperationalMode, connect: int
) -> None:
    device = device_settings(sites=tuple(f"s{n}" for n in range(len(states))))
    alarms = {DerAlarm.OVER_CURRENT} if alarm else set()
    found = der_info.condition(device, states, alarms, T0)
    assert (found.operational, found.connect) == (mode, Connect(connect))


@pytest.mark.row("csip-test:BASIC-028")
@pytest.mark.parametrize(("watts", "mode"), [(9_000.0, 0), (-9_000.0, 1), (100.0, 2)])
def test_the_status_of_a_battery(watts: float, mode: int) -> None:
    device = device_settings(scope="storage")
    state = site(battery_power_w=watts, battery_soc_pct=62.5)
    found = der_info.condition(device, [state], set(), T0)
    status = der_info.status(device, found, set(), T0)
    assert status.state_of_charge_status is not None
    assert status.state_of_charge_status.value == 6250
    assert status.storage_mode_status is not None
    assert status.storage_mode_status.value == mode
    assert status.stor_connect_status is not None
    assert status.gen_connect_status is None
    assert status.alarm_status == 0


def test_the_status_of_chargers_says_nothing_of_a_battery() -> None:
    device = device_settings(scope="load", ratings={"rtg_max_w": 1e5})
    state = site(charging_power_w=5e4, battery_power_w=9.0, battery_soc_pct=5.0)
    found = der_info.condition(device, [state], set(), T0)
    status = der_info.status(device, found, {DerAlarm.OVER_CURRENT, DerAlarm.OVER_VOLTAGE}, T0)
    assert status.state_of_charge_status is None
    assert status.storage_mode_status is None
    assert status.stor_connect_status is None
    assert status.alarm_status == 0b11


def test_the_charge_of_several_sites_is_by_weight() -> None:
    device = device_settings(sites=("a", "b", "c"), weights=(3.0, 1.0, 9.0))
    states = [site(battery_soc_pct=80.0), site(battery_soc_pct=40.0), site(pv_power_w=-1.0)]
    assert der_info.condition(device, states, set(), T0).soc_pct == pytest.approx(70.0)


def test_availability() -> None:
    device = device_settings(
        ratings={
            "rtg_max_w": 1e5,
            "rtg_max_charge_rate_w": 5e4,
            "rtg_max_discharge_rate_w": 5e4,
            "rtg_max_wh": 2e5,
        }
    )
    state = site(battery_soc_pct=75.0, flex_down_w=12_300.0)
    found = der_info.condition(device, [state], set(), T0)
    assert der_info.availability(device, found, T0) == DERAvailability(
        availability_duration=timedelta(hours=1),
        max_charge_duration=timedelta(hours=1),
        reading_time=T0,
        stat_w_avail=Scaled.of(12_300.0),
    )
    nothing = der_info.condition(device, [GONE], set(), T0)
    assert der_info.availability(device, nothing, T0) is None


class Bench:
    def __init__(self, device: DeviceSettings, links: DerLinks = LINKS) -> None:
        self.settings = sep2_settings(device)
        self.clock = FakeClock(T0)
        self.memory = FragileMemory()
        self.server = TreeServer()
        self.sites = Sites()
        self.view = server_view(device_view(device, der=links, connection_point="/cp"))

    async def start(self) -> None:
        memory, wire = Sep2Memory(self.memory, UTILITY), FakeWire()
        outbox = Sep2Outbox(memory, wire, wire, self.clock)
        self.reporting = DerReporting(
            self.settings,
            self.server.transport(self.settings),
            self.sites,
            Alarms(self.settings, self.sites, outbox, self.clock),
            memory,
            self.clock,
        )
        await self.reporting.restore()

    async def tell(self, *, seconds: float = 0) -> list[type[Resource]]:
        """What is PUT then."""
        await self.clock.advance(seconds)
        before = len(self.server.put)
        work = asyncio.ensure_future(self.reporting.tell(self.view, self.clock.now()))
        while not work.done():
            await self.clock.advance(0.001)
        work.result()
        return [type(one) for _, one in self.server.put[before:]]

    def works(self, watts: float = 50_000.0) -> None:
        self.sites.has(
            "depot-1",
            self.clock.now(),
            charging_power_w=watts,
            battery_soc_pct=50.0,
            flex_down_w=5.0,
        )


@pytest.fixture
async def bench() -> Bench:
    made = Bench(device_settings(nmi="6203000001"))
    made.works()
    await made.start()
    return made


ALL = [ConnectionPoint, DERCapability, DERSettings, DERStatus, DERAvailability]


@pytest.mark.row("sep2:14")
@pytest.mark.row("sep2:AU5")
@pytest.mark.row("csip:G28")
@pytest.mark.row("csip:P43")
async def test_everything_at_the_start_then_the_present_at_the_poll_rate(bench: Bench) -> None:
    assert await bench.tell() == ALL
    assert [path for path, _ in bench.server.put] == [
        *("/cp", "/der/1/dercap", "/der/1/derg", "/der/1/ders", "/der/1/dera")
    ]
    for _ in range(9):
        bench.works()
        assert await bench.tell(seconds=30) == []
    bench.works()
    assert await bench.tell(seconds=31) == [DERStatus, DERAvailability]


async def test_a_change_of_status_is_told_at_once_and_a_flutter_is_not(bench: Bench) -> None:
    await bench.tell()
    bench.works(0.0)
    assert await bench.tell(seconds=10) == []
    assert await bench.tell(seconds=21) == [DERStatus]
    bench.works(50_000.0)
    assert await bench.tell(seconds=5) == []
    bench.works(0.0)
    assert await bench.tell(seconds=30) == []


async def test_a_restart_tells_all_again_with_the_time_the_settings_were_made(bench: Bench) -> None:
    await bench.tell()
    await bench.clock.advance(3600)
    await bench.start()
    bench.works()
    assert await bench.tell() == ALL
    told = [one for _, one in bench.server.put if isinstance(one, DERSettings)]
    assert [one.updated_time for one in told] == [T0, T0]


async def test_new_ratings_are_new_settings(bench: Bench) -> None:
    await bench.tell()
    bench.settings = sep2_settings(device_settings(ratings={"rtg_max_w": 7e4}))
    await bench.start()
    await bench.tell(seconds=60)
    told = [one for _, one in bench.server.put if isinstance(one, DERSettings)][-1]
    assert told.updated_time == T0 + timedelta(seconds=60)
    assert told.set_max_w == Scaled.of(7e4)


@pytest.mark.row("csip:P4")
async def test_a_refused_resource_leaves_the_others(bench: Bench) -> None:
    bench.server.status = {"/der/1/dercap": 404, "/der/1/ders": 400}
    assert await bench.tell() == [ConnectionPoint, DERSettings, DERAvailability]
    assert await bench.tell(seconds=60) == []
    bench.server.status.clear()
    await bench.clock.advance(REFUSED_PAUSE.total_seconds())
    bench.works()
    assert await bench.tell() == [DERCapability, DERStatus, DERAvailability]


async def test_a_server_that_is_down_is_tried_again(bench: Bench) -> None:
    bench.server.down = True
    assert await bench.tell() == []
    bench.server.down = False
    assert await bench.tell(seconds=5) == ALL


async def test_what_the_server_does_not_offer_is_not_told() -> None:
    bench = Bench(device_settings(), DerLinks(status="/s"))
    await bench.start()
    assert await bench.tell() == [DERStatus]  # of a site nobody knows: unknown
    status = bench.server.put[0][1]
    assert isinstance(status, DERStatus)
    assert status.operational_mode_status is not None
    assert status.operational_mode_status.value == OperationalMode.UNKNOWN
    bench.view = server_view(device_view(bench.settings.devices[0]))
    assert await bench.tell(seconds=900) == []
