"""What chargers tell beside charging, over real sockets: kept, counted, answered."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest

from contracts.errors import PermanentError, TransientError
from site_agent.devices.ocpp.evse.ceilings import Ceiling
from site_agent.devices.ocpp.known.asking import all_settings, held_profiles
from site_agent.devices.ocpp.settings import Version
from site_agent.devices.ocpp.station import Station
from site_agent.devices.ocpp.versions.words import ProfileFilter
from site_agent.devices.ocpp.wire.frames import Json
from support.ocpp_charger import RawCharger
from support.ocpp_depot import Depot, connected, depot, spec, station
from support.waiting import until

BOTH = ["ocpp1.6", "ocpp2.0.1"]
ANY = station(versions=(Version.V21, Version.V201, Version.V16))
NEW = pytest.mark.parametrize("version", ["ocpp2.0.1", "ocpp2.1"])
AT = "2026-01-05T12:00:00Z"


def told(site: Depot) -> Station:
    return site.system.stations["CP1"]


def entry(component: str, variable: str, value: str) -> dict[str, Any]:
    return {
        "component": {"name": component},
        "variable": {"name": variable},
        "variableAttribute": [{"value": value, "mutability": "ReadOnly"}],
    }


async def part(charger: RawCharger, request_id: int, seq_no: int, *, tbc: bool) -> None:
    body = {"requestId": request_id, "generatedAt": AT, "seqNo": seq_no, "tbc": tbc}
    data = [entry("EVSE", f"v{seq_no}", str(seq_no))]
    await charger.call("NotifyReport", {**body, "reportData": data})


@NEW
async def test_every_setting_is_reported_in_parts(version: str) -> None:
    async with depot(ANY) as site, connected(site, version=version) as charger:
        await charger.boot()
        asked = asyncio.ensure_future(all_settings(told(site)))
        request_id = (await charger.hears("GetBaseReport"))["requestId"]
        for seq_no in range(3):
            await part(charger, request_id, seq_no, tbc=seq_no < 2)
        found = await asked
        assert [one.name for one in found] == ["EVSE.v0", "EVSE.v1", "EVSE.v2"]
        assert all(one.readonly for one in found)
        assert told(site).inventory.settings == found


async def test_every_setting_of_16_is_one_answer() -> None:
    keys = [{"key": "A", "readonly": True, "value": "1"}, {"key": "B", "readonly": False}, 7]
    answers = {"GetConfiguration": {"configurationKey": keys}}
    async with depot() as site, connected(site, answers=answers) as charger:
        await charger.boot()
        found = await all_settings(told(site))
        assert [(one.name, one.value, one.readonly) for one in found] == [
            ("A", "1", True),
            ("B", "", False),
        ]
        with pytest.raises(PermanentError):
            await held_profiles(told(site), ProfileFilter())


async def test_a_report_that_never_comes_is_given_up() -> None:
    answers: dict[str, Any] = {"GetChargingProfiles": {"status": "NoProfiles"}}
    async with depot() as site:
        with pytest.raises(TransientError):
            await all_settings(told(site))
        async with connected(site, version="ocpp2.0.1", answers=answers) as charger:
            await charger.boot()
            with pytest.raises(TransientError):
                await all_settings(told(site), timeout_s=0.05)
            assert await held_profiles(told(site), ProfileFilter()) == ()
            answers["GetBaseReport"] = {"status": "NotSupported"}
            with pytest.raises(PermanentError):
                await all_settings(told(site))


@NEW
async def test_limits_of_others_are_a_ceiling_until_they_are_cleared(version: str) -> None:
    async with depot(ANY) as site, connected(site, version=version) as charger:
        await charger.boot()
        schedule = {
            "id": 1,
            "chargingRateUnit": "W",
            "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 6900}],
        }
        body = {"chargingLimit": {"chargingLimitSource": "EMS"}, "chargingSchedule": [schedule]}
        wakes = len(site.wakes)
        await charger.call("NotifyChargingLimit", {"evseId": 1, **body})
        assert site.state().ceiling_a == 10.0
        assert len(site.wakes) > wakes
        await charger.call("ClearedChargingLimit", {"chargingLimitSource": "SO"})
        assert site.state().ceiling_a == 10.0
        await charger.call("ClearedChargingLimit", {"chargingLimitSource": "EMS", "evseId": 1})
        assert site.state().ceiling_a is None


async def test_a_restart_of_the_charger_ends_what_it_told() -> None:
    async with depot() as site, connected(site, version="ocpp2.0.1") as charger:
        await charger.boot()
        schedule = {
            "id": 1,
            "chargingRateUnit": "A",
            "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 8}],
        }
        body = {"chargingLimit": {"chargingLimitSource": "EMS"}, "chargingSchedule": [schedule]}
        await charger.call("NotifyChargingLimit", {"evseId": 1, **body})
        ceiling = Ceiling(steps=((site.clock.now(), 20.0),))
        told(site).evse(1).ceilings.put("cloud", [ceiling])
        assert site.state().ceiling_a == 8.0
        await charger.boot()
        assert site.state().ceiling_a == 20.0


async def test_a_limit_of_the_station_is_shared() -> None:
    two = station(evses={1: spec(1), 2: spec(2)})
    async with depot(two) as site, connected(site, version="ocpp2.0.1") as charger:
        await charger.boot()
        schedule = {
            "id": 1,
            "chargingRateUnit": "A",
            "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 20}],
        }
        body = {"chargingLimit": {"chargingLimitSource": "SO"}, "chargingSchedule": [schedule]}
        await charger.call("NotifyChargingLimit", body)
        assert [site.state(f"evse-{n}").ceiling_a for n in (1, 2)] == [10.0, 10.0]


@pytest.mark.parametrize("version", BOTH)
async def test_security_events_and_transfers_are_kept(version: str) -> None:
    async with depot() as site, connected(site, version=version) as charger:
        await charger.boot()
        event = {"type": "TamperDetectionActivated", "timestamp": AT, "techInfo": "lid"}
        await charger.call("SecurityEventNotification", event)
        await charger.call("FirmwareStatusNotification", {"status": "Downloading"})
        known = told(site).inventory
        assert [(one.kind, one.info) for one in known.security_events] == [
            ("TamperDetectionActivated", "lid")
        ]
        assert known.progress == {"firmware": "Downloading"}
        assert site.counts()["security event"] == 1
        status = await charger.frame("LogStatusNotification", {"status": "x" * 51})
        assert status[2] == "PropertyConstraintViolation"


async def test_events_that_never_came_are_counted() -> None:
    async with depot() as site, connected(site, version="ocpp2.0.1") as charger:
        await charger.boot()
        for seq_no in (0, 1, 5, 3):
            kind = "Started" if seq_no == 0 else "Updated"
            event = charger.event(kind, AT, "tx-1", {"timestamp": AT, "sampledValue": []})
            await charger.call("TransactionEvent", {**event, "seqNo": seq_no, "offline": True})
        assert site.counts()["transaction event missing"] == 3
        assert told(site).inventory.notices["event told after being offline"] == 4


class Desk:
    """A CSMS behind us that knows certificates."""

    def __init__(self, answers: Mapping[str, Json | Exception]) -> None:
        self.answers = answers
        self.asked: list[tuple[str, Version, str]] = []

    async def ask(self, charge_point_id: str, version: Version, action: str, payload: Json) -> Json:
        self.asked.append((charge_point_id, version, action))
        answer = self.answers[action]
        if isinstance(answer, Exception):
            raise answer
        return answer


QUESTIONS: dict[str, dict[str, Any]] = {
    "SignCertificate": {"csr": "PEM"},
    "Get15118EVCertificate": {
        "iso15118SchemaVersion": "urn:iso:15118:2:2013:MsgDef",
        "action": "Install",
        "exiRequest": "gJg=",
    },
    "GetCertificateStatus": {
        "ocspRequestData": {
            "hashAlgorithm": "SHA256",
            "issuerNameHash": "aa",
            "issuerKeyHash": "bb",
            "serialNumber": "0c",
            "responderURL": "https://ocsp.example",
        }
    },
}
SAID: dict[str, Json] = {
    "SignCertificate": {"status": "Accepted"},
    "Get15118EVCertificate": {"status": "Accepted", "exiResponse": "gJg="},
    "GetCertificateStatus": {"status": "Accepted", "ocspResult": "MII="},
}


@NEW
@pytest.mark.parametrize("action", QUESTIONS)
async def test_certificates_are_the_desks_business(version: str, action: str) -> None:
    async with depot(ANY) as site, connected(site, version=version) as charger:
        await charger.boot()
        no = await charger.call(action, QUESTIONS[action])
        assert no["status"] in ("Rejected", "Failed")
        desk = Desk(SAID)
        told(site).desk = desk
        assert await charger.call(action, QUESTIONS[action]) == SAID[action]
        assert desk.asked == [("CP1", Version(version), action)]
        for wrong in (TransientError("down"), {"status": "Perhaps"}):
            told(site).desk = Desk({action: wrong})
            assert await charger.call(action, QUESTIONS[action]) == no


async def test_16_asks_the_desk_for_its_certificate_too() -> None:
    async with depot() as site, connected(site) as charger:
        await charger.boot()
        assert await charger.call("SignCertificate", {"csr": "PEM"}) == {"status": "Rejected"}
        told(site).desk = Desk(SAID)
        assert await charger.call("SignCertificate", {"csr": "PEM"}) == {"status": "Accepted"}


@NEW
async def test_an_outlets_state_may_come_as_an_event(version: str) -> None:
    async with depot(ANY) as site, connected(site, version=version) as charger:
        await charger.boot()
        event = {
            "eventId": 1,
            "timestamp": AT,
            "trigger": "Delta",
            "component": {"name": "Connector", "evse": {"id": 1, "connectorId": 1}},
            "variable": {"name": "AvailabilityState"},
            "eventNotificationType": "HardWiredNotification",
        }
        for word, plugged in (("Occupied", True), ("Faulted", True), ("Available", False)):
            data = [{**event, "actualValue": word}, {"component": 7}, None]
            body = {"generatedAt": AT, "seqNo": 0, "eventData": data}
            await charger.call("NotifyEvent", body)
            assert site.state().plugged is plugged
            assert told(site).inventory.conditions[1].status == word
        assert site.counts()["unreadable event"] == 3


@NEW
async def test_a_flood_of_reports_is_bounded(version: str) -> None:
    async with depot(ANY) as site, connected(site, version=version) as charger:
        await charger.boot()
        data = [entry("C", "v" * 40, "x") for _ in range(1200)]
        for number in range(12):
            body = {"requestId": number % 6, "generatedAt": AT, "seqNo": number, "tbc": True}
            await charger.call("NotifyReport", {**body, "reportData": data})
        last = {"requestId": 5, "generatedAt": AT, "seqNo": 99, "reportData": data}
        await charger.call("NotifyReport", last)
        assert 0 < len(told(site).inventory.settings) <= 5000
        assert site.counts()["report never ended"] >= 2
        limit = {"chargingLimit": {"chargingLimitSource": "x" * 21}}
        assert (await charger.frame("NotifyChargingLimit", limit))[2].startswith("PropertyC")


async def test_conditions_of_outlets_are_kept() -> None:
    async with depot() as site, connected(site) as charger:
        await charger.boot()
        body = {"connectorId": 1, "errorCode": "GroundFailure", "status": "Faulted"}
        await charger.call("StatusNotification", body)
        await charger.call("StatusNotification", {**body, "connectorId": 99})
        conditions = told(site).inventory.conditions
        await until(lambda: 1 in conditions)
        assert [(n, c.status, c.error) for n, c in conditions.items()] == [
            (1, "Faulted", "GroundFailure")
        ]
