"""Mirror metering against a server that keeps, forgets and limits."""

from __future__ import annotations

from datetime import timedelta

import pytest

from contracts.reading import Quality
from contracts.sep2.resources import MirrorMeterReading, MirrorUsagePointList
from contracts.time import Interval
from gateway.utility.sep2.mirror import KEEP, MAX_READINGS
from support.sep2_acting import T0, device_settings
from support.sep2_mirror_bench import FORWARD, MINUTE, REVERSE, Bench


@pytest.fixture
async def bench() -> Bench:
    made = Bench()
    made.sites.has("depot-1", T0, pcc_power_w=18_250.0)
    await made.start()
    return made


@pytest.mark.row("sep2:34")
@pytest.mark.row("csip:G19")
@pytest.mark.row("csip-test:BASIC-029")
async def test_means_over_aligned_intervals(bench: Bench) -> None:
    await bench.clock.advance(100)
    await bench.until(16)
    assert bench.readings("1/site") == dict.fromkeys((-5.0, 0.0, 5.0, 10.0), (18250, 1))
    assert bench.readings("1/site", REVERSE) == dict.fromkeys((-5.0, 0.0, 5.0, 10.0), (0, 1))


@pytest.mark.row("sep2:34")
@pytest.mark.row("sep2:35")
async def test_what_a_usage_point_says_of_itself(bench: Bench) -> None:
    bench.sites.has("depot-1", T0, pcc_power_w=1.0, pv_power_w=-5.0, battery_power_w=2.0)
    await bench.until(0)
    points = bench.server.points()
    assert set(points) == {"1/site", "1/battery", "1/pv", "A/ders"}
    assert {name: f"{one.role_flags:04X}" for name, one in points.items()} == {
        "1/site": "0003",
        "1/battery": "0049",
        "1/pv": "0049",
        "A/ders": "0009",
    }
    kinds = [one.reading_type for one in points["1/site"].meter_readings]
    assert [
        (k.uom, k.kind, k.data_qualifier, k.flow_direction, k.commodity, k.interval_length)
        for k in kinds
        if k is not None
    ] == [(38, 37, 2, flow, 1, 5 * MINUTE) for flow in (FORWARD, REVERSE)]
    assert points["1/site"].device_lfdi == bench.settings.devices[0].lfdi
    assert (points["1/site"].status, points["1/site"].service_category_kind) == (1, 0)


@pytest.mark.parametrize(
    ("power_w", "delivered", "received"), [(5_000.4, 5_000, 0), (-5_000.4, 0, 5_000), (0, 0, 0)]
)
async def test_the_sign_is_the_direction(
    bench: Bench, power_w: float, delivered: int, received: int
) -> None:
    bench.sites.has("depot-1", T0, battery_power_w=power_w, charging_power_w=7.0, pv_power_w=-9.0)
    await bench.until(0)
    assert bench.readings("1/battery")[-10] == (delivered, 1)
    assert bench.readings("1/battery", REVERSE)[-10] == (received, 1)
    assert bench.readings("1/chargers")[-10] == (7, 1)
    assert bench.readings("1/pv", REVERSE)[-10] == (9, 1)
    sum_w = round(power_w + 7.0 - 9.0)
    assert bench.readings("A/ders")[-10] == (max(0, sum_w), 1)
    assert bench.readings("A/ders", REVERSE)[-10] == (max(0, -sum_w), 1)


async def test_quality_and_gaps(bench: Bench) -> None:
    bench.sites.gaps = [Interval.lasting(T0 + 5 * MINUTE, 5 * MINUTE)]
    await bench.until(12)
    bench.sites.quality = Quality.ESTIMATED
    await bench.until(21)
    assert bench.readings("1/site") == {
        -10.0: (18_250, 1),
        -5.0: (18_250, 1),
        0.0: (18_250, 1),
        10.0: (18_250, 16),
        15.0: (18_250, 16),
    }
    site = next(one for one in bench.metering.duties if one.key.endswith("/site"))
    assert site.gaps == (Interval.lasting(T0 + 5 * MINUTE, 5 * MINUTE),)
    assert site.told_until == T0 + 20 * MINUTE


@pytest.mark.row("csip:G27")
async def test_what_no_site_measures_is_no_usage_point(bench: Bench) -> None:
    bench.sites.states.clear()
    await bench.until(10)
    assert bench.server.posted == []
    bench.sites.has("depot-1", T0, pcc_power_w=1.0)
    await bench.until(20)
    assert set(bench.server.points()) == {"1/site"}


@pytest.mark.row("sep2:34")
@pytest.mark.row("csip:P41")
async def test_the_server_decides_how_often(bench: Bench) -> None:
    bench.server.post_rate = 15 * MINUTE
    await bench.until(46)
    count = len([1 for path, _ in bench.server.posted if path != "/mup"])
    assert count == 2 * 4  # both directions: at once, then at 5, 20 and 35
    assert len(bench.readings("1/site")) == 10


@pytest.mark.row("sep2:34")
async def test_down_to_a_minute_if_the_server_asks(bench: Bench) -> None:
    bench.server.post_rate = MINUTE
    await bench.until(4)
    assert bench.server.created == {201: 1, 204: 1}  # told again, with its new length
    kinds = [one.reading_type for one in bench.server.points()["1/site"].meter_readings]
    assert {one.interval_length for one in kinds if one} == {MINUTE}
    assert set(bench.readings("1/site")) == {float(m) for m in range(-10, 3)}


