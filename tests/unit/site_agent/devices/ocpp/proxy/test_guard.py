"""Orders that would take the charger from us."""

from __future__ import annotations

from typing import Any

import pytest

from site_agent.devices.ocpp.proxy import guard
from site_agent.devices.ocpp.proxy.settings import CloudConfig, FinalWord
from site_agent.devices.ocpp.settings import Version
from site_agent.devices.ocpp.wire import schemas

pytestmark = pytest.mark.row("safety:S7")

OPEN = CloudConfig(url="wss://cloud.example", identity="CP1")
STRICT = CloudConfig(
    url="wss://cloud.example", identity="CP1", firmware=False, final_word=FinalWord.BOTH
)


@pytest.mark.parametrize(
    ("version", "action", "payload"),
    [
        (Version.V201, "SetNetworkProfile", {}),
        (Version.V201, "DeleteCertificate", {}),
        (Version.V16, "DeleteCertificate", {}),
        (Version.V16, "InstallCertificate", {"certificateType": "CentralSystemRootCertificate"}),
        (Version.V201, "InstallCertificate", {"certificateType": "CSMSRootCertificate"}),
        (Version.V16, "CertificateSigned", {}),
        (Version.V201, "CertificateSigned", {"certificateType": "ChargingStationCertificate"}),
        (Version.V16, "ChangeConfiguration", {"key": "AuthorizationKey", "value": "x"}),
        (Version.V21, "SetDERControl", {}),
        (Version.V21, "ClearDERControl", {}),
        (Version.V21, "UsePriorityCharging", {}),
        (Version.V21, "UpdateDynamicSchedule", {}),
        (Version.V21, "AFRRSignal", {}),
    ],
)
def test_refused_in_the_words_of_the_standard(
    version: Version, action: str, payload: dict[str, Any]
) -> None:
    answer = guard.refusal(OPEN, action, payload, 10)
    assert answer is not None
    schemas.check(version, schemas.response(action), answer)


@pytest.mark.parametrize(
    ("version", "action"),
    [
        (Version.V16, "SignedUpdateFirmware"),
        (Version.V201, "UpdateFirmware"),
        (Version.V201, "PublishFirmware"),
        (Version.V16, "SendLocalList"),
        (Version.V201, "SendLocalList"),
    ],
)
def test_what_settings_decide(version: Version, action: str) -> None:
    assert guard.refusal(OPEN, action, {}, 10) is None
    answer = guard.refusal(STRICT, action, {}, 10)
    assert answer is not None
    if action != "PublishFirmware":  # refused by the settings whatever its answer
        schemas.check(version, schemas.response(action), answer)


@pytest.mark.parametrize(
    "action",
    [
        "RemoteStartTransaction", "RemoteStopTransaction", "RequestStopTransaction", "Reset",
        "UnlockConnector", "TriggerMessage", "ChangeAvailability", "ClearCache", "ReserveNow",
        "CancelReservation", "GetConfiguration", "GetVariables", "GetBaseReport", "GetLog",
        "GetDiagnostics", "DataTransfer", "GetLocalListVersion",
    ],
)  # fmt: skip
def test_passed_on(action: str) -> None:
    assert guard.refusal(STRICT, action, {}, 10) is None


@pytest.mark.parametrize(
    ("name", "value", "may"),
    [
        ("MeterValueSampleInterval", "5", True),
        ("MeterValueSampleInterval", "10", True),
        ("MeterValueSampleInterval", "11", False),
        ("metervaluesampleinterval ", "60", False),
        ("MeterValueSampleInterval", "-1", False),
        ("MeterValueSampleInterval", "9" * 400, False),
        ("SampledDataCtrlr.TxUpdatedInterval", "60", False),
        ("MeterValuesSampledData", ",".join(guard.SAMPLED), True),
        ("MeterValuesSampledData", ", ".join((*guard.SAMPLED, "SoC")), True),
        ("MeterValuesSampledData", "SoC", False),
        ("SampledDataCtrlr.Enabled", "false", False),
        ("OCPPCommCtrlr.RetryBackOffWaitMinimum", "1", False),
        ("SecurityCtrlr.BasicAuthPassword", "1", False),
        ("InternalCtrlr.CsmsUrl", "ws://x", False),
        ("BackendURL", "ws://x", False),
        ("ConnectionTimeOut", "60", True),
        ("LightIntensity", "3", True),
        ("DisplayCtrlr.Brightness", "3", True),
    ],
)
def test_settings(name: str, value: str, may: bool) -> None:
    assert guard.settable(name, value, 10) is may
