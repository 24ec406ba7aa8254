"""Which orders of the cloud a charger must not get, since they would take it from us. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping

from site_agent.devices.ocpp.proxy.settings import CloudConfig, FinalWord
from site_agent.devices.ocpp.wire import fields
from site_agent.devices.ocpp.wire.frames import Json

SAMPLED = ("Energy.Active.Import.Register", "Power.Active.Import", "Current.Import")
"""Measurands that must go on being sampled."""

_REJECTED: Json = {"status": "Rejected"}
_FAILED: Json = {"status": "Failed"}
_NEVER: Mapping[str, Json] = {
    "AFRRSignal": _REJECTED,
    "ClearDERControl": _REJECTED,
    "DeleteCertificate": _FAILED,
    "SetDERControl": _REJECTED,
    "SetNetworkProfile": _REJECTED,
    "UpdateDynamicSchedule": _REJECTED,
    "UsePriorityCharging": _REJECTED,
}
_FIRMWARE = ("SignedUpdateFirmware", "UpdateFirmware", "PublishFirmware")
_OWN_ROOTS = ("CentralSystemRootCertificate", "CSMSRootCertificate")
_OWN_KEYS_16 = frozenset(
    (
        "additionalrootcertificatecheck",
        "allowofflinetxforunknownid",
        "authorizationcacheenabled",
        "authorizationkey",
        "chargeprofilemaxstacklevel",
        "chargingscheduleallowedchargingrateunit",
        "cponame",
        "heartbeatinterval",
        "localauthlistenabled",
        "localauthorizeoffline",
        "localpreauthorize",
        "maxchargingprofilesinstalled",
        "securityprofile",
        "websocketpinginterval",
    )
)
_OWN_COMPONENTS = frozenset(
    ("ocppcommctrlr", "securityctrlr", "localauthlistctrlr", "authcachectrlr", "smartchargingctrlr")
)
_ADDRESS = re.compile(r"url|uri|csms|centralsystem|backend|server|endpoint|ocpphost|websocket")
"""Vendors' names for where a charger connects to."""
_INTERVALS = ("metervaluesampleinterval", "sampleddatactrlr.txupdatedinterval")
_MEASURANDS = ("metervaluessampleddata", "sampleddatactrlr.txupdatedmeasurands")
_ENABLED = ("sampleddatactrlr.enabled", "sampleddatactrlr.available")


def refusal(cloud: CloudConfig, action: str, payload: Json, interval_s: int | None) -> Json | None:
    """The answer to an order that is not passed on; None: it may be.

    `interval_s`: how often chargers are to sample.
    """
    if action in _NEVER:
        return _NEVER[action]
    if action == "SendLocalList":
        return None if cloud.final_word is FinalWord.CLOUD else _FAILED
    key, value = fields.word(payload, "key"), fields.word(payload, "value")
    forbidden = {
        "InstallCertificate": payload.get("certificateType") in _OWN_ROOTS,
        "CertificateSigned": for_our_link(payload),
        "ChangeConfiguration": not settable(key, value, interval_s),
        **dict.fromkeys(_FIRMWARE, not cloud.firmware),
    }
    return _REJECTED if forbidden.get(action, False) else None


def settable(name: str, value: str, interval_s: int | None) -> bool:
    """Whether the cloud may give this setting this value.

    `name` is a key of 1.6 or `component.variable`. What we need of the samples may only get denser
    than `interval_s` (None: than nothing, so the cloud has its way) or wider.
    """
    name = name.strip().lower()
    if name in _INTERVALS:
        return interval_s is None or (value.isdecimal() and 0 < int(value[:9]) <= interval_s)
    if name in _MEASURANDS:
        return set(SAMPLED) <= {word.strip() for word in value.split(",")}
    if name in _ENABLED:
        return value.strip().lower() == "true"
    component, dot, _ = name.partition(".")
    owned = component in _OWN_COMPONENTS if dot else name in _OWN_KEYS_16
    return not owned and _ADDRESS.search(name) is None


def variable_name(wire: Json) -> str:
    """`component.variable` of an entry of SetVariables."""
    component, variable = fields.part(wire, "component"), fields.part(wire, "variable")
    return f"{fields.word(component, 'name')}.{fields.word(variable, 'name')}"


def for_our_link(payload: Json) -> bool:
    """Whether it is about the certificate the charger shows us; in 1.6 there is no other."""
    return payload.get("certificateType") in (None, "ChargingStationCertificate")
