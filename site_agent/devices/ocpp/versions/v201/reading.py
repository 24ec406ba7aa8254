"""Reads reports: variables of the device model (B07) and charging profiles (K09)."""

from __future__ import annotations

from collections.abc import Iterator

from contracts.errors import ProtocolError
from site_agent.devices.ocpp.versions.v201.charging import evse_of, variable_name
from site_agent.devices.ocpp.versions.words import HeldProfile, Setting
from site_agent.devices.ocpp.wire import fields
from site_agent.devices.ocpp.wire.frames import Json

_MOST_AT_ONCE = 1000
_VALUE_LENGTH = 2500
_NAME_LENGTH = 50
_MOST_ATTRIBUTES = 4


def settings(payload: Json) -> tuple[list[Setting], int]:
    """The variables of one part of a report, and how many entries could not be read."""
    found: list[Setting] = []
    bad = 0
    for entry in fields.parts(payload, "reportData")[:_MOST_AT_ONCE]:
        try:
            found += _attributes(entry)
        except ProtocolError:
            bad += 1
    return found, bad


def _attributes(entry: Json) -> Iterator[Setting]:
    """Actual values only; targets and bounds are not what it does now."""
    for part in ("component", "variable"):
        fields.text(fields.part(entry, part), "name", _NAME_LENGTH)
    name = variable_name(entry)
    characteristics = fields.part(entry, "variableCharacteristics")
    for attribute in fields.parts(entry, "variableAttribute")[:_MOST_ATTRIBUTES]:
        if attribute.get("type", "Actual") != "Actual":
            continue
        yield Setting(
            name=name,
            value=fields.text_or_none(attribute, "value", _VALUE_LENGTH),
            readonly=attribute.get("mutability") == "ReadOnly",
            component_instance=fields.text_or_none(fields.part(entry, "component"), "instance", 50),
            evse=evse_of(entry),
            unit=fields.text_or_none(characteristics, "unit", 16),
        )


def profiles(payload: Json, evse_id: int) -> tuple[list[HeldProfile], int]:
    """The profiles of one part of a report, and how many could not be read."""
    found: list[HeldProfile] = []
    bad = 0
    for entry in fields.parts(payload, "chargingProfile")[:_MOST_AT_ONCE]:
        try:
            found.append(_profile(entry, evse_id, fields.word(payload, "chargingLimitSource")))
        except ProtocolError:
            bad += 1
    return found, bad


def _profile(entry: Json, evse_id: int, source: str) -> HeldProfile:
    return HeldProfile(
        profile_id=fields.whole(entry, "id"),
        connector=evse_id,
        purpose=fields.text(entry, "chargingProfilePurpose", 50),
        kind=fields.text(entry, "chargingProfileKind", 50),
        stack_level=fields.whole(entry, "stackLevel"),
        source=source[:20],
        transaction_ref=fields.text_or_none(entry, "transactionId", 36),
    )
