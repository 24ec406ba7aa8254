"""Who may charge, and who it is: over real sockets, in every version."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from site_agent.devices.ocpp.settings import Version
from site_agent.devices.ocpp.wire.fields import stamp
from site_agent.domain.fleet.access import Access, Rule
from site_agent.domain.fleet.identity import Credential, Evidence, Kind, Roster
from support.ocpp_charger import Json, RawCharger
from support.ocpp_depot import Depot, connected, depot, spec, station

LATER = datetime(2099, 1, 1, tzinfo=UTC)
ROSTER = Roster(
    credentials={
        (Kind.TAG, "van"): Credential(vehicle="van-1", group="vans", valid_until=LATER),
        (Kind.TAG, "lost"): Credential(vehicle="van-1", blocked=True),
        (Kind.TAG, "old"): Credential(
            vehicle="van-1", valid_until=datetime(2020, 1, 1, tzinfo=UTC)
        ),
        (Kind.TAG, "here"): Credential(vehicle="van-1", evses=frozenset({"evse-1"})),
        (Kind.TAG, "ann"): Credential(driver="ann"),
        (Kind.EMAID, "DE8AAC12345678"): Credential(vehicle="van-2"),
        (Kind.VIN, "WVWZZZ1JZ3W386752"): Credential(vehicle="van-3"),
        (Kind.EVCCID, "02005E100001"): Credential(vehicle="van-4"),
    },
    drives={"ann": "van-1"},
    bays={"evse-2": "van-5"},
)
RULES = Access(roster=ROSTER, strangers=Rule(admit=False), concurrent=False)
CONTRACT = {"idToken": "DE-8AA-C12345678-9", "type": "eMAID"}


async def shown(charger: RawCharger, tag: str) -> Json:
    """The answer to a card that is held up."""
    if charger.version == "ocpp1.6":
        info: Json = (await charger.call("Authorize", {"idTag": tag}))["idTagInfo"]
    else:
        token = {"idToken": tag, "type": "ISO14443"}
        info = (await charger.call("Authorize", {"idToken": token}))["idTokenInfo"]
    return info


async def starts(charger: RawCharger, site: Depot, tag: str, connector: int = 1) -> Json:
    """The answer to a start by a card."""
    at = stamp(site.clock.now())
    if charger.version == "ocpp1.6":
        start = {"connectorId": connector, "idTag": tag, "meterStart": 0, "timestamp": at}
        info: Json = (await charger.call("StartTransaction", start))["idTagInfo"]
    else:
        info = (await event(charger, "Started", at, tag, connector))["idTokenInfo"]
    return info


async def event(
    charger: RawCharger, kind: str, at: str, tag: str, connector: int = 1, **more: Any
) -> Json:
    token = {"idToken": {"idToken": tag, "type": "ISO14443"}}
    body = charger.event(kind, at, f"tx-{connector}", {"timestamp": at, "sampledValue": [
        {"value": 0, "measurand": "Energy.Active.Import.Register", "unitOfMeasure": {"unit": "Wh"}}
    ]})  # fmt: skip
    body["evse"]["id"] = connector
    return await charger.call("TransactionEvent", body | token | more)


def two() -> Any:
    return station(evses={1: spec(1), 2: spec(2)})


async def test_every_verdict_in_the_words_of_the_version(version: str) -> None:
    old = version == "ocpp1.6"
    async with depot(access=RULES) as site, connected(site, version=version) as charger:
        van = await shown(charger, "VaN")
        assert van.pop("status") == "Accepted"
        ends = stamp(LATER)
        assert van == (
            {"parentIdTag": "vans", "expiryDate": ends}
            if old
            else {
                "groupIdToken": {"idToken": "vans", "type": "Central"},
                "cacheExpiryDateTime": ends,
            }
        )
        statuses = [(await shown(charger, tag))["status"] for tag in ("LOST", "OLD", "WHO")]
        assert statuses == ["Blocked", "Expired", "Invalid" if old else "Unknown"]


async def test_a_card_for_some_evses_is_told_where() -> None:
    async with depot(two(), access=RULES) as site, connected(site, version="ocpp2.0.1") as charger:
        assert await shown(charger, "HERE") == {"status": "Accepted", "evseId": [1]}
        assert (await starts(charger, site, "HERE", 2))["status"] == "NotAtThisLocation"


async def test_a_second_plug_for_one_card_is_refused_but_recorded(version: str) -> None:
    async with depot(two(), access=RULES) as site, connected(site, version=version) as charger:
        assert (await starts(charger, site, "VAN", 1))["status"] == "Accepted"
        assert (await starts(charger, site, "VAN", 2))["status"] == "ConcurrentTx"
        assert site.state("evse-2").transaction_id is not None
        # the driver holds the card up to stop: that must not be refused
        assert (await shown(charger, "VAN"))["status"] == "Accepted"


async def test_a_card_of_another_station_counts_too(version: str) -> None:
    stations = (station("CP1", 1), station("CP2", 2))
    async with (
        depot(*stations, access=RULES) as site,
        connected(site, "CP1", version) as one,
        connected(site, "CP2", version) as other,
    ):
        assert (await starts(one, site, "VAN"))["status"] == "Accepted"
        assert (await starts(other, site, "van"))["status"] == "ConcurrentTx"


async def test_what_began_offline_is_recorded_whatever_the_verdict(version: str) -> None:
    async with depot(access=RULES) as site, connected(site, version=version) as charger:
        assert (await starts(charger, site, "LOST"))["status"] == "Blocked"
        state = site.state()
        assert (state.transaction_id, state.id_tag) == ("1", "LOST")
        assert state.identity is not None
        assert state.identity.vehicle == "van-1"


async def test_the_identity_is_handed_on_until_the_plug_is_drawn(version: str) -> None:
    async with depot(access=RULES) as site, connected(site, version=version) as charger:
        await starts(charger, site, "ANN")
        who = site.state().identity
        assert who is not None
        assert (who.driver, who.vehicle, who.evidence) == ("ann", "van-1", Evidence.DRIVER_CARD)
        ref = "1" if version == "ocpp1.6" else "tx-1"
        await charger.end(site.clock, ref, 100)
        assert site.state().identity == who
        await charger.status(site.clock, "Available")
        assert site.state().identity is None


async def test_an_adopted_transaction_keeps_its_card() -> None:
    async with depot(access=RULES) as site, connected(site) as charger:
        await starts(charger, site, "ANN")
    async with depot(access=RULES, sessions=site.sessions) as again:
        who = again.state().identity
        assert who is not None
        assert who.vehicle == "van-1"


async def test_a_card_shown_after_plugging_in_is_the_transactions() -> None:
    async with depot(access=RULES) as site, connected(site, version="ocpp2.0.1") as charger:
        at = stamp(site.clock.now())
        bare = {"idToken": "", "type": "NoAuthorization"}
        answer = await event(charger, "Started", at, "", idToken=bare)
        assert answer["idTokenInfo"]["status"] == "Accepted"
        before = site.state().identity
        assert before is not None
        assert before.vehicle is None
        await event(charger, "Updated", at, "VAN")
        after = site.state().identity
        assert after is not None
        assert after.vehicle == "van-1"


async def test_a_button_is_refused_where_the_site_says_so() -> None:
    rules = replace(RULES, bare=Rule(admit=False))
    async with depot(access=rules) as site, connected(site, version="ocpp2.0.1") as charger:
        bare = {"idToken": "", "type": "NoAuthorization"}
        answer = await event(charger, "Started", stamp(site.clock.now()), "", idToken=bare)
        assert answer["idTokenInfo"]["status"] == "Invalid"
        assert site.state().transaction_id is not None


async def test_a_contract_certificate_goes_with_its_transaction() -> None:
    async with depot(access=RULES) as site, connected(site, version="ocpp2.0.1") as charger:
        hashes = {"hashAlgorithm": "SHA256", "issuerNameHash": "00", "issuerKeyHash": "00"}
        leaf = hashes | {"serialNumber": "4711", "responderURL": "http://192.0.2.1"}
        asked = {"idToken": CONTRACT, "iso15118CertificateHashData": [leaf]}
        answer = await charger.call("Authorize", asked)
        assert answer == {"idTokenInfo": {"status": "Accepted"}, "certificateStatus": "Accepted"}
        await event(charger, "Started", stamp(site.clock.now()), "", idToken=CONTRACT)
        who = site.state().identity
        assert who is not None
        assert (who.vehicle, who.evidence) == ("van-2", Evidence.CONTRACT)
        assert who.presented.certificate == "4711"


async def test_a_certificate_the_charger_could_not_check_proves_nothing() -> None:
    async with depot(access=RULES) as site, connected(site, version="ocpp2.0.1") as charger:
        answer = await charger.call("Authorize", {"idToken": CONTRACT, "certificate": "PEM"})
        assert answer["idTokenInfo"]["status"] == "Invalid"
        assert answer["certificateStatus"] == "CertChainError"


async def test_a_vin_beside_the_card_outranks_it() -> None:
    async with depot(access=RULES) as site, connected(site, version="ocpp2.0.1") as charger:
        told = [{"additionalIdToken": "WVWZZZ1JZ3W386752", "type": "VIN"}]
        token = {"idToken": "VAN", "type": "ISO14443", "additionalInfo": told}
        await event(charger, "Started", stamp(site.clock.now()), "", idToken=token)
        who = site.state().identity
        assert who is not None
        assert (who.vehicle, who.evidence) == ("van-3", Evidence.VEHICLE)
        assert who.conflicts


async def test_a_vehicle_told_by_a_vendors_message_is_known(version: str) -> None:
    async with depot(access=RULES) as site, connected(site, version=version) as charger:
        await charger.status(site.clock, "Preparing")
        data = json.dumps({"EVCC-ID": "02:00:5e:10:00:01", "connectorId": 1})
        answer = await charger.call("DataTransfer", {"vendorId": "any", "data": data})
        assert answer["status"] == "Accepted"
        who = site.state().identity
        assert who is not None
        assert who.vehicle == "van-4"


@pytest.mark.parametrize(
    "data",
    [
        "[" * 1900, "nonsense", '{"vin": 5}', '{"vin": "short"}', '{"connectorId": 9}', "null",
        '{"vin": "WVWZZZ1JZ3W386752", "connectorId": 9}', json.dumps({"vin": "x" * 5000}),
    ],
    ids=range(8),
)  # fmt: skip
async def test_what_no_vendor_means_changes_nothing(data: str) -> None:
    async with depot(access=RULES) as site, connected(site) as charger:
        await charger.status(site.clock, "Preparing")
        answer = await charger.call("DataTransfer", {"vendorId": "any", "data": data})
        assert answer["status"] == "UnknownVendorId"
        who = site.state().identity
        assert who is not None
        assert who.vehicle is None


async def test_a_connected_vehicle_told_by_an_event_is_known() -> None:
    async with depot(access=RULES) as site, connected(site, version="ocpp2.0.1") as charger:
        await charger.status(site.clock, "Preparing")
        at = stamp(site.clock.now())
        entry = {
            "eventId": 1, "timestamp": at, "trigger": "Delta", "eventNotificationType":
            "HardWiredNotification", "actualValue": "02005E100001", "component":
            {"name": "ConnectedEV", "evse": {"id": 1}}, "variable": {"name": "VehicleId"},
        }  # fmt: skip
        await charger.call("NotifyEvent", {"generatedAt": at, "seqNo": 0, "eventData": [entry]})
        who = site.state().identity
        assert who is not None
        assert who.vehicle == "van-4"


async def test_no_whole_tag_reaches_the_log(capsys: pytest.CaptureFixture[str]) -> None:
    async with depot(access=RULES) as site, connected(site) as charger:
        for tag in ("PRIVATE-CARD-0815", "VAN"):
            await shown(charger, tag)
            await starts(charger, site, tag)
    logged = capsys.readouterr()
    assert "0815" in logged.out + logged.err
    assert "PRIVATE-CARD" not in logged.out + logged.err


async def test_an_evccid_of_21_is_the_vehicle() -> None:
    newest = station(versions=(Version.V21,))
    async with depot(newest, access=RULES) as site, connected(site, version="ocpp2.1") as charger:
        token = {"idToken": "02:00:5E:10:00:01", "type": "EVCCID"}
        answer = await charger.call("Authorize", {"idToken": token})
        assert answer["idTokenInfo"]["status"] == "Accepted"
        await event(charger, "Started", stamp(site.clock.now()), "", idToken=token)
        who = site.state().identity
        assert who is not None
        assert who.vehicle == "van-4"
