"""What a simulated 1.6 charge point answers and tells; every message is checked by its schema."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from depot_sim.chargers.events import EndReason, Status
from depot_sim.chargers.json_rpc import CallError, timestamp
from support.charger_bench import ChargerBench
from support.signing import Signer

Json = dict[str, Any]
ACCEPTED, REJECTED = {"status": "Accepted"}, {"status": "Rejected"}
GOOD, BAD = "ftp://files.invalid/firmware.bin", "gopher://files.invalid/x"


@pytest.fixture
def bench() -> ChargerBench:
    return ChargerBench("1.6")


def listed(*tags: str, **info: Any) -> list[Json]:
    return [{"idTag": tag, "idTagInfo": ACCEPTED | info} for tag in tags]


def local_list(version: int, entries: list[Json], kind: str = "Full") -> Json:
    return {"listVersion": version, "updateType": kind, "localAuthorizationList": entries}


def in_seconds(bench: ChargerBench, seconds: float) -> str:
    return timestamp(bench.now + timedelta(seconds=seconds))


def reservation(bench: ChargerBench, **changes: Any) -> Json:
    expiry = in_seconds(bench, 60)
    base = {"reservationId": 5, "connectorId": 1, "idTag": "TAG1", "expiryDate": expiry}
    return base | changes


async def test_remote_start_takes_a_free_outlet_with_a_vehicle(bench: ChargerBench) -> None:
    bench.answers["Authorize"] = {"idTagInfo": {"status": "Blocked"}}
    bench.plug("TAG1", evse_id=2)
    await bench.told()
    assert bench.ask("RemoteStartTransaction", {"idTag": "FLEET"}) == ACCEPTED
    (start,) = await bench.told("StartTransaction")
    assert (start["connectorId"], start["idTag"]) == (2, "FLEET")
    again = {"idTag": "FLEET", "connectorId": 2}
    assert bench.ask("RemoteStartTransaction", again) == REJECTED
    assert bench.ask("RemoteStopTransaction", {"transactionId": 1}) == REJECTED
    assert bench.ask("RemoteStopTransaction", {"transactionId": 4711}) == ACCEPTED
    (stop,) = await bench.told("StopTransaction")
    assert stop["reason"] == "Remote"


@pytest.mark.parametrize(("arrives_after_s", "tag"), [(50, "FLEET"), (70, "TAG1")])
async def test_a_remote_start_waits_for_a_vehicle(
    bench: ChargerBench, arrives_after_s: float, tag: str
) -> None:
    profile = {
        "chargingProfileId": 1,
        "stackLevel": 0,
        "chargingProfilePurpose": "TxProfile",
        "chargingProfileKind": "Relative",
        "chargingSchedule": {
            "chargingRateUnit": "A",
            "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 8}],
        },
    }
    wanted = {"idTag": "FLEET", "connectorId": 1, "chargingProfile": profile}
    assert bench.ask("RemoteStartTransaction", wanted) == ACCEPTED
    bench.pass_time(arrives_after_s)
    bench.plug("TAG1")
    (start,) = await bench.told("StartTransaction")
    assert start["idTag"] == tag
    assert bench.station.limit(1, bench.now).current_a == (8 if tag == "FLEET" else 32)


async def test_a_remote_start_need_not_wait(bench: ChargerBench) -> None:
    bench.ask("ChangeConfiguration", {"key": "ConnectionTimeOut", "value": "0"})
    assert bench.ask("RemoteStartTransaction", {"idTag": "FLEET"}) == REJECTED


async def test_a_remote_start_may_have_to_be_authorised(bench: ChargerBench) -> None:
    change = {"key": "AuthorizeRemoteTxRequests", "value": "true"}
    assert bench.ask("ChangeConfiguration", change) == ACCEPTED
    bench.answers["Authorize"] = {"idTagInfo": {"status": "Invalid"}}
    bench.plug()
    await bench.told()
    assert bench.ask("RemoteStartTransaction", {"idTag": "FLEET"}) == ACCEPTED
    assert {"idTag": "FLEET"} in await bench.told("Authorize")
    assert bench.station.outlets[1].transaction is None


@pytest.mark.parametrize(
    ("kind", "reason"), [("Hard", EndReason.RESET), ("Soft", EndReason.SOFT_RESET)]
)
async def test_reset(bench: ChargerBench, kind: str, reason: EndReason) -> None:
    assert bench.ask("Reset", {"type": kind}) == ACCEPTED
    assert bench.resets == [reason]


async def test_unlocking_ends_the_transaction(bench: ChargerBench) -> None:
    await bench.charging()
    assert bench.ask("UnlockConnector", {"connectorId": 3}) == {"status": "NotSupported"}
    assert bench.ask("UnlockConnector", {"connectorId": 1}) == {"status": "Unlocked"}
    (stop,) = await bench.told("StopTransaction")
    assert stop["reason"] == "UnlockCommand"


async def test_availability_waits_for_the_transaction(bench: ChargerBench) -> None:
    await bench.charging()
    off: Json = {"connectorId": 0, "type": "Inoperative"}
    assert bench.ask("ChangeAvailability", off) == {"status": "Scheduled"}
    shown = [outlet.status for outlet in bench.station.outlets.values()]
    assert shown == [Status.CHARGING, Status.UNAVAILABLE]
    bench.ask("RemoteStopTransaction", {"transactionId": 4711})
    statuses = [(s["connectorId"], s["status"]) for s in await bench.told("StatusNotification")]
    assert statuses == [(2, "Unavailable"), (1, "Unavailable")]
    assert bench.ask("RemoteStartTransaction", {"idTag": "TAG1", "connectorId": 1}) == REJECTED
    assert bench.ask("ChangeAvailability", off | {"type": "Operative"}) == ACCEPTED
    assert bench.station.outlets[1].status is Status.FINISHING
    assert bench.ask("ChangeAvailability", off | {"connectorId": 9}) == REJECTED


async def test_configuration_keys(bench: ChargerBench) -> None:
    answer = bench.ask("GetConfiguration")
    entries = {entry["key"]: entry for entry in answer["configurationKey"]}
    assert len(entries) > 35
    assert entries["NumberOfConnectors"]["value"] == "2"
    assert "value" not in entries["AuthorizationKey"]
    for key, value, status in (
        ("ConnectionTimeOut", "90", "Accepted"),
        ("ConnectionTimeOut", "-1", "Rejected"),
        ("LocalPreAuthorize", "maybe", "Rejected"),
        ("AuthorizationKey", "short", "Rejected"),
        ("AuthorizationKey", "0123456789abcdef", "Accepted"),
        ("NumberOfConnectors", "7", "Rejected"),
        ("Nonsense", "7", "NotSupported"),
    ):
        change = {"key": key, "value": value}
        assert bench.ask("ChangeConfiguration", change) == {"status": status}, key
    read = bench.ask("GetConfiguration", {"key": ["ConnectionTimeOut"]})
    assert read["configurationKey"][0]["value"] == "90"
    assert bench.station.settings.password == "0123456789abcdef"


async def test_data_transfer_and_cache(bench: ChargerBench) -> None:
    transfer = {"vendorId": "somebody", "messageId": "hello", "data": "x"}
    assert bench.ask("DataTransfer", transfer) == {"status": "UnknownVendorId"}
    await bench.charging()
    assert bench.station.tokens.cache.get("TAG1") is not None
    assert bench.ask("ClearCache") == ACCEPTED
    assert bench.station.tokens.cache.get("TAG1") is None


async def test_local_list_versions(bench: ChargerBench) -> None:
    assert bench.ask("GetLocalListVersion") == {"listVersion": 0}
    for update, status in (
        (local_list(0, listed("A")), "Failed"),
        (local_list(3, listed("A", "A")), "Failed"),
        (local_list(3, [{"idTag": "A"}]), "Failed"),
        (local_list(3, listed("A", "B")), "Accepted"),
        (local_list(3, listed("C"), "Differential"), "VersionMismatch"),
        (local_list(4, [*listed("C"), {"idTag": "A"}], "Differential"), "Accepted"),
        (local_list(9, listed(*(f"T{n}" for n in range(101)))), "Failed"),
    ):
        assert bench.ask("SendLocalList", update) == {"status": status}, update
    assert bench.ask("GetLocalListVersion") == {"listVersion": 4}
    known = bench.station.tokens.list
    assert [known.get(tag) is not None for tag in "ABC"] == [False, True, True]
    bench.ask("ChangeConfiguration", {"key": "LocalAuthListEnabled", "value": "false"})
    assert bench.ask("GetLocalListVersion") == {"listVersion": -1}
    refused = bench.ask("SendLocalList", local_list(9, listed("A")))
    assert refused == {"status": "NotSupported"}


@pytest.mark.parametrize("kind", ["listed", "expired", "unlisted"])
async def test_offline_a_listed_tag_may_start(bench: ChargerBench, kind: str) -> None:
    bench.ask("ChangeConfiguration", {"key": "LocalAuthorizeOffline", "value": "true"})
    info = {"expiryDate": in_seconds(bench, 30)} if kind == "expired" else {}
    bench.ask("SendLocalList", local_list(1, listed("TAG1", **info)))
    bench.pass_time(60)
    bench.station.set_online(bench.now, online=False)
    bench.plug("TAG1" if kind != "unlisted" else "STRANGER")
    bench.pass_time(5)
    assert (bench.station.outlets[1].transaction is not None) == (kind == "listed")
    began = bench.now
    bench.station.outbox.keep_durable()
    bench.pass_time(30)
    bench.station.set_online(bench.now, online=True)
    starts = await bench.told("StartTransaction")
    assert len(starts) == (kind == "listed")
    assert all(start["timestamp"] <= timestamp(began) for start in starts)


async def test_pre_authorised_and_then_refused(bench: ChargerBench) -> None:
    bench.ask("ChangeConfiguration", {"key": "LocalPreAuthorize", "value": "true"})
    bench.ask("SendLocalList", local_list(1, listed("TAG1")))
    info = {"idTagInfo": {"status": "Blocked"}, "transactionId": 7}
    bench.answers["StartTransaction"] = info
    bench.plug("TAG1")
    words = [name for name, _ in bench.heard]
    await bench.told()
    words = [name for name, _ in bench.heard]
    assert "Authorize" not in words
    assert words.index("StartTransaction") < words.index("StopTransaction")
    assert bench.heard[words.index("StopTransaction")][1]["reason"] == "DeAuthorized"


async def test_a_card_of_the_same_group_stops(bench: ChargerBench) -> None:
    family = {"idTagInfo": {"status": "Accepted", "parentIdTag": "FLEET"}}
    bench.answers["Authorize"] = family
    bench.answers["StartTransaction"] = {**family, "transactionId": 4711}
    await bench.charging("TAG1")
    bench.station.present(1, "TAG2", bench.now)
    (stop,) = await bench.told("StopTransaction")
    assert stop["reason"] == "Local"


async def test_reservation_is_for_its_tag_or_group(bench: ChargerBench) -> None:
    bench.ask("SendLocalList", local_list(1, listed("COUSIN", parentIdTag="FLEET")))
    wanted = reservation(bench, idTag="BOSS", parentIdTag="FLEET")
    assert bench.ask("ReserveNow", wanted) == ACCEPTED
    (status,) = await bench.told("StatusNotification")
    assert status["status"] == "Reserved"
    assert bench.ask("ReserveNow", reservation(bench, reservationId=6)) == {"status": "Occupied"}
    bench.plug("STRANGER")
    await bench.told()
    assert bench.station.outlets[1].transaction is None
    bench.station.unplug(1, bench.now)
    bench.plug("COUSIN")
    (start,) = await bench.told("StartTransaction")
    assert start["reservationId"] == 5
    assert bench.station.reservations.of(1) is None


async def test_reservations_that_cannot_be(bench: ChargerBench) -> None:
    assert bench.ask("ReserveNow", reservation(bench, connectorId=0)) == REJECTED
    late = reservation(bench, expiryDate=in_seconds(bench, -1))
    assert bench.ask("ReserveNow", late) == REJECTED
    bench.ask("ChangeAvailability", {"connectorId": 2, "type": "Inoperative"})
    assert bench.ask("ReserveNow", reservation(bench, connectorId=2)) == {"status": "Unavailable"}
    bench.plug()
    assert bench.ask("ReserveNow", reservation(bench)) == {"status": "Occupied"}
    assert bench.ask("CancelReservation", {"reservationId": 5}) == REJECTED


async def test_reservation_cancelled_or_expired(bench: ChargerBench) -> None:
    bench.ask("ReserveNow", reservation(bench))
    assert bench.ask("CancelReservation", {"reservationId": 5}) == ACCEPTED
    bench.ask("ReserveNow", reservation(bench))
    bench.pass_time(61)
    statuses = [s["status"] for s in await bench.told("StatusNotification")]
    assert statuses == ["Reserved", "Available", "Reserved", "Available"]


async def test_firmware_is_played(bench: ChargerBench) -> None:
    update = {"location": GOOD, "retrieveDate": in_seconds(bench, 5)}
    assert bench.ask("UpdateFirmware", update) == {}
    bench.pass_time(60)
    told = await bench.told()
    statuses = [p["status"] for n, p in bench.heard if n == "FirmwareStatusNotification"]
    assert statuses == ["Downloading", "Downloaded", "Installing", "Installed"]
    assert [p["firmwareVersion"] for p in told if "firmwareVersion" in p] == ["2.0"]
    bench.ask("UpdateFirmware", update | {"location": BAD})
    bench.pass_time(60)
    statuses = [p["status"] for p in await bench.told("FirmwareStatusNotification")]
    assert statuses == ["Downloading", "DownloadFailed"]


async def test_signed_firmware(bench: ChargerBench) -> None:
    firmware = {
        "location": GOOD,
        "retrieveDateTime": in_seconds(bench, 0),
        "installDateTime": in_seconds(bench, 20),
        "signingCertificate": Signer(bench.now).root,
        "signature": "c2lnbmVk",
    }
    update = {"requestId": 3, "firmware": firmware}
    bad = {"requestId": 2, "firmware": firmware | {"signingCertificate": "none"}}
    assert bench.ask("SignedUpdateFirmware", bad) == {"status": "InvalidCertificate"}
    (event,) = await bench.told("SecurityEventNotification")
    assert event["type"] == "InvalidFirmwareSigningCertificate"
    assert bench.ask("SignedUpdateFirmware", update) == ACCEPTED
    bench.pass_time(4)
    again = bench.ask("SignedUpdateFirmware", update | {"requestId": 4})
    assert again == {"status": "AcceptedCanceled"}
    await bench.told()
    bench.pass_time(60)
    told = await bench.told("SignedFirmwareStatusNotification")
    assert {p["requestId"] for p in told} == {4}
    statuses = [p["status"] for p in told]
    assert statuses[-3:] == ["SignatureVerified", "Installing", "Installed"]


@pytest.mark.parametrize(("location", "ended"), [(GOOD, "Uploaded"), (BAD, "UploadFailed")])
async def test_diagnostics(bench: ChargerBench, location: str, ended: str) -> None:
    answer = bench.ask("GetDiagnostics", {"location": location})
    assert answer["fileName"]
    bench.pass_time(10)
    told = await bench.told("DiagnosticsStatusNotification")
    assert [p["status"] for p in told] == ["Uploading", ended]


async def test_log(bench: ChargerBench) -> None:
    asked = {"log": {"remoteLocation": GOOD}, "logType": "SecurityLog", "requestId": 9}
    assert bench.ask("GetLog", asked) == ACCEPTED | {"filename": "CP-1-SecurityLog.txt"}
    bench.pass_time(10)
    told = await bench.told("LogStatusNotification")
    assert told == [{"status": word, "requestId": 9} for word in ("Uploading", "Uploaded")]


@pytest.mark.parametrize(
    "message",
    [
        "BootNotification",
        "DiagnosticsStatusNotification",
        "FirmwareStatusNotification",
        "Heartbeat",
        "MeterValues",
        "StatusNotification",
    ],
)
async def test_everything_can_be_triggered(bench: ChargerBench, message: str) -> None:
    assert bench.ask("TriggerMessage", {"requestedMessage": message}) == ACCEPTED
    assert await bench.told(message)
    nowhere = {"requestedMessage": "StatusNotification", "connectorId": 9}
    assert bench.ask("TriggerMessage", nowhere) == REJECTED


@pytest.mark.parametrize("message", ["LogStatusNotification", "Heartbeat"])
async def test_extended_triggers(bench: ChargerBench, message: str) -> None:
    assert bench.ask("ExtendedTriggerMessage", {"requestedMessage": message}) == ACCEPTED
    assert await bench.told(message)


async def test_certificates_are_held(bench: ChargerBench) -> None:
    signer, kind = Signer(bench.now), "CentralSystemRootCertificate"
    install = {"certificateType": kind, "certificate": signer.root}
    assert bench.ask("InstallCertificate", install | {"certificate": "x"}) == REJECTED
    old = Signer(bench.now - timedelta(days=60)).root
    assert bench.ask("InstallCertificate", install | {"certificate": old}) == REJECTED
    assert bench.ask("InstallCertificate", install) == ACCEPTED
    found = bench.ask("GetInstalledCertificateIds", {"certificateType": kind})
    (identity,) = found["certificateHashData"]
    assert len(identity["issuerKeyHash"]) == 64
    other = {"certificateType": "ManufacturerRootCertificate"}
    assert bench.ask("GetInstalledCertificateIds", other) == {"status": "NotFound"}
    upper = identity | {"issuerNameHash": identity["issuerNameHash"].upper()}
    assert bench.ask("DeleteCertificate", {"certificateHashData": upper}) == ACCEPTED
    again = bench.ask("DeleteCertificate", {"certificateHashData": identity})
    assert again == {"status": "NotFound"}


async def test_the_certificate_store_is_bounded(bench: ChargerBench) -> None:
    kind = "ManufacturerRootCertificate"
    answers = [
        bench.ask(
            "InstallCertificate", {"certificateType": kind, "certificate": Signer(bench.now).root}
        )
        for _ in range(21)
    ]
    assert answers[19:] == [ACCEPTED, {"status": "Failed"}]


async def test_a_certificate_of_its_own(bench: ChargerBench) -> None:
    signer, trigger = Signer(bench.now), {"requestedMessage": "SignChargePointCertificate"}
    assert bench.ask("ExtendedTriggerMessage", trigger) == ACCEPTED
    (asked,) = await bench.told("SignCertificate")
    wrong = {"certificateChain": signer.leaf("somebody else")}
    assert bench.ask("CertificateSigned", wrong) == REJECTED
    (event,) = await bench.told("SecurityEventNotification")
    assert event["type"] == "InvalidChargePointCertificate"
    right = {"certificateChain": signer.sign(asked["csr"])}
    assert bench.ask("CertificateSigned", right) == ACCEPTED
    assert bench.ask("CertificateSigned", right) == REJECTED


def test_a_timestamp_that_is_none_is_an_error(bench: ChargerBench) -> None:
    asked = reservation(bench, expiryDate="soon")
    with pytest.raises(CallError):
        bench.dialect.answer("ReserveNow", asked)
    assert bench.station.reservations.of(1) is None
