"""How every version answers a CALL: known, valid by the schema, then served."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from depot_sim.chargers.json_rpc import CallError, Json

Served = Mapping[str, Callable[[Json], Json]]
"""What serves which action."""
ACCEPTED: Json = {"status": "Accepted"}
REJECTED: Json = {"status": "Rejected"}


class Answers:
    """The CALLs a charger serves, collected from its parts; a later part wins over an earlier."""

    def __init__(self, check_request: Callable[[str, Json], None], *parts: Served) -> None:
        self._check = check_request
        self._served = {action: serve for part in parts for action, serve in part.items()}

    @property
    def actions(self) -> frozenset[str]:
        """Everything served."""
        return frozenset(self._served)

    def answer(self, action: str, payload: Json) -> Json:
        """Answer a CALL.

        Raises:
            CallError: not served, the payload breaks the schema, or we did not foresee it.
        """
        serve = self._served.get(action)
        if serve is None:
            raise CallError("NotImplemented", f"{action} is not served here")
        self._check(action, payload)
        try:
            return serve(payload)
        except (ArithmeticError, LookupError, ValueError) as error:
            raise CallError("InternalError", f"{type(error).__name__}: {error}"[:255]) from error


def yes_or_no(good: bool) -> Json:
    """Accepted or Rejected."""
    return ACCEPTED if good else REJECTED
