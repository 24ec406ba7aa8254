"""A central system that says yes to everything and writes down whatever a charger sends."""

from __future__ import annotations

import asyncio
import contextlib
import json
from datetime import UTC, datetime
from typing import Any

from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

Json = dict[str, Any]
SILENCE_S = 0.4


class Scribe:
    """Answers Accepted to everything it understands and keeps every frame with its connection."""

    def __init__(self, version: str) -> None:
        self.version = version
        self.url = ""
        self.offers: list[list[str]] = []
        self.sockets: list[ServerConnection] = []
        self.frames: list[tuple[int, str]] = []
        self._answers: dict[str, asyncio.Future[list[Any]]] = {}

    def select(self, _: ServerConnection, offered: Any) -> Subprotocol | None:
        self.offers.append(list(offered))
        right = Subprotocol(f"ocpp{self.version}")
        return right if right in offered else None

    async def serve_one(self, socket: ServerConnection) -> None:
        number = len(self.sockets)
        self.sockets.append(socket)
        with contextlib.suppress(ConnectionClosed):
            async for text in socket:
                assert isinstance(text, str)
                self.frames.append((number, text))
                await self._receive(socket, text)

    async def _receive(self, socket: ServerConnection, text: str) -> None:
        match parsed(text):
            case [2, str(unique_id), str(action), dict()]:
                await socket.send(json.dumps([3, unique_id, self._answer(action)]))
            case [3 | 4, str(unique_id), *_] as frame:
                self._answers[unique_id].set_result(frame)
            case _:
                pass  # a bad frame is only written down

    def _answer(self, action: str) -> Json:
        now = datetime.now(UTC).isoformat()
        yes = {"status": "Accepted"}
        info = "idTagInfo" if self.version == "1.6" else "idTokenInfo"
        answers: dict[str, Json] = {
            "BootNotification": {**yes, "currentTime": now, "interval": 300},
            "Heartbeat": {"currentTime": now},
            "Authorize": {info: yes},
            "StartTransaction": {info: yes, "transactionId": 4711},
        }
        return answers.get(action, {})

    def said(self, connection: int | None = None) -> list[tuple[str, Json]]:
        """Well-formed CALLs, of one connection or of all."""
        frames = [parsed(text) for number, text in self.frames if connection in (None, number)]
        return [(f[2], f[3]) for f in frames if isinstance(f, list) and f[0] == 2 and len(f) == 4]

    def names(self, connection: int | None = None) -> list[str]:
        return [name for name, _ in self.said(connection)]

    def metered(self, connection: int | None = None) -> list[Json]:
        """Every meter value told outside a start or an end, oldest frame first."""
        return [
            value
            for name, payload in self.said(connection)
            if name == "MeterValues" or payload.get("eventType") == "Updated"
            for value in payload.get("meterValue", [])
        ]

    def ended(self, connection: int | None = None) -> list[Json]:
        return [
            payload
            for name, payload in self.said(connection)
            if name == "StopTransaction" or payload.get("eventType") == "Ended"
        ]

    async def ask(self, action: str, payload: Json) -> list[Any]:
        """The frame that answers; TimeoutError after a while of silence."""
        unique_id = f"{action}-{len(self._answers)}"
        self._answers[unique_id] = asyncio.Future()
        await self.sockets[-1].send(json.dumps([2, unique_id, action, payload]))
        async with asyncio.timeout(60):
            return await self._answers[unique_id]

    async def unanswered(self, action: str, payload: Json) -> bool:
        """Whether a CALL finds no answer within a while in which others would."""
        asking = asyncio.ensure_future(self.ask(action, payload))
        done, _ = await asyncio.wait([asking], timeout=SILENCE_S)
        asking.cancel()
        return not done


def parsed(text: str) -> Any:
    """The frame, or None for text that is no JSON."""
    try:
        return json.loads(text)
    except ValueError:
        return None


def profile(version: str, limit: float, purpose: str = "TxDefaultProfile") -> Json:
    schedule = {
        "chargingRateUnit": "A",
        "chargingSchedulePeriod": [{"startPeriod": 0, "limit": limit}],
    }
    body: Json = {
        "stackLevel": 0,
        "chargingProfilePurpose": purpose,
        "chargingProfileKind": "Relative",
    }
    if version == "1.6":
        whole = {**body, "chargingProfileId": 1, "chargingSchedule": schedule}
        return {"connectorId": 1, "csChargingProfiles": whole}
    whole = {**body, "id": 1, "chargingSchedule": [{"id": 1, **schedule}]}
    return {"evseId": 1, "chargingProfile": whole}
