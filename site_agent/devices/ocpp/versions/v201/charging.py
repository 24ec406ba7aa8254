"""Variables and charging profiles (OCPP 2.0.1 part 2, blocks B and K)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from site_agent.devices.ocpp.limits.profiles import (
    Capabilities,
    ChargingProfile,
    Period,
    Purpose,
    RateUnit,
)
from site_agent.devices.ocpp.versions import common, composites
from site_agent.devices.ocpp.versions.words import Composite, ProfileFilter, Setting
from site_agent.devices.ocpp.wire import fields
from site_agent.devices.ocpp.wire.frames import Json
from site_agent.devices.ocpp.wire.outbox import Request

NAMES = common.SettingNames(
    heartbeat="OCPPCommCtrlr.HeartbeatInterval",
    meter_interval="SampledDataCtrlr.TxUpdatedInterval",
    measurands="SampledDataCtrlr.TxUpdatedMeasurands",
    rate_unit="SmartChargingCtrlr.RateUnit",
    max_stack_level="SmartChargingCtrlr.ProfileStackLevel",
    max_periods="SmartChargingCtrlr.PeriodsPerSchedule",
    max_profiles="SmartChargingCtrlr.Entries.ChargingProfiles",
)
_PURPOSES = {"ChargePointMaxProfile": "ChargingStationMaxProfile"}


class Configuration201:
    """Variables of the device model, by the names of `Setting`."""

    def probe(self) -> Request:
        """Required of every station (B06)."""
        return self.get([NAMES.heartbeat])

    def read_settings(self) -> Request:
        """Ask for the settings that matter here."""
        return self.get(NAMES.all())

    def settings(self, answer: Json) -> dict[str, str]:
        """Variables that have a value; some chargers accept and give none."""
        return {found.name: found.value for found in self.found(answer) if found.value}

    def capabilities(self, settings: Mapping[str, str]) -> Capabilities:
        """What they say about smart charging."""
        return NAMES.capabilities(settings)

    def changes(
        self, settings: Mapping[str, str], meter_interval_s: int | None, heartbeat_s: int
    ) -> list[Sequence[Request]]:
        """Settings to change, none that is right already."""
        return NAMES.changes(settings, meter_interval_s, heartbeat_s, self.change)

    def get(self, names: Sequence[str]) -> Request:
        """GetVariables (B06)."""
        payload = {"getVariableData": [_variable(name) for name in names]}
        return Request(action="GetVariables", payload=payload)

    def found(self, answer: Json) -> list[Setting]:
        """The variables of the answer that were given."""
        return [
            Setting(
                name=variable_name(result),
                value=fields.word(result, "attributeValue"),
                evse=evse_of(result),
            )
            for result in fields.parts(answer, "getVariableResult")[: common.MOST_SETTINGS]
            if result.get("attributeStatus") == "Accepted"
        ]

    def change(self, name: str, value: str) -> Request:
        """SetVariables (B05)."""
        entry = {**_variable(name), "attributeValue": value}
        return Request(action="SetVariables", payload={"setVariableData": [entry]})

    def change_password(self, password: str) -> Request:
        """BasicAuthPassword (A01), as it is."""
        return self.change("SecurityCtrlr.BasicAuthPassword", password)

    def inventory(self, request_id: int) -> Request:
        """GetBaseReport (B07); NotifyReport brings the parts."""
        payload = {"requestId": request_id, "reportBase": "FullInventory"}
        return Request(action="GetBaseReport", payload=payload)

    def ask_report(self, request_id: int, names: Sequence[str]) -> Request:
        """GetReport (B08) of components, or of variables of theirs."""
        asked = [
            _variable(name) if "." in name else {"component": {"name": name}} for name in names
        ]
        payload = common.given(requestId=request_id, componentVariable=asked or None)
        return Request(action="GetReport", payload=payload)


class Charging201:
    """Charging profiles."""

    def set_profile(self, profile: ChargingProfile) -> Request:
        """SetChargingProfile (K01)."""
        payload = {
            "evseId": profile.form.connector,
            "chargingProfile": self.profile(profile),
        }
        return Request(action="SetChargingProfile", payload=payload)

    def profile(self, profile: ChargingProfile) -> dict[str, object]:
        """A profile as the version words it."""
        return profile_on_the_wire(profile)

    def clear_profiles(self, which: ProfileFilter) -> Request:
        """ClearChargingProfile (K10); by its id, or by what it is."""
        criteria = common.given(
            evseId=which.connector,
            chargingProfilePurpose=purpose_on_the_wire(which.purpose),
            stackLevel=which.stack_level,
        )
        by_id = which.profile_id is not None
        payload = common.given(
            chargingProfileId=which.profile_id,
            chargingProfileCriteria=None if by_id else criteria,
        )
        return Request(action="ClearChargingProfile", payload=payload)

    def ask_composite(
        self, connector: int, duration_s: int, unit: RateUnit | None = None
    ) -> Request:
        """GetCompositeSchedule (K08)."""
        payload = common.given(evseId=connector, duration=duration_s, chargingRateUnit=unit)
        return Request(action="GetCompositeSchedule", payload=payload)

    def composite(self, answer: Json, *, phases: int, voltage_v: float) -> Composite | None:
        """What all profiles together allow; None: unknown."""
        held = fields.part(answer, "schedule")
        start = held.get("scheduleStart")
        return composites.read(answer, {**held, "start": start}, phases, voltage_v)

    def ask_profiles(self, request_id: int, which: ProfileFilter) -> Request:
        """GetChargingProfiles (K09); ReportChargingProfiles brings them."""
        criterion = common.given(
            chargingProfilePurpose=purpose_on_the_wire(which.purpose),
            stackLevel=which.stack_level,
            chargingProfileId=None if which.profile_id is None else [which.profile_id],
        )
        payload = common.given(
            requestId=request_id, evseId=which.connector, chargingProfile=criterion
        )
        return Request(action="GetChargingProfiles", payload=payload)


def profile_on_the_wire(
    profile: ChargingProfile,
    word: Callable[[Period, RateUnit], dict[str, object]] = common.period,
) -> dict[str, object]:
    """A ChargingProfile (part 2 §2.10)."""
    form = profile.form
    wire: dict[str, object] = {
        "id": profile.profile_id,
        "stackLevel": form.stack_level,
        "chargingProfilePurpose": purpose_on_the_wire(form.purpose),
        "chargingProfileKind": form.kind.value,
        "chargingSchedule": [{"id": profile.profile_id, **common.schedule(profile, word)}],
    }
    if profile.transaction_ref is not None:
        wire["transactionId"] = profile.transaction_ref
    return wire


def purpose_on_the_wire(purpose: Purpose | None) -> str | None:
    """2.0.1 has another word for a station's maximum."""
    return None if purpose is None else _PURPOSES.get(purpose.value, purpose.value)


def variable_name(held: Json) -> str:
    """`Component.Variable` or `Component.Variable.Instance`, `Component@2` for that of EVSE 2."""
    component, variable = fields.part(held, "component"), fields.part(held, "variable")
    evse = evse_of(held)
    words = (
        fields.word(component, "name") + (f"@{evse}" if evse is not None else ""),
        fields.word(variable, "name"),
        fields.word(variable, "instance"),
    )
    return ".".join(filter(None, words))


def _variable(name: str) -> dict[str, object]:
    place, _, rest = name.partition(".")
    component, _, evse = place.partition("@")
    variable, _, instance = rest.partition(".")
    where = {"evse": {"id": int(evse)}} if common.is_whole(evse) else {}
    wire = common.given(name=variable, instance=instance or None)
    return {"component": {"name": component, **where}, "variable": wire}


def evse_of(held: Json) -> int | None:
    """The EVSE its component belongs to; None: the station."""
    number = fields.part(fields.part(held, "component"), "evse").get("id")
    return number if isinstance(number, int) else None
