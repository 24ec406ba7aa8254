"""What chargers are told for the time in which they cannot ask."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from site_agent.domain.fleet.access import Access, Offline, Rule
from site_agent.domain.fleet.identity import Credential, Key, Kind, Roster
from support.ocpp_charger import Json, RawCharger
from support.ocpp_depot import Depot, connected, depot
from support.waiting import until

LATER = datetime(2099, 1, 1, tzinfo=UTC)
LIST_16 = "LocalAuthListEnabled"
LIST_2 = "LocalAuthListCtrlr.Enabled"
SETTINGS_16 = {
    LIST_16: "false",
    "LocalPreAuthorize": "false",
    "LocalAuthorizeOffline": "True",
    "AllowOfflineTxForUnknownId": "true",
    "StopTransactionOnInvalidId": "false",
}
SETTINGS_2 = {
    LIST_2: "false",
    "AuthCtrlr.LocalPreAuthorize": "false",
    "AuthCtrlr.LocalAuthorizeOffline": "True",
    "AuthCtrlr.OfflineTxForUnknownIdEnabled": "true",
    "TxCtrlr.StopTxOnInvalidId": "false",
}


def cards(*tags: str, **facts: Any) -> dict[Key, Credential]:
    kind = "ISO14443"
    return {
        (Kind.TAG, tag.lower()): Credential(vehicle="v", text=tag, token_type=kind, **facts)
        for tag in tags
    }


def rules(known: Mapping[Key, Credential], offline: Offline | None = Offline.LIST) -> Access:
    return Access(roster=Roster(credentials=known), strangers=Rule(admit=False), offline=offline)


FLEET = rules(
    cards("Van-1", group="vans", valid_until=LATER)
    | cards("Lost", blocked=True)
    | cards("There", evses=frozenset({"evse-9"}))
    | cards("X" * 21)
    | {(Kind.EMAID, "DE8AAC12345678"): Credential(vehicle="v", text="DE8AAC123456789")}
)


class Memory:
    """The settings and the local list of a charger."""

    def __init__(self, version: str, list_version: int = 0, **more: str) -> None:
        self.old = version == "ocpp1.6"
        self.settings = dict(SETTINGS_16 if self.old else SETTINGS_2) | more
        self.version = list_version
        self.held: list[Json] = []
        self.writes: list[tuple[str, str]] = []

    def answers(self) -> dict[str, Callable[[Json], Json]]:
        return {
            "GetConfiguration": self._configuration,
            "GetVariables": self._variables,
            "ChangeConfiguration": self._change,
            "SetVariables": self._set,
            "GetLocalListVersion": self._version,
            "SendLocalList": self._send,
        }

    def _configuration(self, asked: Json) -> Json:
        names = [name for name in asked.get("key", self.settings) if name in self.settings]
        return {"configurationKey": [
            {"key": name, "readonly": False, "value": self.settings[name]} for name in names
        ]}  # fmt: skip

    def _variables(self, asked: Json) -> Json:
        return {"getVariableResult": [self._variable(one) for one in asked["getVariableData"]]}

    def _variable(self, one: Json) -> Json:
        name = f"{one['component']['name']}.{one['variable']['name']}"
        place = {"component": one["component"], "variable": one["variable"]}
        if name not in self.settings:
            return {**place, "attributeStatus": "UnknownVariable"}
        return {**place, "attributeStatus": "Accepted", "attributeValue": self.settings[name]}

    def _change(self, asked: Json) -> Json:
        self._write(asked["key"], asked["value"])
        return {"status": "Accepted"}

    def _set(self, asked: Json) -> Json:
        for one in asked["setVariableData"]:
            name = f"{one['component']['name']}.{one['variable']['name']}"
            self._write(name, one["attributeValue"])
        return {"setVariableResult": [
            {"component": one["component"], "variable": one["variable"],
             "attributeStatus": "Accepted"} for one in asked["setVariableData"]
        ]}  # fmt: skip

    def _write(self, name: str, value: str) -> None:
        if name in self.settings:
            self.settings[name] = value
            self.writes.append((name, value))

    def _version(self, _: Json) -> Json:
        return {"listVersion" if self.old else "versionNumber": self.version}

    def _send(self, asked: Json) -> Json:
        part = asked.get("localAuthorizationList", [])
        self.held = part if asked["updateType"] == "Full" else self.held + part
        self.version = asked["listVersion" if self.old else "versionNumber"]
        return {"status": "Accepted"}

    def tags(self) -> list[str]:
        return [one["idTag"] if self.old else one["idToken"]["idToken"] for one in self.held]


async def checked_in(site: Depot, charger: RawCharger, times: int = 1) -> None:
    """The list's version has been asked for, and whatever follows has been said."""

    def asked() -> int:
        return sum(action == "GetLocalListVersion" for action, _ in charger.heard)

    await charger.boot()
    await until(lambda: asked() >= times)
    await charger.boot()  # perhaps the one that was asked for
    await charger.boot()  # a new check-in begins when the one before is over
    await until(lambda: asked() >= times + 1)


def lists(charger: RawCharger) -> list[Json]:
    return [payload for action, payload in charger.heard if action == "SendLocalList"]


