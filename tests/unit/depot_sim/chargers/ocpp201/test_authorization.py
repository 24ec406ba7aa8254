"""Tokens of every type, the local list, reservations and what is known of a customer."""

from __future__ import annotations

from datetime import timedelta

import pytest

from depot_sim.chargers.events import Status
from depot_sim.chargers.json_rpc import timestamp
from support.charger_bench import ChargerBench
from support.ocpp201_words import ACCEPTED, REJECTED, Json, listed, local_list, token, variable


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
