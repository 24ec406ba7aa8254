"""How odd chargers answer, or do not. Works on the CALLs of every version."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from depot_sim.chargers.json_rpc import CallError, Json, timestamp
from depot_sim.chargers.personality import Personality

_ABOUT_PROFILES = frozenset(
    {
        "ClearChargingProfile",
        "GetChargingProfiles",
        "GetCompositeSchedule",
        "SetChargingProfile",
        "UpdateDynamicSchedule",
    }
)
_TRIGGERS = frozenset({"ExtendedTriggerMessage", "TriggerMessage"})
_ENDLESS_S = 8_638_204_776_048
"""Seen in the field: more seconds than a calendar has."""

Answer = Callable[[str, Json], Json]


class Manners:
    """Stands before a dialect's answers and changes what the personality changes about them."""

    def __init__(
        self, answer: Answer, personality: Personality, now: Callable[[], datetime]
    ) -> None:
        self._answer = answer
        self._personality = personality
        self._now = now
        self._connections = 0
        self._calls = 0

    def connected(self) -> None:
        """A new connection stands."""
        self._connections += 1
        self._calls = 0

    def answer(self, action: str, payload: Json) -> Json | None:
        """Answer a CALL; None for no answer at all.

        Raises:
            CallError: to be answered by CALLERROR.
        """
        self._calls += 1
        if self._deaf() or (action in _TRIGGERS and self._personality.on_trigger == "silent"):
            return None
        if action in _TRIGGERS and self._personality.on_trigger == "idle":
            return {"status": "Accepted"}
        if not self._personality.serves_profiles:
            payload = _without_profiles(action, payload)
        return self._retouched(action, payload, self._answer(action, payload))

    def _deaf(self) -> bool:
        most = self._personality.deaf_after_calls
        return most is not None and self._connections <= 1 and self._calls > most

    def _retouched(self, action: str, asked: Json, answered: Json) -> Json:
        if action == "GetCompositeSchedule" and self._personality.composite != "true":
            return self._composite(asked)
        if action == "GetVariables" and not self._personality.honours_profiles:
            return {"getVariableResult": [_valueless(r) for r in answered["getVariableResult"]]}
        return answered

    def _composite(self, asked: Json) -> Json:
        """A schedule without substance."""
        if self._personality.composite == "rejected":
            return {"status": "Rejected"}
        if self._personality.composite == "nothing":
            return {"status": "Accepted"}
        start = timestamp(self._now())
        schedule: Json = {
            "duration": _ENDLESS_S,
            "chargingRateUnit": self._personality.unit_for(asked.get("chargingRateUnit")).value,
            "chargingSchedulePeriod": [],
        }
        if "connectorId" in asked:
            place = {"connectorId": asked["connectorId"], "scheduleStart": start}
            return {"status": "Accepted", **place, "chargingSchedule": schedule}
        schedule |= {"evseId": asked["evseId"], "scheduleStart": start}
        return {"status": "Accepted", "schedule": schedule}


def _without_profiles(action: str, payload: Json) -> Json:
    """The same CALL to a station that has never heard of profiles."""
    if action in _ABOUT_PROFILES:
        raise CallError("NotImplemented", f"{action} is not served here")
    return {key: value for key, value in payload.items() if key != "chargingProfile"}


def _valueless(result: Json) -> Json:
    return {key: value for key, value in result.items() if key != "attributeValue"}