async def test_a_charger_learns_whom_it_may_let_charge(version: str) -> None:
    memory = Memory(version)
    async with (
        depot(access=FLEET) as site,
        connected(site, version=version, answers=memory.answers()) as charger,
    ):
        await checked_in(site, charger)
        sent = lists(charger)
    assert len(sent) == 1, "the second check-in finds the list there"
    if version == "ocpp1.6":
        assert memory.held == [
            {"idTag": "Van-1", "idTagInfo": {
                "status": "Accepted", "expiryDate": "2099-01-01T00:00:00Z", "parentIdTag": "vans"
            }},
            {"idTag": "Lost", "idTagInfo": {"status": "Blocked"}},
        ]  # fmt: skip
    else:
        assert memory.tags() == ["Van-1", "X" * 21, "DE8AAC123456789", "Lost"]
        assert memory.held[2]["idToken"]["type"] == "eMAID"


@pytest.mark.parametrize(
    ("offline", "wanted"),
    [
        (Offline.LIST, ("true", "true", "true", "false", "true")),
        (Offline.ANYONE, ("true", "true", "true", "true", "false")),
        (Offline.NOBODY, ("false", "false", "false", "false", "true")),
    ],
)
async def test_settings_follow_the_policy_and_right_ones_are_not_written(
    version: str, offline: Offline, wanted: tuple[str, ...]
) -> None:
    memory = Memory(version)
    before = dict(memory.settings)
    policy = dict(zip(before, wanted, strict=True))
    async with (
        depot(access=replace(FLEET, offline=offline)) as site,
        connected(site, version=version, answers=memory.answers()) as charger,
    ):
        await charger.boot()
        await until(lambda: {k: v.lower() for k, v in memory.settings.items()} == policy)
        await charger.boot()
        if offline is Offline.NOBODY:
            assert lists(charger) == []
    changed = {name: value for name, value in policy.items() if before[name].lower() != value}
    assert dict(memory.writes) == changed
    assert len(memory.writes) == len(changed)


async def test_a_long_list_goes_in_parts(version: str) -> None:
    key = "SendLocalListMaxLength" if version == "ocpp1.6" else "LocalAuthListCtrlr.ItemsPerMessage"
    memory = Memory(version, 77, **{key: "3"})
    tags = [f"CARD-{number}" for number in range(8)]
    async with (
        depot(access=rules(cards(*tags))) as site,
        connected(site, version=version, answers=memory.answers()) as charger,
    ):
        await checked_in(site, charger)
        sent = lists(charger)
    assert [one["updateType"] for one in sent] == ["Full", "Differential", "Differential"]
    numbers = [int(one.get("listVersion") or one["versionNumber"]) for one in sent]
    assert numbers == sorted(set(numbers))
    assert memory.tags() == tags


async def test_a_list_too_long_for_a_charger_is_cut() -> None:
    memory = Memory("ocpp1.6", LocalAuthListMaxLength="2")
    async with (
        depot(access=rules(cards("Lost", blocked=True) | cards("A", "B", "C"))) as site,
        connected(site, answers=memory.answers()) as charger,
    ):
        await checked_in(site, charger)
    assert memory.tags() == ["A", "B"]


async def test_a_fleet_without_cards_empties_an_old_list(version: str) -> None:
    memory = Memory(version, 5)
    memory.held = [{"idTag": "GONE"}]
    async with (
        depot(access=rules({})) as site,
        connected(site, version=version, answers=memory.answers()) as charger,
    ):
        await checked_in(site, charger)
        assert len(lists(charger)) == 1
    assert memory.held == []


async def test_another_card_is_another_list(version: str) -> None:
    memory = Memory(version)
    versions = []
    for tags in (("A",), ("A", "B"), ("A", "B"), ("A",)):
        async with (
            depot(access=rules(cards(*tags))) as site,
            connected(site, version=version, answers=memory.answers()) as charger,
        ):
            await checked_in(site, charger)
        versions.append(memory.version)
        assert memory.tags() == list(tags)
    assert versions[0] != versions[1] == versions[2]
    assert versions[3] == versions[0]


async def test_a_charger_that_forgets_is_not_written_for_ever() -> None:
    memory = Memory("ocpp1.6")
    forgetful = memory.answers() | {"GetLocalListVersion": lambda _: {"listVersion": 0}}
    async with depot(access=FLEET) as site, connected(site, answers=forgetful) as charger:
        for times in range(1, 6):
            await checked_in(site, charger, times)
        assert len(lists(charger)) == 3


@pytest.mark.parametrize(
    "odd",
    [
        {"GetLocalListVersion": lambda _: {"listVersion": -1}},
        {"GetLocalListVersion": ["NotSupported", "no lists"]},
        {"GetLocalListVersion": lambda _: {"listVersion": "many"}},
        {"SendLocalList": lambda _: {"status": "NotSupported"}},
        {"SendLocalList": ["NotImplemented", "what?"]},
        {"GetConfiguration": ["InternalError", ""]},
    ],
    ids=range(6),
)
async def test_a_charger_without_lists_is_served_all_the_same(odd: dict[str, Any]) -> None:
    memory = Memory("ocpp1.6")
    async with (
        depot(access=FLEET) as site,
        connected(site, answers=memory.answers() | odd) as charger,
    ):
        await checked_in(site, charger)
        await charger.call("Heartbeat", {})
        assert site.state().online


async def test_chargers_are_left_alone_without_a_policy() -> None:
    memory = Memory("ocpp1.6")
    async with (
        depot(access=replace(FLEET, offline=None)) as site,
        connected(site, answers=memory.answers()) as charger,
    ):
        await charger.boot()
        await charger.boot()
        await charger.hears("TriggerMessage", lambda p: p["requestedMessage"] == "MeterValues")
        assert memory.writes == []
        assert lists(charger) == []