@pytest.mark.row("sep2:36")
async def test_a_restart_goes_on_where_it_was(bench: Bench) -> None:
    await bench.until(6)
    await bench.start()
    await bench.until(11)
    assert bench.server.created == {201: 1}
    sets = [
        (one.mrid, s.mrid)
        for _, one in bench.server.posted
        if isinstance(one, MirrorMeterReading)
        for s in one.reading_sets
    ]
    assert len(sets) == len(set(sets))


@pytest.mark.row("sep2:36")
async def test_without_memory_the_server_still_has_one_point(bench: Bench) -> None:
    await bench.until(6)
    href = bench.server.points()["1/site"].href
    bench.memory.documents.clear()
    await bench.start()
    await bench.until(11)
    assert bench.server.created == {201: 1, 204: 1}
    assert bench.server.points()["1/site"].href == href


async def test_a_server_that_does_not_say_where_is_asked_for_its_list(bench: Bench) -> None:
    bench.server.says_where = False
    await bench.until(6)
    assert set(bench.readings("1/site")) == {-10.0, -5.0, 0.0}


@pytest.mark.row("sep2:36")
async def test_a_lost_usage_point_is_made_again_without_a_hole(bench: Bench) -> None:
    await bench.until(6)
    lost = bench.server.points()["1/site"].href or ""
    del bench.server.resources[lost]
    bench.server.resources["filler"] = MirrorUsagePointList()
    await bench.until(16)
    assert bench.server.created == {201: 2}
    assert set(bench.readings("1/site")) == {5.0, 10.0}  # 0.0 went to the lost one


async def test_an_outage_is_made_up_for(bench: Bench) -> None:
    await bench.until(6)
    bench.server.down = True
    await bench.until(240, every=5)
    told = len(bench.server.posted)
    bench.server.down = False
    await bench.until(250, every=5)
    assert set(bench.readings("1/site")) >= {float(m) for m in range(-10, 245, 5)}
    assert len(bench.server.posted) - told <= 6


async def test_what_is_too_old_is_given_up_and_the_rest_comes_in_parts(bench: Bench) -> None:
    await bench.until(6)
    bench.server.down = True
    await bench.clock.advance(3 * 86_400)
    bench.server.down = False
    before = len(bench.server.posted)
    await bench.until(3 * 1440 + 20)
    start = min(m for m in bench.readings("1/site") if m > 100)
    assert start >= (timedelta(days=3) - KEEP) / MINUTE - 5
    posts = [one for _, one in bench.server.posted[before:]]
    sizes = [
        len(s.readings) for o in posts if isinstance(o, MirrorMeterReading) for s in o.reading_sets
    ]
    assert max(sizes) == MAX_READINGS


async def test_413_makes_the_parts_smaller(bench: Bench) -> None:
    await bench.until(6)
    bench.server.down = True
    await bench.until(120, every=5)
    bench.server.down, bench.server.most_readings = False, 4
    await bench.until(140)
    assert set(bench.readings("1/site")) >= {float(m) for m in range(-10, 130, 5)}


async def test_readings_refused_for_good_block_nothing(bench: Bench) -> None:
    bench.server.most_readings = 0
    await bench.until(11)
    bench.server.most_readings = 10
    told = len(bench.server.posted)
    await bench.until(16)
    new = [one for _, one in bench.server.posted[told:] if isinstance(one, MirrorMeterReading)]
    assert [len(s.readings) for one in new for s in one.reading_sets] == [1, 1]


async def test_trouble_of_one_point_leaves_the_others(bench: Bench) -> None:
    bench.sites.has("depot-1", T0, pcc_power_w=1.0, battery_power_w=2.0)
    await bench.until(0)
    bench.server.status[bench.server.points()["1/site"].href or ""] = 400
    await bench.until(16)
    assert set(bench.readings("1/battery")) >= {-10.0, -5.0, 0.0, 5.0}


async def test_sums_over_the_sites_of_a_device_need_all_of_them() -> None:
    pair = device_settings(1, sites=("depot-1", "depot-2"))
    bench = Bench(pair)
    bench.sites.has("depot-1", T0, pcc_power_w=10.0, charging_power_w=4.0)
    bench.sites.has("depot-2", T0, pcc_power_w=5.0, charging_power_w=3.0)
    await bench.start()
    await bench.until(0)
    assert bench.readings("1/site")[-10] == (15, 1)
    assert bench.readings("A/ders")[-10] == (7, 1)
    for name in ("power_w", "charging_power_w"):
        del bench.sites.means[f"site/depot-2/{name}"]
    await bench.until(6)
    assert set(bench.readings("1/site")) == {-10.0}
    assert bench.readings("A/ders")[0.0] == (4, 16)  # questionable: one site is unknown


async def test_energy_as_the_meter_counts_it(bench: Bench) -> None:
    bench.sites.has("depot-1", T0, pcc_power_w=1.0, pcc_import_wh=123_456.4)
    await bench.until(0)
    one = next(
        one
        for _, one in bench.server.posted
        if isinstance(one, MirrorMeterReading) and one.reading is not None
    )
    assert one.reading is not None
    assert one.reading_type is not None
    assert one.reading.value == 123_456
    assert (one.reading_type.uom, one.reading_type.kind) == (72, 12)
    assert one.reading_type.flow_direction == FORWARD


async def test_intervals_are_the_servers_and_telemetry_is_ours(bench: Bench) -> None:
    bench.ahead = timedelta(seconds=90)
    await bench.until(0)
    assert bench.sites.asked[-1][1].start == T0 - 5 * MINUTE - timedelta(seconds=90)
    assert set(bench.readings("1/site")) == {-5.0}
