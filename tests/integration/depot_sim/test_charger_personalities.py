"""Odd chargers over real sockets, before a central system that writes down whatever comes."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from depot_sim.chargers.charger import Charger, ChargerSpec
from depot_sim.chargers.events import Metered
from depot_sim.chargers.link import Endpoint
from depot_sim.chargers.personality import Entry, compose
from depot_sim.faults import FaultKind
from depot_sim.physics.evse import Evse
from support.waiting import until

Json = dict[str, Any]
VERSIONS = ("1.6", "2.0.1", "2.1")
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
        match _parsed(text):
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
        frames = [_parsed(text) for number, text in self.frames if connection in (None, number)]
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


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None


@pytest.fixture(params=VERSIONS)
async def scribe(request: pytest.FixtureRequest) -> AsyncIterator[Scribe]:
    scribe = Scribe(request.param)
    async with serve(
        scribe.serve_one, "127.0.0.1", 0, select_subprotocol=scribe.select, ping_interval=None
    ) as server:
        scribe.url = f"ws://127.0.0.1:{next(iter(server.sockets)).getsockname()[1]}"
        yield scribe


@pytest.fixture
def odd(scribe: Scribe, clock: Any, van: Any, running: Any) -> Callable[..., Any]:
    """`async with odd(trait, ...) as charger`: a charger with a van on its cable."""

    @contextlib.asynccontextmanager
    async def make(*traits: Entry, plugged: bool = True) -> AsyncIterator[Charger]:
        spec = ChargerSpec(
            endpoint=Endpoint(url=scribe.url, charger_id="CP-1"),
            version=scribe.version,
            evses={1: Evse(rated_a=32)},
            personality=compose(traits),
            meter_interval_s=2,
            seed="test",
        )
        charger = Charger(spec, clock)
        if plugged:
            charger.plug(van())
        async with running(charger):
            await until(lambda: bool(scribe.metered() if plugged else scribe.names()))
            yield charger

    return make


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


async def drop(charger: Charger, scribe: Scribe) -> int:
    """Lose the connection for some seconds; the number of the next one."""
    number = len(scribe.sockets)
    charger.fail(FaultKind.DROP, 8)
    await until(lambda: len(scribe.names(number)) > 0)
    return number


async def test_no_boot_on_reconnect(scribe: Scribe, odd: Any) -> None:
    async with odd("no-boot-on-reconnect") as charger:
        number = await drop(charger, scribe)
        await until(lambda: len(scribe.metered(number)) >= 2)
        assert set(scribe.names(number)) <= {"MeterValues", "TransactionEvent"}


async def test_replays_late_after_the_end_and_out_of_order(
    scribe: Scribe, odd: Any, clock: Any
) -> None:
    async with odd({"replays-late": {"after_s": 6}}) as charger:
        charger.fail(FaultKind.DROP, None)
        number, waiting = len(scribe.sockets), charger.station.outbox
        await until(lambda: sum(isinstance(e, Metered) for e in waiting.waiting) >= 6)
        charger.unplug()
        charger.fail(FaultKind.DROP, 0)
        back = clock.now()

        def late() -> list[datetime]:
            stamps = [datetime.fromisoformat(v["timestamp"]) for v in scribe.metered(number)]
            return [at for at in stamps if at < back]

        await until(lambda: len(late()) >= 4)
        stamps = late()
        assert stamps != sorted(stamps)
        said = scribe.said(number)
        end = said.index(next(call for call in said if call[1] in scribe.ended(number)))
        first_sample = next(
            place for place, call in enumerate(said) if "meterValue" in call[1] and place != end
        )
        assert end < first_sample


@pytest.mark.parametrize("of", ["unknown", "running"])
async def test_ends_first(scribe: Scribe, odd: Any, of: str) -> None:
    async with odd({"ends-first": of}) as charger:
        await until(lambda: len(scribe.metered()) >= 3)
        known = charger.station.outlets[1].transaction.ref
        number = await drop(charger, scribe)
        await until(lambda: bool(scribe.ended(number)))
        first = scribe.said(number)[0][1]
        assert first == scribe.ended(number)[0]
        values = first.get("transactionData") or first["meterValue"]
        assert len(values) == 4
        ref = first.get("transactionId") or first["transactionInfo"]["transactionId"]
        assert (str(ref) == known) is (of == "running")


async def test_power_reads_zero(scribe: Scribe, odd: Any) -> None:
    async with odd("power-reads-zero"):
        await until(lambda: len(scribe.metered()) >= 4)
        values = [
            {s["measurand"]: float(s["value"]) for s in value["sampledValue"]}
            for value in scribe.metered()
        ]
        assert {value["Power.Active.Import"] for value in values} == {0.0}
        registers = [value["Energy.Active.Import.Register"] for value in values]
        assert registers[-1] > registers[0]
        assert "MeterValues" in scribe.names()


async def test_energy_only_and_dirty(scribe: Scribe, odd: Any) -> None:
    async with odd("energy-only-kwh", "dirty-samples"):
        samples = scribe.metered()[0]["sampledValue"]
        assert [sample["measurand"] for sample in samples] == [
            "Energy.Active.Import.Register",
            "Power.Active.Import",
        ]


async def test_bad_frames_among_good_ones(scribe: Scribe, odd: Any) -> None:
    async with odd({"bad-frames": {"every_s": 1}}):

        def bad() -> set[str]:
            calls = [(text, _parsed(text)) for _, text in scribe.frames]
            return {
                "truncated" if call is None else f"type {call[0]} of {len(call)}"
                for _, call in calls
                if call is None or call[0] == 6 or (call[0] == 2 and len(call) != 4)
            }

        await until(lambda: len(bad()) == 3)
        assert bad() == {"truncated", "type 2 of 3", "type 6 of 4"}
        seen = len(scribe.metered())
        await until(lambda: len(scribe.metered()) > seen)
        assert len(scribe.sockets) == 1


@pytest.mark.parametrize("offers", ["none", "misspelt", "unknown"])
async def test_odd_subprotocol(scribe: Scribe, odd: Any, offers: str) -> None:
    async with odd({"odd-subprotocol": offers}, plugged=False):
        expected = {"none": [], "misspelt": [f"OCPP{scribe.version}"], "unknown": ["soap"]}
        assert scribe.offers[0] == expected[offers]
        assert scribe.names()[0] == "BootNotification"


@pytest.mark.parametrize(("traits", "answers"), [((), True), (("no-pong",), False)])
async def test_no_pong(scribe: Scribe, odd: Any, traits: tuple[str, ...], answers: bool) -> None:
    async with odd(*traits):
        pong = asyncio.ensure_future(await scribe.sockets[0].ping())
        seen = len(scribe.metered())
        await until(lambda: len(scribe.metered()) > seen + 2)
        assert pong.done() is answers
        assert len(scribe.sockets) == 1


async def test_deaf_until_it_reconnects(scribe: Scribe, odd: Any) -> None:
    async with odd({"deaf": {"after_calls": 1}}):
        assert (await scribe.ask("SetChargingProfile", profile(scribe.version, 10)))[0] == 3
        assert await scribe.unanswered("Reset", {"type": "Hard"})
        seen = len(scribe.metered())
        await until(lambda: len(scribe.metered()) > seen)
        await scribe.sockets[0].close()
        await until(lambda: "BootNotification" in scribe.names(1))
        assert (await scribe.ask("SetChargingProfile", profile(scribe.version, 10)))[0] == 3


async def test_ignores_trigger(scribe: Scribe, odd: Any) -> None:
    async with odd("ignores-trigger", plugged=False):
        assert await scribe.unanswered("TriggerMessage", {"requestedMessage": "Heartbeat"})
        assert (await scribe.ask("SetChargingProfile", profile(scribe.version, 10)))[0] == 3


async def test_twin_socket(scribe: Scribe, odd: Any) -> None:
    async with odd({"twin-socket": {"after_s": 6}}):
        await until(lambda: len(scribe.sockets) == 2)
        await until(lambda: len(scribe.metered(1)) >= 1)
        pong = await scribe.sockets[0].ping()
        async with asyncio.timeout(60):
            await pong
        said = len(scribe.names(0))
        await scribe.sockets[0].close()
        seen = len(scribe.metered(1))
        await until(lambda: len(scribe.metered(1)) > seen + 1)
        assert len(scribe.names(0)) == said
        assert len(scribe.sockets) == 2


async def test_no_profiles(scribe: Scribe, odd: Any) -> None:
    async with odd("no-profiles"):
        frame = await scribe.ask("SetChargingProfile", profile(scribe.version, 10))
        assert (frame[0], frame[2]) == (4, "NotImplemented")


@pytest.mark.parametrize(
    ("trait", "unit", "limits"),
    [("good", "A", [8.0]), ("answers-in-watts", "W", [5520.0]), ("composite-empty", "A", [])],
)
async def test_composite_schedules(
    scribe: Scribe, odd: Any, trait: str, unit: str, limits: list[float]
) -> None:
    async with odd(trait):
        await scribe.ask("SetChargingProfile", profile(scribe.version, 8))
        place = "connectorId" if scribe.version == "1.6" else "evseId"
        frame = await scribe.ask("GetCompositeSchedule", {place: 1, "duration": 60})
        schedule = frame[2].get("chargingSchedule") or frame[2]["schedule"]
        assert schedule["chargingRateUnit"] == unit
        assert [period["limit"] for period in schedule["chargingSchedulePeriod"]] == limits


@pytest.mark.parametrize("scribe", ["1.6"], indirect=True)
async def test_watts_only_by_another_spelling(scribe: Scribe, odd: Any) -> None:
    async with odd({"watts-only": {"spelt": "W"}}, plugged=False):
        key = "ChargingScheduleAllowedChargingRateUnit"
        frame = await scribe.ask("GetConfiguration", {"key": [key]})
        assert frame[2]["configurationKey"][0]["value"] == "W"


async def test_stuck_suspended_until_a_remote_start(scribe: Scribe, odd: Any) -> None:
    async with odd({"stuck-suspended": "remote-start"}) as charger:
        await scribe.ask("SetChargingProfile", profile(scribe.version, 0))
        await until(lambda: charger.power_w == 0.0)
        await scribe.ask("SetChargingProfile", profile(scribe.version, 16))
        seen = len(scribe.metered())
        await until(lambda: len(scribe.metered()) > seen + 2)
        assert charger.power_w == 0.0
        if scribe.version == "1.6":
            frame = await scribe.ask("RemoteStartTransaction", {"idTag": "TAG1", "connectorId": 1})
        else:
            token = {"idToken": "TAG1", "type": "ISO14443"}
            asked = {"idToken": token, "remoteStartId": 1, "evseId": 1}
            frame = await scribe.ask("RequestStartTransaction", asked)
        assert frame[2]["status"] == "Accepted"
        await until(lambda: charger.power_w == pytest.approx(16 * 690, abs=5))


async def test_stale_transaction_after_reboot(scribe: Scribe, odd: Any) -> None:
    async with odd("stale-transaction-after-reboot") as charger:
        charger.fail(FaultKind.REBOOT, 3)
        assert charger.power_w == 0.0
        await until(lambda: len(scribe.metered(1)) >= 1)
        assert not scribe.ended()
        assert scribe.names(1)[0] == "BootNotification"


async def test_reboot_by_itself(scribe: Scribe, odd: Any) -> None:
    async with odd() as charger:
        charger.fail(FaultKind.REBOOT, 3)
        await until(lambda: bool(scribe.ended(1)))
        name, boot = scribe.said(1)[0]
        assert name == "BootNotification"
        assert boot.get("reason", "Watchdog") == "Watchdog"


async def test_lag_and_a_wrong_clock(scribe: Scribe, odd: Any, clock: Any) -> None:
    async with odd() as charger:
        charger.fail(FaultKind.WRONG_CLOCK, None, -7200.0)
        charger.fail(FaultKind.LAG, None, 4.0)
        begun = clock.now()
        assert (await scribe.ask("SetChargingProfile", profile(scribe.version, 10)))[0] == 3
        assert clock.now() - begun >= timedelta(seconds=8)
        expected = clock.now() - timedelta(hours=2)

        def newest() -> datetime:
            return datetime.fromisoformat(scribe.metered()[-1]["timestamp"])

        await until(lambda: abs(newest() - expected) < timedelta(minutes=30))


async def test_a_stuck_meter(scribe: Scribe, odd: Any, clock: Any) -> None:
    async with odd() as charger:
        charger.fail(FaultKind.FREEZE, None)
        await clock.sleep(2)
        seen = len(scribe.metered())
        await until(lambda: len(scribe.metered()) >= seen + 4)
        shown = {json.dumps(value["sampledValue"]) for value in scribe.metered()[seen + 1 :]}
        assert len(shown) == 1
        assert charger.power_w > 0.0
