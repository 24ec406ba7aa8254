"""A cloud CSMS that orders what it must not, floods, or talks nonsense, before a bare charger."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from site_agent.devices.ocpp.proxy.settings import CloudConfig
from site_agent.devices.ocpp.settings import Timing
from site_agent.store.memory import MemoryCloudQueue, MemoryKeyValues
from support.cloud_csms import CloudCsms, Json, cloud_csms
from support.fast_clock import FastClock
from support.ocpp_charger import RawCharger, limit
from support.ocpp_depot import Depot, connected, depot, station
from support.waiting import until

pytestmark = [pytest.mark.row("safety:S7"), pytest.mark.row("safety:S6")]

_TIMING = Timing(greeting_s=1.0, call_timeout_s=2.0, lease_s=600.0, patience_s=600.0)


@asynccontextmanager
async def charging(
    version: str, cloud: CloudCsms, answers: dict[str, Any] | None = None, **settings: Any
) -> AsyncIterator[tuple[Depot, RawCharger, str]]:
    """A charger in a transaction at 10 A, its cloud connected and up to date."""
    settings = {"patience_s": 400.0} | settings
    config = CloudConfig(url=cloud.url, identity="CP1", **settings)
    async with (
        depot(
            station(cloud=config),
            timing=_TIMING,
            clock=FastClock(40.0),
            clouds=MemoryCloudQueue(),
            memory=MemoryKeyValues(),
        ) as site,
        connected(site, version=version, answers=answers) as charger,
    ):
        await charger.boot()
        await charger.hears("TriggerMessage")
        ref = await charger.begin(site.clock)
        await site.ask(10)
        proxy = site.system.stations["CP1"].proxy
        assert proxy is not None
        await until(lambda: cloud.connected and not proxy.waiting)
        yield site, charger, ref


def _set_profile(version: str, limit_a: float, purpose: str = "TxDefaultProfile") -> Json:
    periods = [{"startPeriod": 0, "limit": limit_a}]
    schedule = {"chargingRateUnit": "A", "chargingSchedulePeriod": periods}
    wire = {"stackLevel": 9, "chargingProfilePurpose": purpose, "chargingProfileKind": "Absolute"}
    if version == "ocpp1.6":
        return {
            "connectorId": 0 if "Max" in purpose else 1,
            "csChargingProfiles": {**wire, "chargingProfileId": 1, "chargingSchedule": schedule},
        }
    schedules = [{"id": 1, **schedule}]
    return {
        "evseId": 0 if "Max" in purpose else 1,
        "chargingProfile": {**wire, "id": 1, "chargingSchedule": schedules},
    }


async def test_no_profile_of_the_cloud_reaches_the_charger(version: str) -> None:
    station_max = "ChargePointMaxProfile" if version == "ocpp1.6" else "ChargingStationMaxProfile"
    async with cloud_csms() as cloud, charging(version, cloud) as (site, charger, _):
        before = len(charger.heard)
        for purpose in ("TxDefaultProfile", "TxProfile", station_max):
            await cloud.order("SetChargingProfile", _set_profile(version, 32, purpose))
        await cloud.order("ClearChargingProfile", {})
        heard = [action for action, _ in charger.heard[before:]]
        assert not {"SetChargingProfile", "ClearChargingProfile"} & set(heard)
        await site.ask(10)
        assert site.state().confirmed_limit_a == 10
        assert max(limit(sent) for sent in charger.profiles()) == 10


async def test_a_start_of_the_cloud_comes_without_its_profile(version: str) -> None:
    async with cloud_csms() as cloud, charging(version, cloud) as (site, charger, ref):
        await charger.end(site.clock, ref, 2000.0)
        wire = _set_profile(version, 8, "TxProfile")
        wire = wire.get("csChargingProfiles") or wire["chargingProfile"]
        action, order = _start_at(version, 1)
        answer = await cloud.result(action, {**order, "chargingProfile": wire})
        assert answer["status"] == "Accepted"
        assert "chargingProfile" not in await charger.hears(action)
        assert site.state().ceiling_a is None
        await charger.begin(site.clock, ref="tx-2")
        assert site.state().ceiling_a == 8
        await site.ask(16)
        assert site.state().confirmed_limit_a == 8


async def test_a_start_with_a_profile_is_for_an_evse_that_is_there(version: str) -> None:
    wire = _set_profile(version, 8, "TxProfile")
    wire = wire.get("csChargingProfiles") or wire["chargingProfile"]
    async with cloud_csms() as cloud, charging(version, cloud) as (_, charger, _):
        action, order = _start_at(version, 99)
        answer = await cloud.result(action, {**order, "chargingProfile": wire})
        assert answer["status"] == "Rejected"
        assert action not in [heard for heard, _ in charger.heard]


def _start_at(version: str, evse: int) -> tuple[str, Json]:
    if version == "ocpp1.6":
        return "RemoteStartTransaction", {"connectorId": evse, "idTag": "TAG1"}
    token = {"idToken": "TAG1", "type": "ISO14443"}
    return "RequestStartTransaction", {"evseId": evse, "idToken": token, "remoteStartId": 7}


OURS_16 = [
    ("HeartbeatInterval", "86400"),
    ("AuthorizationKey", "0123456789abcdef"),
    ("MeterValueSampleInterval", "3600"),
    ("MeterValueSampleInterval", "0"),
    ("MeterValuesSampledData", "SoC"),
    ("LocalAuthListEnabled", "true"),
    ("SecurityProfile", "0"),
    ("CentralSystemURL", "ws://elsewhere.example"),
]
OURS_201 = [
    ("OCPPCommCtrlr", "NetworkConfigurationPriority", "2"),
    ("SecurityCtrlr", "BasicAuthPassword", "0123456789abcdef"),
    ("SampledDataCtrlr", "TxUpdatedInterval", "3600"),
    ("SmartChargingCtrlr", "Enabled", "false"),
    ("LocalAuthListCtrlr", "Enabled", "true"),
]


async def test_settings_that_are_ours_are_refused() -> None:
    async with cloud_csms() as cloud, charging("ocpp1.6", cloud) as (_, charger, _):
        before = len(charger.heard)
        for key, value in OURS_16:
            answer = await cloud.result("ChangeConfiguration", {"key": key, "value": value})
            assert answer == {"status": "Rejected"}, key
        assert "ChangeConfiguration" not in [action for action, _ in charger.heard[before:]]
        free = {"key": "LightIntensity", "value": "40"}
        assert await cloud.result("ChangeConfiguration", free) == {"status": "Accepted"}
        assert charger.heard[-1] == ("ChangeConfiguration", free)


async def test_of_variables_only_those_that_are_free_are_set() -> None:
    def entry(component: str, variable: str, value: str) -> Json:
        names = {"component": {"name": component}, "variable": {"name": variable}}
        return {**names, "attributeValue": value}

    asked = [entry(*OURS_201[0]), entry("Display", "Brightness", "4")]
    asked += [entry(*one) for one in OURS_201[1:]]
    async with cloud_csms() as cloud, charging("ocpp2.0.1", cloud) as (_, charger, _):
        answer = await cloud.result("SetVariables", {"setVariableData": asked})
        statuses = [one["attributeStatus"] for one in answer["setVariableResult"]]
        assert statuses == ["Rejected", "Accepted", *["Rejected"] * (len(OURS_201) - 1)]
        assert charger.heard[-1] == ("SetVariables", {"setVariableData": [asked[1]]})
        network = {
            "configurationSlot": 1,
            "connectionData": {
                "ocppVersion": "OCPP20", "ocppTransport": "JSON", "messageTimeout": 30,
                "ocppCsmsUrl": "ws://elsewhere.example", "securityProfile": 0,
                "ocppInterface": "Wired0",
            },
        }  # fmt: skip
        refused = await cloud.result("SetNetworkProfile", network)
        assert refused == {"status": "Rejected"}
        assert charger.heard[-1][0] == "SetVariables"


async def test_resets_come_one_a_minute(version: str) -> None:
    order = {"type": "Soft" if version == "ocpp1.6" else "OnIdle"}
    async with cloud_csms() as cloud, charging(version, cloud) as (site, charger, _):
        begun_s = site.clock.monotonic()
        assert (await cloud.result("Reset", order))["status"] == "Accepted"
        while (await cloud.result("Reset", order))["status"] == "Rejected":
            await site.clock.sleep(10)
        assert site.clock.monotonic() - begun_s >= 60
        assert [action for action, _ in charger.heard].count("Reset") == 2


async def test_firmware_only_where_the_settings_say_so() -> None:
    order = {"location": "https://example.org/fw", "retrieveDate": "2026-01-01T00:00:00Z"}
    async with cloud_csms() as cloud, charging("ocpp1.6", cloud, firmware=False) as (_, charger, _):
        assert (await cloud.order("UpdateFirmware", order))[0] == 4
        assert "UpdateFirmware" not in [action for action, _ in charger.heard]
    answers: dict[str, Any] = {"UpdateFirmware": {}}
    async with cloud_csms() as cloud, charging("ocpp1.6", cloud, answers) as (_, charger, _):
        assert await cloud.result("UpdateFirmware", order) == {}
        await charger.hears("UpdateFirmware")


NONSENSE: list[tuple[str | bytes, str | None]] = [
    ("[2,", "-1"),
    ("[" * 20_000 + "]" * 20_000, "-1"),
    (b"\x00\x01", "-1"),
    ('[2,"a","Reset"]', "a"),
    ('[2,"b","NoSuchThing",{}]', "b"),
    ('[2,"c","Reset",{"type":"Sideways"}]', "c"),
    ('[2,"d","../../etc/passwd",{}]', "d"),
    ('[3,"nobody-asked",{}]', None),
    ('[4,"nobody-asked","X","",{}]', None),
    ("{}", "-1"),
]


async def test_nonsense_is_answered_or_counted_and_charging_goes_on(version: str) -> None:
    async with cloud_csms() as cloud, charging(version, cloud) as (site, charger, _):
        before = len(cloud.logins)
        for message, _ in NONSENSE:
            await cloud.send(message)
        answer = await cloud.order("ClearCache", {})
        assert answer[2] == {"status": "Accepted"}
        assert len(cloud.logins) == before
        await site.ask(8)
        assert site.state().confirmed_limit_a == 8
        assert not [action for action, _ in charger.heard if action == "Reset"]


async def test_a_frame_that_is_too_large_costs_the_cloud_its_connection_only(version: str) -> None:
    async with cloud_csms() as cloud, charging(version, cloud) as (site, _, _):
        before = len(cloud.logins)
        await cloud.send(json.dumps([2, "big", "DataTransfer", {"vendorId": "x" * 1_000_000}]))
        await site.ask(8)
        assert site.state().confirmed_limit_a == 8
        await until(lambda: len(cloud.logins) > before)  # and it may come back
        assert (await cloud.result("ClearCache", {}))["status"] == "Accepted"


async def test_a_flood_of_orders_delays_no_limit(version: str) -> None:
    async with cloud_csms() as cloud, charging(version, cloud) as (site, charger, _):
        before = len(charger.heard)
        for number in range(2_000):
            try:
                await cloud.send(f'[2,"f{number}","ClearCache",{{}}]')
            except Exception:  # it may have hung up already
                break
        await site.ask(8)
        assert site.state().confirmed_limit_a == 8
        passed = [action for action, _ in charger.heard[before:] if action == "ClearCache"]
        assert len(passed) <= 64
        await until(lambda: len(cloud.logins) >= 2)


async def test_orders_that_find_no_answer_do_not_fill_the_link(version: str) -> None:
    """Each would hold up a limit for as long as it waits: after one there is a pause."""
    async with (
        cloud_csms() as cloud,
        charging(version, cloud, {"ClearCache": None}) as (site, charger, _),
    ):
        first = await cloud.order("ClearCache", {})
        second = await cloud.order("ClearCache", {})
        assert first[0] == second[0] == 4
        assert [action for action, _ in charger.heard].count("ClearCache") == 1
        await site.ask(8)
        assert site.state().confirmed_limit_a == 8


async def test_answers_of_the_cloud_that_make_no_sense_change_nothing(version: str) -> None:
    nonsense: Json = {"idTagInfo": 5, "idTokenInfo": "x", "transactionId": "no number"}
    async with (
        cloud_csms(Authorize=nonsense, StartTransaction=nonsense) as cloud,
        charging(version, cloud) as (site, charger, ref),
    ):
        token: Any = {"idToken": "TAG1", "type": "ISO14443"}
        asked = {"idTag": "TAG1"} if version == "ocpp1.6" else {"idToken": token}
        answer = await charger.call("Authorize", asked)
        assert next(iter(answer.values()))["status"] == "Accepted"  # our own verdict
        await charger.end(site.clock, ref, 2000.0)
        assert site.state().transaction_id is None
