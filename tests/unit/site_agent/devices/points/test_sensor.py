from contracts.reading import Quality
from contracts.testing import FakeClock
from site_agent.devices.points.sensor import PointSensor, quantity
from support.live_nature import living
from support.point_source import HandSource


async def test_a_sensor_shows_what_its_source_has_and_wakes_at_a_contact() -> None:
    clock = FakeClock()
    source = HandSource(["contact", "irradiance"], clock)
    woken: list[object] = []
    sensor = PointSensor(source, name="s", clock=clock, wake=lambda: woken.append(1))
    async with living(sensor, clock):
        source.show(contact=0.0, irradiance=800.0)
        await clock.advance(0.1)
        woken.clear()
        source.show(contact=1.0, irradiance=801.0)
        await clock.advance(0.1)
        source.show(irradiance=802.0)
        await clock.advance(0.1)
        assert len(woken) == 1
        readings = sensor.readings(clock.now())
        assert readings["contact"].value == 1.0
        await clock.advance(40.0)
        assert sensor.readings(clock.now())["irradiance_w_m2"].quality is Quality.OFFLINE


def test_a_quantity_ends_in_its_unit() -> None:
    names = ["frequency", "ambient_temperature", "irradiance", "contact", "soc", "import_energy"]
    assert [quantity(name) for name in names] == [
        "frequency_hz",
        "ambient_temperature_c",
        "irradiance_w_m2",
        "contact",
        "soc_pct",
        "import_energy_wh",
    ]
