"""Parts of the messages that tests send to a charging station of 2.0.1 or 2.1."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]
ACCEPTED, REJECTED = {"status": "Accepted"}, {"status": "Rejected"}


def token(value: str = "TAG1", kind: str = "ISO14443") -> Json:
    return {"idToken": value, "type": kind}


def variable(component: str, name: str, evse: int | None = None, **more: Any) -> Json:
    where = {"evse": {"id": evse}} if evse else {}
    return {"component": {"name": component, **where}, "variable": {"name": name}, **more}


def profile(limit: float = 10, *, purpose: str = "TxProfile", **changes: Any) -> Json:
    schedule = {
        "id": 1,
        "chargingRateUnit": "A",
        "chargingSchedulePeriod": [{"startPeriod": 0, "limit": limit}],
    }
    body = {
        "id": 1,
        "stackLevel": 0,
        "chargingProfilePurpose": purpose,
        "chargingProfileKind": "Relative",
        "chargingSchedule": [schedule],
    }
    return body | changes


def listed(*tags: str, **info: Any) -> list[Json]:
    return [{"idToken": token(tag), "idTokenInfo": ACCEPTED | info} for tag in tags]


def local_list(version: int, entries: list[Json], kind: str = "Full") -> Json:
    return {"versionNumber": version, "updateType": kind, "localAuthorizationList": entries}
