"""The seam between a charger and the OCPP version it speaks."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

from depot_sim.chargers.events import BootReason, Event, Message
from depot_sim.chargers.json_rpc import Json

Call = Callable[[str, Json], Awaitable[Json]]
"""Send a CALL, wait for its payload (`Session.call`)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Nameplate:
    """What a charger says about itself when it boots."""

    id: str
    vendor: str = "Gridyard"
    model: str = "Simulated EVSE"
    firmware: str = "1.0"


async def told(message: Message, call: Call) -> None:
    """Send a message that is in words already, and hand on its answer."""
    answer = await call(message.action, message.payload)
    if message.then is not None:
        message.then(answer)


class Dialect(Protocol):
    """One version of OCPP. Payloads of BootNotification differ, their answers do not."""

    @property
    def subprotocol(self) -> str:
        """Name of the WebSocket subprotocol."""
        ...

    @property
    def actions(self) -> frozenset[str]:
        """The CALLs of the central system that are served."""
        ...

    def boot(self, reason: BootReason) -> Json:
        """Payload of BootNotification."""
        ...

    async def tell(self, event: Event, call: Call) -> None:
        """Put an event into words and take in the answer.

        Raises:
            CallError, TransientError: from `call`.
        """
        ...

    def check_answer(self, action: str, payload: Json) -> None:
        """Check the answer to a CALL of ours.

        Raises:
            CallError: it breaks the schema.
        """
        ...

    def answer(self, action: str, payload: Json) -> Json:
        """Answer a CALL of the central system, without waiting for anything.

        Raises:
            CallError: to be answered by CALLERROR.
        """
        ...
