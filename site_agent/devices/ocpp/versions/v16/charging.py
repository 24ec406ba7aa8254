"""Settings and charging profiles (OCPP 1.6 §3.13, §5.3, §5.7, §5.8, §5.16)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from site_agent.devices.ocpp.limits.profiles import Capabilities, ChargingProfile, RateUnit
from site_agent.devices.ocpp.versions import common, composites
from site_agent.devices.ocpp.versions.words import (
    Composite,
    ProfileFilter,
    Setting,
    UnsupportedError,
)
from site_agent.devices.ocpp.wire import fields
from site_agent.devices.ocpp.wire.frames import Json
from site_agent.devices.ocpp.wire.outbox import Request

_NAMES = common.SettingNames(
    heartbeat="HeartbeatInterval",
    meter_interval="MeterValueSampleInterval",
    measurands="MeterValuesSampledData",
    rate_unit="ChargingScheduleAllowedChargingRateUnit",
    max_stack_level="ChargeProfileMaxStackLevel",
    max_periods="ChargingScheduleMaxPeriods",
    max_profiles="MaxChargingProfilesInstalled",
)


class Configuration16:
    """Configuration keys."""

    def probe(self) -> Request:
        """Part of the core profile, so always there."""
        return self.get([_NAMES.heartbeat])

    def read_settings(self) -> Request:
        """Ask for the settings that matter here."""
        return self.get(_NAMES.all())

    def settings(self, answer: Json) -> dict[str, str]:
        """Keys that have a value."""
        return {found.name: found.value for found in self.found(answer) if found.value}

    def capabilities(self, settings: Mapping[str, str]) -> Capabilities:
        """What they say about smart charging."""
        return _NAMES.capabilities(settings)

    def changes(
        self, settings: Mapping[str, str], meter_interval_s: int | None, heartbeat_s: int
    ) -> list[Sequence[Request]]:
        """Settings to change, none that is right already."""
        return _NAMES.changes(settings, meter_interval_s, heartbeat_s, self.change)

    def get(self, names: Sequence[str]) -> Request:
        """GetConfiguration (§5.8)."""
        return Request(action="GetConfiguration", payload={"key": list(names)})

    def found(self, answer: Json) -> list[Setting]:
        """The keys of the answer."""
        return [
            Setting(
                name=fields.word(entry, "key"),
                value=fields.word(entry, "value"),
                readonly=entry.get("readonly") is True,
            )
            for entry in fields.parts(answer, "configurationKey")[: common.MOST_SETTINGS]
            if fields.word(entry, "key")
        ]

    def change(self, name: str, value: str) -> Request:
        """ChangeConfiguration (§5.3)."""
        return Request(action="ChangeConfiguration", payload={"key": name, "value": value})

    def change_password(self, password: str) -> Request:
        """AuthorizationKey, 16 to 20 bytes in hexadecimal (OCPP-J 1.6 §6.2, whitepaper A01)."""
        if not 16 <= len(password.encode()) <= 20:  # noqa: PLR2004 - as said
            raise UnsupportedError("a password of 1.6 has 16 to 20 bytes")
        return self.change("AuthorizationKey", password.encode().hex().upper())

    def inventory(self, request_id: int) -> Request:
        """GetConfiguration without a key: every one."""
        return Request(action="GetConfiguration", payload={})


class Charging16:
    """Charging profiles."""

    def set_profile(self, profile: ChargingProfile) -> Request:
        """SetChargingProfile (§5.16)."""
        payload = {
            "connectorId": profile.form.connector,
            "csChargingProfiles": profile_on_the_wire(profile),
        }
        return Request(action="SetChargingProfile", payload=payload)

    def clear_profiles(self, which: ProfileFilter) -> Request:
        """ClearChargingProfile (§5.5)."""
        purpose = None if which.purpose is None else which.purpose.value
        payload = common.given(
            id=which.profile_id,
            connectorId=which.connector,
            chargingProfilePurpose=purpose,
            stackLevel=which.stack_level,
        )
        return Request(action="ClearChargingProfile", payload=payload)

    def ask_composite(
        self, connector: int, duration_s: int, unit: RateUnit | None = None
    ) -> Request:
        """GetCompositeSchedule (§5.7)."""
        payload = common.given(connectorId=connector, duration=duration_s, chargingRateUnit=unit)
        return Request(action="GetCompositeSchedule", payload=payload)

    def composite(self, answer: Json, *, phases: int, voltage_v: float) -> Composite | None:
        """What all profiles together allow; None: unknown."""
        held = fields.part(answer, "chargingSchedule")
        start = answer.get("scheduleStart") or held.get("startSchedule")
        return composites.read(answer, {**held, "start": start}, phases, voltage_v)

    def ask_profiles(self, request_id: int, which: ProfileFilter) -> Request:
        """1.6 cannot."""
        raise UnsupportedError("1.6 does not report charging profiles")


def profile_on_the_wire(profile: ChargingProfile) -> dict[str, object]:
    """A ChargingProfile (§7.8)."""
    form = profile.form
    wire: dict[str, object] = {
        "chargingProfileId": profile.profile_id,
        "stackLevel": form.stack_level,
        "chargingProfilePurpose": form.purpose.value,
        "chargingProfileKind": form.kind.value,
        "chargingSchedule": common.schedule(profile),
    }
    if profile.transaction_ref is not None and common.is_whole(profile.transaction_ref):
        wire["transactionId"] = int(profile.transaction_ref)
    return wire
