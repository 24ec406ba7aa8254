"""Plays the charger's side of a recording against a central system and compares the answers."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, WebSocketException
from websockets.headers import build_authorization_basic
from websockets.typing import Subprotocol

from contracts.errors import LinkDownError
from contracts.tasks import first_of
from site_agent.devices.ocpp.operate.recording import Recording
from site_agent.devices.ocpp.operate.script import (
    Asked,
    Line,
    Scene,
    differences,
    plain,
    scenes,
)
from site_agent.devices.ocpp.wire import frames
from site_agent.devices.ocpp.wire.frames import (
    Answer,
    Call,
    CallFaultError,
    CallRefusedError,
    Json,
)

_ANSWER_S = 20.0
_ASKED_S = 8.0
"""How long a CALL of ours that was recorded may take to come again."""
_SETTLE_S = 1.0
"""How long there must be silence at the end of a connection."""
_ON_DEMAND = frozenset({
    "RemoteStartTransaction", "RemoteStopTransaction", "RequestStartTransaction",
    "RequestStopTransaction", "Reset", "UnlockConnector", "ChangeAvailability", "ClearCache",
    "GetCompositeSchedule", "UpdateFirmware", "GetDiagnostics", "GetLog", "DataTransfer",
    "GetBaseReport", "GetLocalListVersion", "ReserveNow", "CancelReservation",
    "ClearChargingProfile",
})  # fmt: skip
"""What people and the control loop cause: nobody does in a replay."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One thing that was said, or not; `differs` is empty where it is as it was."""

    at: datetime | None
    what: str
    now: object
    differs: tuple[str, ...] = ()
    note: str = ""


async def play(
    recording: Recording, url: str, *, password: str | None, reached: Callable[[datetime], None]
) -> AsyncGenerator[Step, None]:
    """Play every connection; `reached` is told the time of each frame before it is sent.

    Raises:
        LinkDownError: the central system cannot be reached, or hangs up.
    """
    for scene in scenes(recording.frames):
        for step in await _play(recording, scene, url, password, reached):
            yield step


async def _play(
    recording: Recording,
    scene: Scene,
    url: str,
    password: str | None,
    reached: Callable[[datetime], None],
) -> list[Step]:
    name = recording.station.charge_point_id
    version = scene.version or recording.station.versions[-1]
    if scene.lines:
        reached(scene.lines[0].frame.at)
    try:
        async with connect(
            f"{url.rstrip('/')}/{quote(name, safe='')}",
            subprotocols=[Subprotocol(version.value)],
            additional_headers=_login(name, password),
            compression=None,
            proxy=None,
            close_timeout=2,
        ) as socket:
            actor = _Actor(socket, scene)
            await first_of(actor.listen(), actor.perform(reached))
    except* (OSError, WebSocketException, TimeoutError) as group:
        raise LinkDownError(f"{url}: {group.exceptions[0]}") from group
    if not actor.done:
        raise LinkDownError(f"{url}: the central system has hung up")
    return actor.steps


