"""`gridyard sep2 certify` against the simulator over real mutual TLS: what needs nobody."""

from __future__ import annotations

from typing import Any

import pytest

from certs.pki import Pki
from gridyard.sep2.certify import subscribing
from support.sep2_certify import listener, verdicts
from support.sep2_client import client_settings
from support.sep2_server import RunningSep2, running_sep2

CURVE = {"name": "vv", "mode": "opModVoltVar", "y_ref": 3, "points": [[92, 44], [108, -44]]}
PROGRAMS: dict[str, Any] = {
    "programs": [
        {"name": "system", "primacy": 5, "default": {"modes": {"opModImpLimW": 90000}}},
        {"name": "feeder", "primacy": 1, "curves": [CURVE]},
    ]
}


async def test_everything_that_needs_nobody_passes_and_is_cleaned_up(pki: Pki) -> None:
    async with running_sep2(pki, in_band="any", **PROGRAMS) as server:
        settings = client_settings(server, numbers=(1, 2, 3), listener=listener(pki), in_band=True)
        found = await verdicts(settings)
        wrong = {name: one.detail for name, one in found.items() if one.passed is not True}
        assert wrong == {}
        assert len(await server.look("/devices/depot-1/log-events")) == 5
        assert await server.look("/subscriptions") == []
        assert await server.look("/readings") == []
        told = [
            one for one in await server.look("/exchanges?limit=1000") if one["method"] == "NOTIFY"
        ]
        assert 201 in {one["status"] for one in told}


async def test_reading_procedures_change_nothing(pki: Pki) -> None:
    async with running_sep2(pki, **PROGRAMS) as server:
        found = await verdicts(client_settings(server), write=False)
        requests: dict[str, int] = await server.look("/requests")
    assert {one.passed for one in found.values()} == {True, None}
    assert {name for name, one in found.items() if one.passed is None} == {
        "ERR-002 our listener refuses a wrong body"
    }
    assert [name for name in requests if not name.startswith("GET")] == []


async def test_der_information_is_put_back(pki: Pki) -> None:
    async with running_sep2(pki) as server:
        first = client_settings(server)
        await verdicts(first)
        told = await _rating(server)
        rated = {"ratings": {"rtg_max_w": 5e4}}
        again = client_settings(server).model_dump() | {
            "devices": [one.model_dump() | rated for one in first.devices]
        }
        found = await verdicts(type(first).model_validate(again))
        assert found["CORE-009 DERCapability and DERSettings"].detail.count("put back") == 2
        assert await _rating(server) == told == 100_000


async def _rating(server: RunningSep2) -> float:
    shown = (await server.look("/devices/depot-1"))["told"]["DERCapability 1"]["rtg_max_w"]
    rating: float = shown["value"] * 10.0 ** shown["multiplier"]
    return rating


def refuse(kind: str, method: str, status: int) -> dict[str, Any]:
    return {"effect": "status", "kind": kind, "method": method, "status": status}


FAULTS: list[tuple[list[dict[str, Any]], dict[str, str]]] = [
    (
        [
            {"effect": "content-type", "kind": "DefaultDERControl"},
            refuse("LogEventList", "POST", 400),
            refuse("DERStatus", "PUT", 405),
            refuse("MirrorUsagePointList", "POST", 413),
            refuse("Subscription", "DELETE", 405),
        ],
        {
            "CORE-010 programs and their defaults": "text/html",
            "BASIC-027 LogEvents": "HTTP 400",
            "BASIC-028 DERStatus and DERAvailability": "HTTP 405",
            "BASIC-029 mirror usage point of a device": "HTTP 413",
            "BASIC-029 mirror usage point of the aggregator": "HTTP 413",
            "CORE-018 a Subscription from beginning to end": "HTTP 405",
            "CORE-018 a Notification on a change": "HTTP 405",
            "UTIL-003 Subscriptions to programs and controls": "HTTP 405",
        },
    ),
    (
        [{"effect": "garbage", "kind": "FunctionSetAssignmentsList"}, refuse("Time", "GET", 404)],
        {
            "COMM-002 configured address, one linked resource": "HTTP 404",
            "CORE-003 order of lists": "XML",
            "CORE-005 time": "HTTP 404",
            "CORE-010 programs and their defaults": "XML",
            "CORE-011 function set assignments": "XML",
            "CORE-012 curves": "XML",
            "CORE-013 controls of every program": "XML",
            "BASIC-002 pages of 255 items": "XML",
        },
    ),
]


@pytest.mark.parametrize(("faults", "expected"), FAULTS, ids=["writing", "reading"])
async def test_a_fault_makes_the_right_procedures_fail(
    pki: Pki, faults: list[dict[str, Any]], expected: dict[str, str]
) -> None:
    async with running_sep2(pki) as server:
        for fault in faults:
            await server.act("add-fault", fault=fault)
        writing = any("method" in fault and fault["method"] != "GET" for fault in faults)
        found = await verdicts(client_settings(server, listener=listener(pki)), write=writing)
    failed = {name: one.detail for name, one in found.items() if one.passed is False}
    assert failed.keys() == expected.keys()
    assert {name for name, why in expected.items() if why not in failed[name]} == set(), failed


async def test_a_wrong_pin_and_a_missing_device_are_told(pki: Pki) -> None:
    async with running_sep2(pki) as server:
        await server.act("set-pin", device="depot-1", pin=222_227)
        found = await verdicts(client_settings(server), write=False)
        assert "PIN" in found["CORE-003 devices and PINs"].detail
        assert found["CORE-003 devices and PINs"].passed is False
        await server.act("delete-device", device="depot-2")
        found = await verdicts(client_settings(server), write=False)
        assert "not listed" in found["BASIC-001 SFDI and LFDI of every managed device"].detail


async def test_notifications_that_cannot_come_are_no_failure(
    pki: Pki, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subscribing, "NOTIFIED_WITHIN_S", 0.5)
    elsewhere = listener(pki) | {"url": "https://127.0.0.1:1/notify"}
    async with running_sep2(pki) as server:
        found = await verdicts(client_settings(server, listener=elsewhere))
        assert await server.look("/subscriptions") == []
    assert found["CORE-018 a Notification on a change"].passed is None
    assert found["CORE-018 a Subscription from beginning to end"].passed
    assert found["ERR-002 our listener refuses a wrong body"].passed is False


async def test_in_band_registration_that_is_refused_fails(pki: Pki) -> None:
    async with running_sep2(pki, in_band="off") as server:
        found = await verdicts(client_settings(server, numbers=(1, 2, 3), in_band=True))
    registered = found["IN-BAND registration by POST, and removal"]
    assert registered.passed is False
    assert "HTTP 403" in registered.detail
