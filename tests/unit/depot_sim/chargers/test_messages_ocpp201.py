"""What a simulated charging station answers and tells in 2.0.1 and 2.1 alike, by the schemas."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from depot_sim.chargers.events import EndReason, Status
from depot_sim.chargers.json_rpc import CallError, timestamp
from depot_sim.physics.evse import Evse
from support.charger_bench import ChargerBench
from support.signing import Signer

Json = dict[str, Any]
ACCEPTED, REJECTED = {"status": "Accepted"}, {"status": "Rejected"}
GOOD, BAD = "https://files.invalid/firmware.bin", "gopher://files.invalid/x"


@pytest.fixture(params=["2.0.1", "2.1"])
def bench(request: pytest.FixtureRequest) -> ChargerBench:
    return ChargerBench(request.param)


def token(value: str = "TAG1", kind: str = "ISO14443") -> Json:
    return {"idToken": value, "type": kind}


def variable(component: str, name: str, evse: int | None = None, **more: Any) -> Json:
    where = {"evse": {"id": evse}} if evse else {}
    return {"component": {"name": component, **where}, "variable": {"name": name}, **more}


def profile(limit: float = 10, *, purpose: str = "TxProfile", **changes: Any) -> Json:
    schedule = {
        "id": 1,
        "chargingRateUnit": "A",
        "chargingSchedulePeriod": [{"startPeriod": 0, "limit": limit}],
    }
    body = {
        "id": 1,
        "stackLevel": 0,
        "chargingProfilePurpose": purpose,
        "chargingProfileKind": "Relative",
        "chargingSchedule": [schedule],
    }
    return body | changes


def listed(*tags: str, **info: Any) -> list[Json]:
    return [{"idToken": token(tag), "idTokenInfo": ACCEPTED | info} for tag in tags]


def local_list(version: int, entries: list[Json], kind: str = "Full") -> Json:
    return {"versionNumber": version, "updateType": kind, "localAuthorizationList": entries}


# --- provisioning ------------------------------------------------------------------------------


@pytest.mark.parametrize("base", ["FullInventory", "ConfigurationInventory"])
async def test_base_reports_come_in_parts(bench: ChargerBench, base: str) -> None:
    assert bench.ask("GetBaseReport", {"requestId": 4, "reportBase": base}) == ACCEPTED
    told = await bench.told("NotifyReport")
    assert [part["seqNo"] for part in told] == list(range(len(told)))
    assert [part["tbc"] for part in told] == [True] * (len(told) - 1) + [False]
    found = [entry for part in told for entry in part["reportData"]]
    writable = {entry["variableAttribute"][0]["mutability"] for entry in found}
    assert (writable == {"ReadWrite", "WriteOnly"}) == (base == "ConfigurationInventory")
    names = {(e["component"]["name"], e["variable"]["name"]) for e in found}
    assert ("OCPPCommCtrlr", "HeartbeatInterval") in names
    assert not any(
        "value" in entry["variableAttribute"][0]
        for entry in found
        if entry["variable"]["name"] == "BasicAuthPassword"
    )


async def test_reports_of_a_selection(bench: ChargerBench) -> None:
    def report(**changes: Any) -> Json:
        return bench.ask("GetReport", {"requestId": 5, **changes})

    assert report(componentVariable=[{"component": {"name": "EVSE"}}]) == ACCEPTED
    (part,) = await bench.told("NotifyReport")
    assert {e["component"]["evse"]["id"] for e in part["reportData"]} == {1, 2}
    assert report(componentVariable=[variable("EVSE", "Power", evse=2)]) == ACCEPTED
    (part,) = await bench.told("NotifyReport")
    assert len(part["reportData"]) == 1
    assert report(componentCriteria=["Problem"]) == {"status": "EmptyResultSet"}
    off = {"evse": {"id": 1}, "operationalStatus": "Inoperative"}
    assert bench.ask("ChangeAvailability", off) == ACCEPTED
    only_evses = [{"component": {"name": "EVSE"}}]
    report(componentCriteria=["Available"], componentVariable=only_evses)
    (part,) = await bench.told("NotifyReport")
    assert {e["component"]["evse"]["id"] for e in part["reportData"]} == {2}
    summary = {"requestId": 6, "reportBase": "SummaryInventory"}
    assert bench.ask("GetBaseReport", summary) == {"status": "NotSupported"}


async def test_variables_are_read_and_set(bench: ChargerBench) -> None:
    changes = [
        ("OCPPCommCtrlr", "HeartbeatInterval", "60", "Accepted"),
        ("OCPPCommCtrlr", "HeartbeatInterval", "soon", "Rejected"),
        ("AuthCtrlr", "LocalPreAuthorize", "true", "Accepted"),
        ("SmartChargingCtrlr", "RateUnit", "A", "Rejected"),
        ("SmartChargingCtrlr", "Nonsense", "A", "UnknownVariable"),
        ("Nonsense", "RateUnit", "A", "UnknownComponent"),
        ("SecurityCtrlr", "BasicAuthPassword", "0123456789abcdef", "Accepted"),
    ]
    asked = [variable(c, n, attributeValue=value) for c, n, value, _ in changes]
    answer = bench.ask("SetVariables", {"setVariableData": asked})
    assert [r["attributeStatus"] for r in answer["setVariableResult"]] == [c[3] for c in changes]
    wanted = [
        variable("OCPPCommCtrlr", "HeartbeatInterval"),
        variable("OCPPCommCtrlr", "HeartbeatInterval", attributeType="MaxSet"),
        variable("SecurityCtrlr", "BasicAuthPassword"),
        variable("EVSE", "Power", evse=1),
        variable("EVSE", "Power", evse=7),
    ]
    read = bench.ask("GetVariables", {"getVariableData": wanted})["getVariableResult"]
    assert [(r["attributeStatus"], r.get("attributeValue")) for r in read] == [
        ("Accepted", "60"),
        ("NotSupportedAttributeType", None),
        ("Rejected", None),
        ("Accepted", "0.0"),
        ("UnknownComponent", None),
    ]


async def test_network_profiles_are_noted(bench: ChargerBench) -> None:
    data: Json = {
        "ocppVersion": "OCPP20",
        "ocppTransport": "JSON",
        "ocppCsmsUrl": "wss://csms.invalid/ocpp",
        "messageTimeout": 30,
        "securityProfile": 2,
        "ocppInterface": "Wired0",
    }
    good: Json = {"configurationSlot": 1, "connectionData": data}
    assert bench.ask("SetNetworkProfile", good) == ACCEPTED
    assert bench.ask("SetNetworkProfile", good | {"configurationSlot": 9}) == REJECTED
    bench.station.settings.security_profile = 3
    assert bench.ask("SetNetworkProfile", good) == REJECTED


async def test_reset_waits_or_not(bench: ChargerBench) -> None:
    await bench.charging()
    assert bench.ask("Reset", {"type": "OnIdle"}) == {"status": "Scheduled"}
    bench.pass_time(10)
    assert not bench.resets
    assert bench.ask("Reset", {"type": "Immediate", "evseId": 9}) == REJECTED
    assert bench.ask("Reset", {"type": "Immediate", "evseId": 1}) == ACCEPTED
    ended = [e for e in await bench.told("TransactionEvent") if e["eventType"] == "Ended"]
    assert [e["transactionInfo"]["stoppedReason"] for e in ended] == ["ImmediateReset"]
    bench.pass_time(3)
    assert bench.resets == [EndReason.RESET]
    assert bench.ask("Reset", {"type": "Immediate"}) == ACCEPTED
    assert len(bench.resets) == 2


# --- transactions and availability -------------------------------------------------------------


async def test_start_status_cost_and_stop(bench: ChargerBench) -> None:
    bench.answers["Authorize"] = {"idTokenInfo": {"status": "Unknown"}}
    bench.plug(evse_id=2)
    await bench.told()
    start: Json = {"remoteStartId": 7, "idToken": token("4711", "Central")}
    assert bench.ask("RequestStartTransaction", start | {"evseId": 9}) == REJECTED
    answer = bench.ask("RequestStartTransaction", start)
    ref = answer["transactionId"]
    status = bench.ask("GetTransactionStatus", {"transactionId": ref})
    assert status == {"ongoingIndicator": True, "messagesInQueue": True}
    events = await bench.told("TransactionEvent")
    assert events[0]["idToken"] == token("4711", "Central")
    assert events[0]["transactionInfo"]["remoteStartId"] == 7
    status = bench.ask("GetTransactionStatus", {"transactionId": ref})
    assert status == {"ongoingIndicator": True, "messagesInQueue": False}
    assert bench.ask("CostUpdated", {"transactionId": ref, "totalCost": 1.5}) == {}
    transaction = bench.station.outlets[2].transaction
    assert transaction is not None
    assert transaction.cost == 1.5
    unlock = {"evseId": 2, "connectorId": 1}
    assert bench.ask("UnlockConnector", unlock) == {"status": "OngoingAuthorizedTransaction"}
    assert bench.ask("RequestStopTransaction", {"transactionId": "none"}) == REJECTED
    assert bench.ask("RequestStopTransaction", {"transactionId": ref}) == ACCEPTED
    assert bench.ask("UnlockConnector", unlock) == {"status": "Unlocked"}
    nowhere = unlock | {"connectorId": 2}
    assert bench.ask("UnlockConnector", nowhere) == {"status": "UnknownConnector"}
    assert bench.ask("GetTransactionStatus") == {"messagesInQueue": True}
    await bench.told()
    assert bench.ask("GetTransactionStatus") == {"messagesInQueue": False}


async def test_a_start_waits_for_a_vehicle(bench: ChargerBench) -> None:
    start: Json = {"remoteStartId": 7, "idToken": token("4711", "Central"), "evseId": 1}
    start["chargingProfile"] = profile(8)
    assert bench.ask("RequestStartTransaction", start) == ACCEPTED
    bench.pass_time(30)
    bench.plug()
    events = await bench.told("TransactionEvent")
    assert events[0]["transactionInfo"]["remoteStartId"] == 7
    assert bench.station.limit(1, bench.now).current_a == 8


async def test_availability(bench: ChargerBench) -> None:
    ref = await bench.charging()
    off = {"operationalStatus": "Inoperative"}
    assert bench.ask("ChangeAvailability", off) == {"status": "Scheduled"}
    bench.ask("RequestStopTransaction", {"transactionId": ref})
    statuses = [s["connectorStatus"] for s in await bench.told("StatusNotification")]
    assert statuses == ["Unavailable", "Unavailable"]
    assert bench.ask("ChangeAvailability", {"operationalStatus": "Operative"}) == ACCEPTED


# --- who may charge ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "tag"), [("MacAddress", "A1B2C3D4E5F6"), ("eMAID", "DE8AA1A2B3C4D5"), ("Local", "x")]
)
async def test_tokens_of_every_type(bench: ChargerBench, kind: str, tag: str) -> None:
    await bench.charging(tag, tag_type=kind)
    (asked,) = [payload for name, payload in bench.heard if name == "Authorize"]
    assert asked["idToken"] == token(tag, kind)
    events = [payload for name, payload in bench.heard if name == "TransactionEvent"]
    assert events[0]["idToken"] == token(tag, kind)


async def test_without_authorisation_nobody_is_asked(bench: ChargerBench) -> None:
    await bench.charging("", tag_type="NoAuthorization")
    assert "Authorize" not in [name for name, _ in bench.heard]
    events = [payload for name, payload in bench.heard if name == "TransactionEvent"]
    assert events[0]["idToken"] == token("", "NoAuthorization")


async def test_a_contract_certificate_is_shown(bench: ChargerBench) -> None:
    chain = Signer(bench.now, "mobility operator").leaf("DE8AA1A2B3C4D5")
    await bench.charging("DE8AA1A2B3C4D5", tag_type="eMAID", contract=chain)
    (asked,) = [payload for name, payload in bench.heard if name == "Authorize"]
    assert asked["certificate"] == chain
    (identity,) = asked["iso15118CertificateHashData"]
    assert identity["hashAlgorithm"] == "SHA256"
    assert "Get15118EVCertificate" not in [name for name, _ in bench.heard]


async def test_a_contract_is_fetched_first(bench: ChargerBench) -> None:
    await bench.charging("DE8AA1A2B3C4D5", tag_type="eMAID")
    names = [name for name, _ in bench.heard]
    assert names.index("Get15118EVCertificate") < names.index("Authorize")
    assert "NotifyEVChargingNeeds" in names


async def test_a_damaged_contract_is_not_shown(bench: ChargerBench) -> None:
    await bench.charging("DE8AA1A2B3C4D5", tag_type="eMAID", contract="damaged")
    (asked,) = [payload for name, payload in bench.heard if name == "Authorize"]
    assert "certificate" not in asked


async def test_a_card_of_the_same_group_stops(bench: ChargerBench) -> None:
    family = {"idTokenInfo": ACCEPTED | {"groupIdToken": token("FLEET", "Central")}}
    bench.answers["Authorize"] = family
    await bench.charging("TAG1")
    bench.station.present(1, "TAG2", bench.now)
    ended = [e for e in await bench.told("TransactionEvent") if e["eventType"] == "Ended"]
    assert [e["transactionInfo"]["stoppedReason"] for e in ended] == ["Local"]


async def test_local_list(bench: ChargerBench) -> None:
    for update, status in (
        (local_list(2, listed("A", "A")), "Failed"),
        (local_list(2, listed("A", "B")), "Accepted"),
        (local_list(2, listed("C"), "Differential"), "VersionMismatch"),
        (local_list(3, [{"idToken": token("A")}], "Differential"), "Accepted"),
    ):
        assert bench.ask("SendLocalList", update) == {"status": status}, update
    assert bench.ask("GetLocalListVersion") == {"versionNumber": 3}
    on = variable("AuthCtrlr", "LocalAuthorizeOffline", attributeValue="true")
    bench.ask("SetVariables", {"setVariableData": [on]})
    bench.station.set_online(bench.now, online=False)
    bench.plug("A", evse_id=1)
    bench.plug("B", evse_id=2)
    assert bench.station.outlets[1].transaction is None
    assert bench.station.outlets[2].transaction is not None
    bench.pass_time(5)
    bench.station.set_online(bench.now, online=True)
    ref = bench.station.outlets[2].transaction.ref
    bench.ask("RequestStopTransaction", {"transactionId": ref})
    events = [e for e in await bench.told("TransactionEvent") if e["evse"]["id"] == 2]
    late = [
        (e["eventType"], e.get("offline", False)) for e in events if e["eventType"] != "Updated"
    ]
    assert late == [("Started", True), ("Ended", False)]


async def test_reservations(bench: ChargerBench) -> None:
    wanted: Json = {
        "id": 5,
        "expiryDateTime": timestamp(bench.now + timedelta(seconds=60)),
        "idToken": token("BOSS"),
    }
    assert bench.ask("ReserveNow", wanted) == REJECTED
    assert bench.ask("ReserveNow", wanted | {"evseId": 1}) == ACCEPTED
    assert bench.station.outlets[1].status is Status.RESERVED
    assert bench.ask("ReserveNow", wanted | {"evseId": 1, "id": 6}) == {"status": "Occupied"}
    assert bench.ask("CancelReservation", {"reservationId": 5}) == ACCEPTED
    assert bench.ask("CancelReservation", {"reservationId": 5}) == REJECTED
    bench.ask("ReserveNow", wanted | {"evseId": 1})
    bench.pass_time(61)
    told = await bench.told("ReservationStatusUpdate")
    assert told == [{"reservationId": 5, "reservationUpdateStatus": "Expired"}]


async def test_what_is_known_of_a_customer(bench: ChargerBench) -> None:
    await bench.charging("TAG1")
    asked: Json = {"requestId": 8, "report": True, "clear": True}
    assert bench.ask("CustomerInformation", asked) == {"status": "Invalid"}
    named = asked | {"idToken": token("TAG1")}
    assert bench.ask("CustomerInformation", named) == ACCEPTED
    assert bench.ask("CustomerInformation", named) == ACCEPTED
    data = [notice["data"] for notice in await bench.told("NotifyCustomerInformation")]
    assert data == ["TAG1: accepted", ""]
    assert bench.ask("ClearCache") == ACCEPTED


# --- smart charging ----------------------------------------------------------------------------


async def test_profiles_are_reported(bench: ChargerBench) -> None:
    ref = await bench.charging()
    get: Json = {"requestId": 3, "chargingProfile": {}}
    assert bench.ask("GetChargingProfiles", get) == {"status": "NoProfiles"}
    absolute = profile(8, purpose="TxDefaultProfile", id=2, chargingProfileKind="Absolute")
    absolute["chargingSchedule"][0] |= {"startSchedule": timestamp(bench.now), "duration": 300}
    for evse_id, one in ((1, profile(transactionId=ref)), (0, absolute)):
        installed = {"evseId": evse_id, "chargingProfile": one}
        assert bench.ask("SetChargingProfile", installed) == ACCEPTED
    assert bench.ask("GetChargingProfiles", get) == ACCEPTED
    told = await bench.told("ReportChargingProfiles")
    assert [(part["evseId"], part["tbc"]) for part in told] == [(0, True), (1, False)]
    assert told[0]["chargingProfile"][0]["chargingSchedule"][0]["duration"] == 300
    assert told[1]["chargingProfile"][0]["transactionId"] == ref
    only = get | {"chargingProfile": {"chargingProfilePurpose": "TxProfile"}}
    assert bench.ask("GetChargingProfiles", only) == ACCEPTED
    assert len(await bench.told("ReportChargingProfiles")) == 1
    assert bench.ask("GetChargingProfiles", get | {"evseId": 2}) == {"status": "NoProfiles"}


async def test_an_external_limit_is_told_and_not_the_central_systems_to_clear(
    bench: ChargerBench,
) -> None:
    await bench.charging()
    bench.cabinet.limit_externally(10.0)
    assert bench.station.limit(1, bench.now).current_a == 10.0
    (told,) = await bench.told("NotifyChargingLimit")
    assert told["chargingLimit"]["chargingLimitSource"] == "EMS"
    assert bench.ask("ClearChargingProfile", {"chargingProfileCriteria": {}}) == {
        "status": "Unknown"
    }
    external = {"chargingProfilePurpose": "ChargingStationExternalConstraints"}
    clear = {"chargingProfileCriteria": external}
    assert bench.ask("ClearChargingProfile", clear) == {"status": "Unknown"}
    asked = {"requestId": 3, "chargingProfile": external}
    assert bench.ask("GetChargingProfiles", asked) == ACCEPTED
    (report,) = await bench.told("ReportChargingProfiles")
    assert report["chargingLimitSource"] == "EMS"
    bench.cabinet.limit_externally(None)
    assert bench.station.limit(1, bench.now).current_a == 32.0
    assert await bench.told("ClearedChargingLimit") == [{"chargingLimitSource": "EMS"}]


async def test_a_vehicle_tells_its_needs_and_its_plan(bench: ChargerBench) -> None:
    departure = bench.now + timedelta(hours=4)
    ref = await bench.charging("DE8AA1A2B3C4D5", tag_type="eMAID", departure=departure)
    (told,) = [payload for name, payload in bench.heard if name == "NotifyEVChargingNeeds"]
    needs = told["chargingNeeds"]
    assert needs["requestedEnergyTransfer"] == "AC_three_phase"
    assert needs["departureTime"] == timestamp(departure)
    assert needs["acChargingParameters"]["energyAmount"] == pytest.approx(26_087, abs=1)
    leased = {"evseId": 1, "chargingProfile": profile(transactionId=ref)}
    assert bench.ask("SetChargingProfile", leased) == ACCEPTED
    (plan,) = await bench.told("NotifyEVChargingSchedule")
    assert plan["chargingSchedule"]["chargingSchedulePeriod"] == [{"startPeriod": 0, "limit": 10}]


@pytest.mark.parametrize("version", ["2.0.1", "2.1"])
async def test_needs_of_a_vehicle_on_dc(version: str) -> None:
    bench = ChargerBench(version, evse=Evse(rated_a=100, dc=True))
    await bench.charging("DE8AA1A2B3C4D5", tag_type="eMAID", max_dc_w=50_000)
    (told,) = [payload for name, payload in bench.heard if name == "NotifyEVChargingNeeds"]
    assert told["chargingNeeds"]["dcChargingParameters"]["stateOfCharge"] == 40


# --- maintenance and security ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("location", "ended"),
    [(GOOD, ["Installing", "Installed"]), (BAD, ["Downloading", "DownloadFailed"])],
)
async def test_firmware(bench: ChargerBench, location: str, ended: list[str]) -> None:
    later = timestamp(bench.now + timedelta(seconds=10))
    firmware: Json = {"location": location, "retrieveDateTime": later}
    update: Json = {"requestId": 3, "firmware": firmware}
    assert bench.ask("UpdateFirmware", update) == ACCEPTED
    assert bench.ask("UpdateFirmware", update | {"requestId": 4}) == {"status": "AcceptedCanceled"}
    bench.pass_time(30)
    told = await bench.told()
    statuses = [p for n, p in bench.heard if n == "FirmwareStatusNotification"]
    assert [p["status"] for p in statuses][-2:] == ended
    assert {p["requestId"] for p in statuses} == {4}
    boots = [p["chargingStation"]["firmwareVersion"] for p in told if "chargingStation" in p]
    assert boots == (["2.0"] if location == GOOD else [])


async def test_signed_firmware(bench: ChargerBench) -> None:
    firmware = {
        "location": GOOD,
        "retrieveDateTime": timestamp(bench.now + timedelta(seconds=10)),
        "signingCertificate": Signer(bench.now).root,
        "signature": "c2lnbmVk",
    }
    bad = {"requestId": 2, "firmware": firmware | {"signingCertificate": "none"}}
    assert bench.ask("UpdateFirmware", bad) == {"status": "InvalidCertificate"}
    assert await bench.told("SecurityEventNotification")
    assert bench.ask("UpdateFirmware", {"requestId": 3, "firmware": firmware}) == ACCEPTED
    bench.pass_time(30)
    told = [p["status"] for p in await bench.told("FirmwareStatusNotification")]
    assert told == [
        "DownloadScheduled",
        "Downloading",
        "Downloaded",
        "SignatureVerified",
        "Installing",
        "Installed",
    ]


async def test_log(bench: ChargerBench) -> None:
    asked = {"log": {"remoteLocation": BAD}, "logType": "SecurityLog", "requestId": 9}
    assert bench.ask("GetLog", asked)["status"] == "Accepted"
    bench.pass_time(10)
    told = await bench.told("LogStatusNotification")
    assert [p["status"] for p in told] == ["Uploading", "UploadFailure"]


@pytest.mark.parametrize(
    "message",
    [
        "BootNotification",
        "FirmwareStatusNotification",
        "Heartbeat",
        "LogStatusNotification",
        "MeterValues",
        "StatusNotification",
    ],
)
async def test_everything_can_be_triggered(bench: ChargerBench, message: str) -> None:
    assert bench.ask("TriggerMessage", {"requestedMessage": message}) == ACCEPTED
    assert await bench.told(message)


async def test_certificates_are_held(bench: ChargerBench) -> None:
    install = {"certificateType": "V2GRootCertificate", "certificate": Signer(bench.now).root}
    assert bench.ask("GetInstalledCertificateIds") == {"status": "NotFound"}
    assert bench.ask("InstallCertificate", install | {"certificate": "x"}) == REJECTED
    assert bench.ask("InstallCertificate", install) == ACCEPTED
    (held,) = bench.ask("GetInstalledCertificateIds")["certificateHashDataChain"]
    assert held["certificateType"] == "V2GRootCertificate"
    delete = {"certificateHashData": held["certificateHashData"]}
    assert bench.ask("DeleteCertificate", delete) == ACCEPTED
    assert bench.ask("DeleteCertificate", delete) == {"status": "NotFound"}


@pytest.mark.parametrize("kind", ["ChargingStation", "V2G"])
async def test_a_certificate_of_its_own(bench: ChargerBench, kind: str) -> None:
    signer, trigger = Signer(bench.now), {"requestedMessage": f"Sign{kind}Certificate"}
    assert bench.ask("TriggerMessage", trigger) == ACCEPTED
    (asked,) = await bench.told("SignCertificate")
    assert asked["certificateType"] == f"{kind}Certificate"
    signed = {"certificateType": f"{kind}Certificate"}
    wrong = signed | {"certificateChain": signer.leaf("somebody else")}
    assert bench.ask("CertificateSigned", wrong) == REJECTED
    right = signed | {"certificateChain": signer.sign(asked["csr"])}
    assert bench.ask("CertificateSigned", right) == ACCEPTED
    assert len(await bench.told("GetCertificateStatus")) == (kind == "V2G")


async def test_monitoring_is_refused_in_the_right_words(bench: ChargerBench) -> None:
    monitor = {"value": 1.0, "type": "UpperThreshold", "severity": 3}
    asked = [variable("EVSE", "Power", evse=1) | monitor, variable("What", "Power") | monitor]
    answer = bench.ask("SetVariableMonitoring", {"setMonitoringData": asked})
    statuses = [result["status"] for result in answer["setMonitoringResult"]]
    assert statuses == ["UnsupportedMonitorType", "UnknownComponent"]
    cleared = bench.ask("ClearVariableMonitoring", {"id": [1]})
    assert cleared == {"clearMonitoringResult": [{"status": "NotFound", "id": 1}]}
    assert bench.ask("SetMonitoringBase", {"monitoringBase": "All"}) == ACCEPTED
    assert bench.ask("SetMonitoringLevel", {"severity": 5}) == ACCEPTED
    assert bench.ask("SetMonitoringLevel", {"severity": 10}) == REJECTED
    assert bench.ask("GetMonitoringReport", {"requestId": 1}) == {"status": "EmptyResultSet"}


def test_a_station_without_display_says_so(bench: ChargerBench) -> None:
    with pytest.raises(CallError) as caught:
        bench.dialect.answer("GetDisplayMessages", {"requestId": 1})
    assert caught.value.code == "NotImplemented"
    transfer = {"vendorId": "somebody"}
    assert bench.ask("DataTransfer", transfer) == {"status": "UnknownVendorId"}