class _Actor:
    """The charger of one connection."""

    def __init__(self, socket: ClientConnection, scene: Scene) -> None:
        self._socket = socket
        self._scene = scene
        self._pending: dict[str, asyncio.Future[object]] = {}
        self._transactions: dict[object, object] = {}
        self._news = asyncio.Condition()
        self._count = 0
        self.steps: list[Step] = []
        """What was said, in order."""
        self.done = False
        """Whether the whole connection has been played."""

    async def perform(self, reached: Callable[[datetime], None]) -> None:
        """Say everything, and wait for what comes of it."""
        for line in self._scene.lines:
            self.steps.append(await self._say(line, reached))
        await self._settle()
        self.steps += self._gone()
        self.done = True

    # --- what the charger says --------------------------------------------------------------------

    async def _say(self, line: Line, reached: Callable[[datetime], None]) -> Step:
        """Say one line once we have asked what we had asked before it; how it was answered."""
        await self._until_asked(self._scene.asked[: line.awaits])
        reached(line.frame.at)
        if line.call is None:
            await self._socket.send(line.frame.text)
            return Step(at=line.frame.at, what="(unreadable)", now=None, note="sent as it was")
        answer: asyncio.Future[object] = asyncio.Future()
        self._pending[line.call.message_id] = answer
        payload = self._renamed(line.call.payload)
        await self._send([2, line.call.message_id, line.call.action, payload])
        async with asyncio.timeout(_ANSWER_S):
            now = await answer
        self._learn_transaction(line, now)
        if line.answer is None:
            return Step(at=line.frame.at, what=line.call.action, now=now, note="no answer recorded")
        differs = tuple(differences(plain(line.answer), now))
        return Step(at=line.frame.at, what=line.call.action, now=now, differs=differs)

    def _renamed(self, value: object) -> object:
        """The payload with the transactions called as they are called now."""
        if isinstance(value, dict):
            return {
                key: self._transactions.get(entry, entry)
                if key == "transactionId" and isinstance(entry, str | int)
                else self._renamed(entry)
                for key, entry in value.items()
            }
        return [self._renamed(entry) for entry in value] if isinstance(value, list) else value

    def _learn_transaction(self, line: Line, now: object) -> None:
        if isinstance(line.answer, dict) and isinstance(now, dict) and "transactionId" in now:
            self._transactions[line.answer.get("transactionId")] = now["transactionId"]

    # --- what we ask of it ------------------------------------------------------------------------

    async def listen(self) -> None:
        """Take answers, and answer what is asked as the charger did, until it hangs up."""
        try:
            async for text in self._socket:
                await self._take(frames.parse(text))
        except ConnectionClosed:
            pass
        except CallFaultError as fault:
            self.steps.append(
                Step(at=None, what="(unreadable)", now=str(fault), differs=("our frame is none",))
            )

    async def _take(self, frame: Call | Answer) -> None:
        self._count += 1
        if isinstance(frame, Answer):
            future = self._pending.pop(frame.message_id, None)
            if future is not None and not future.done():
                future.set_result(plain(frame.outcome))
        else:
            await self._answer(frame)
        async with self._news:
            self._news.notify_all()

    async def _answer(self, call: Call) -> None:
        asked = self._alike(call)
        compared = self._scene.whole and call.action not in _ON_DEMAND
        differs: tuple[str, ...] = ()
        if asked is None:
            differs = ("is asked now, was not then",) if compared else ()
            self.steps.append(Step(at=None, what=call.action, now=call.payload, differs=differs))
            await self._send([4, call.message_id, "NotSupported", "not in the recording", {}])
            return
        if not asked.used:
            asked.used = True
            differs = tuple(differences(asked.payload, call.payload)) if compared else ()
            self.steps.append(Step(at=None, what=call.action, now=call.payload, differs=differs))
        match asked.answer:
            case CallRefusedError() as refusal:
                await self._send([4, call.message_id, refusal.code, str(refusal), {}])
            case None:
                pass
            case payload:
                await self._send([3, call.message_id, payload])

    def _alike(self, call: Call) -> Asked | None:
        """The recorded CALL most like this one: a new one first, then the fewest differences."""

        def unlike(asked: Asked) -> tuple[int, bool, bool]:
            fewest = sum(1 for _ in differences(asked.payload, call.payload))
            return fewest, asked.used, asked.late

        same = [asked for asked in self._scene.asked if asked.action == call.action]
        return min(same, key=unlike, default=None)

    async def _until_asked(self, recorded: Sequence[Asked]) -> None:
        missing = [
            one for one in recorded
            if not (one.used or one.given_up or not self._scene.whole or on_demand(one))
        ]  # fmt: skip
        try:
            async with asyncio.timeout(_ASKED_S), self._news:
                await self._news.wait_for(lambda: all(one.used for one in missing))
        except TimeoutError:
            for one in missing:
                one.given_up = True

    async def _settle(self) -> None:
        """Return when all that was asked then has come again and nothing more comes."""
        await self._until_asked(self._scene.asked)
        before = -1
        while before != self._count:
            before = self._count
            try:
                async with asyncio.timeout(_SETTLE_S), self._news:
                    await self._news.wait()
            except TimeoutError:
                continue

    def _gone(self) -> list[Step]:
        """What we no longer ask."""
        return [
            Step(at=None, what=one.action, now=None, differs=("was asked then, is not now",))
            for one in self._scene.asked
            if self._scene.whole and not one.used and not on_demand(one)
        ]

    async def _send(self, frame: list[object]) -> None:
        await self._socket.send(json.dumps(frame))


def on_demand(asked: Asked) -> bool:
    """Whether a person or the control loop was behind it: leases are asked for by the loop."""
    payload: Json = asked.payload
    profile = payload.get("csChargingProfiles") or payload.get("chargingProfile")
    leased = isinstance(profile, dict) and profile.get("chargingProfilePurpose") == "TxProfile"
    return leased or asked.late or asked.action in _ON_DEMAND


def _login(name: str, password: str | None) -> dict[str, str]:
    return {} if password is None else {"Authorization": build_authorization_basic(name, password)}
