"""From settings to devices: maps that fit, names that fit, and nobody claims what is another's."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from contracts.errors import ConfigError
from site_agent.config.devices import MqttBatterySettings, MqttMeterSettings
from site_agent.config.mqtt import BrokerSettings, MqttSettings
from site_agent.devices.mqtt.broker import Access, SiteBroker
from site_agent.devices.mqtt.library import load_map
from site_agent.devices.mqtt.plan import MqttPlan, check_claims, site_address
from support.leaping_clock import LeapingClock

CELLS = {"capacity_wh": 1e4, "max_charge_w": 1e3, "max_discharge_w": 1e3}


def battery(id: str = "b1", **more: Any) -> MqttPlan:
    facts = {"id": id, "kind": "mqtt", **CELLS, **more}
    settings = MqttBatterySettings.model_validate(facts)
    return MqttPlan.of("d1", settings.id, "battery", settings)


def gx(id: str, **more: Any) -> MqttPlan:
    names = {"portal": "p1", "vebus": "276", "battery": "512"} | more.pop("names", {})
    return battery(id, map="victron.gx-battery", names=names, **more)


def test_the_topics_of_a_device_are_all_it_may_use() -> None:
    assert battery(password="secret").access() == Access(
        name="b1",
        password="secret",
        says=("depot/d1/b1/status", "depot/d1/b1/state", "depot/d1/b1/ack"),
        told=("depot/d1/b1/cmd",),
    )


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"map": "gridyard.meter"}, "of a meter, not of a battery"),
        ({"map": "gridyard.nothing"}, "no topic map"),
        ({"map": {"map": 1}}, "nature"),
        ({"map": "victron.gx-battery"}, "portal"),
        ({"names": {"portal": "x"}}, "has no portal"),
    ],
)
def test_what_does_not_fit(changes: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ConfigError, match=complaint):
        battery(**changes)


def test_what_never_lapses_must_be_known_before_the_start() -> None:
    own = load_map("victron.gx-battery").model_dump(mode="json", exclude_none=True)
    power = own["controls"]["power"] | {"release": {"value": 0}}
    stays = own | {"lapse": "none", "controls": {"power": power}}
    names = {"portal": "p1", "vebus": "276", "battery": "512"}
    with pytest.raises(ConfigError, match="lapse: none"):
        battery(map=stays, names=names)
    assert battery(map=stays, names=names, lapse="none").topic_map.lapse == "none"


@pytest.mark.row("trap:Q5")
@pytest.mark.parametrize("bad", ["+", "#", "a/b", "x/cmd", "$SYS", ""])
def test_names_cannot_leave_their_level(bad: str) -> None:
    with pytest.raises(ValidationError, match="names"):
        gx("b1", names={"portal": bad})
    with pytest.raises(ValidationError, match="id"):
        battery(bad)


@pytest.mark.row("trap:Q5")
def test_two_devices_cannot_be_one() -> None:
    check_claims([battery("b1"), battery("b2"), gx("b3")])
    with pytest.raises(ConfigError, match=r"are both told on W/p1/vebus/276/Hub4/L1"):
        check_claims([gx("b1"), gx("b2")])
    with pytest.raises(ConfigError, match=r"both read N/p1/battery/512/Soc /value"):
        check_claims([gx("b1"), gx("b2", names={"vebus": "277"})])
    with pytest.raises(ConfigError, match="two devices on MQTT are called 'b1'"):
        check_claims([battery("b1"), gx("b1")])
    elsewhere = {"host": "gx.example"}
    check_claims([gx("b1"), gx("b2", broker=elsewhere)])
    with pytest.raises(ConfigError, match="both told"):
        check_claims([gx("b1", broker=elsewhere), gx("b2", broker=elsewhere)])


@pytest.mark.row("trap:Q5")
def test_a_wildcard_claims_what_it_may_hear() -> None:
    point = {"topic": "N/p1/vebus/+/P", "pointer": "/value", "required": True}
    wild = {"map": 1, "id": "wild", "nature": "meter", "points": {"active_power": point}}
    one = wild | {"points": {"active_power": point | {"topic": "N/p1/vebus/276/P"}}}

    def meter(id: str, topic_map: Any) -> MqttPlan:
        facts = {"id": id, "kind": "mqtt", "map": topic_map}
        return MqttPlan.of("d1", id, "meter", MqttMeterSettings.model_validate(facts))

    with pytest.raises(ConfigError, match="both read"):
        check_claims([meter("m1", wild), meter("m2", one)])


@pytest.mark.parametrize("bad", ["agent", "a.b"])
def test_names_the_embedded_broker_cannot_have(bad: str) -> None:
    device = Access(name=bad, password="x", says=(f"depot/d1/{bad}/state",))
    with pytest.raises(ConfigError):
        SiteBroker([device], folder=Path("broker"), clock=LeapingClock())


def test_a_broker_elsewhere() -> None:
    settings = MqttSettings(embedded=False, host="broker.example", port=8883, tls=True)
    address = site_address(settings)
    assert (address.host, address.port) == ("broker.example", 8883)
    assert address.tls is not None
    assert address.tls.check_hostname
    assert site_address(MqttSettings(embedded=False)).tls is None
    assert "hidden" not in repr(BrokerSettings(host="x", username="u", password="hidden"))


@pytest.mark.parametrize(
    "bad",
    [
        {"embedded": False, "cert": "c"},
        {"embedded": False, "ca": "c"},
        {"embedded": False, "port": -1},
        {"embedded": True, "key": "k"},
        {"embedded": True, "tls": True},
        {"embedded": True, "username": "u"},
    ],
)
def test_half_a_broker(bad: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        MqttSettings.model_validate(bad)


def test_certificates_that_cannot_be_read() -> None:
    settings = MqttSettings.model_validate(
        {"embedded": False, "tls": True, "ca": "no-such-file.pem"}
    )
    with pytest.raises(ConfigError, match=r"no-such-file\.pem"):
        site_address(settings)
