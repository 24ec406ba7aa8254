"""Firmware and logs."""

from __future__ import annotations

from datetime import timedelta

import pytest

from depot_sim.chargers.json_rpc import timestamp
from support.charger_bench import ChargerBench
from support.ocpp201_words import ACCEPTED, Json
from support.signing import Signer

GOOD, BAD = "https://files.invalid/firmware.bin", "gopher://files.invalid/x"


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
