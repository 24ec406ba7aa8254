"""A simulated charger's words without a socket: asked, answered and told by the schemas."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from depot_sim.chargers.cabinet import Cabinet
from depot_sim.chargers.charger import VERSIONS
from depot_sim.chargers.dialect import Nameplate
from depot_sim.chargers.events import EndReason
from depot_sim.chargers.json_rpc import CallError
from depot_sim.chargers.personality import compose
from depot_sim.chargers.rules import StationSettings
from depot_sim.chargers.station import Station
from depot_sim.physics.evse import Evse
from depot_sim.physics.vehicle import Vehicle
from support.published_schema import check_call, check_result

Json = dict[str, Any]
_STEP_S = 1.0


class ChargerBench:
    """One charger of a version; `now` moves by `pass_time` only.

    `heard` is all it has told, `answers` what the central system says instead of the usual.
    """

    def __init__(self, version: str, *personality: str, evse: Evse | None = None) -> None:
        speaker, rules = VERSIONS[version]
        self.version = version
        self.now = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
        self.resets: list[EndReason] = []
        self.heard: list[tuple[str, Json]] = []
        self.answers: dict[str, Json] = {}
        self.station = Station(
            evses={1: evse or Evse(rated_a=32), 2: Evse(rated_a=32)},
            personality=compose(personality),
            rules=rules,
            settings=StationSettings(),
        )
        self.station.set_online(self.now, online=True)
        self.cabinet = Cabinet(
            self.station, Nameplate(id="CP-1"), lambda: self.now, self.resets.append
        )
        self.dialect = speaker(self.cabinet)

    def ask(self, action: str, payload: Mapping[str, Any] | None = None) -> Json:
        """The answer to a CALL; both follow their schemas."""
        asked = dict(payload or {})
        check_call(self.version, action, asked)
        answer = self.dialect.answer(action, asked)
        check_result(self.version, action, answer)
        return answer

    def answer(self, action: str, payload: Json) -> str | None:
        """Ask without checking the question; the error code of a refusal, or None.

        Raises:
            ValidationError: the answer breaks its schema.
        """
        try:
            answer = self.dialect.answer(action, payload)
        except CallError as refusal:
            return refusal.code
        check_result(self.version, action, answer)
        return None

    async def told(self, action: str | None = None) -> list[Json]:
        """Let it tell what waits; the payloads of one action since the last time."""
        mark = len(self.heard)
        while waiting := self.station.outbox.waiting:
            await self.dialect.tell(waiting[0], self._call)
            self.station.outbox.done(waiting[0])
        return [payload for name, payload in self.heard[mark:] if action in (None, name)]

    def pass_time(self, seconds: float) -> None:
        """Let the station live."""
        end = self.now + timedelta(seconds=seconds)
        while self.now < end:
            self.now += timedelta(seconds=_STEP_S)
            self.station.step(self.now, _STEP_S)

    def plug(self, tag: str = "TAG1", evse_id: int = 1, **changes: Any) -> None:
        """Put a vehicle on a cable."""
        values: Json = {"capacity_wh": 60_000, "soc_pct": 40.0, "max_ac_w": 22_080}
        vehicle = Vehicle(id="van-1", id_tag=tag, **(values | changes))
        self.station.plug(evse_id, vehicle, self.now)

    async def charging(self, tag: str = "TAG1", **changes: Any) -> str:
        """A vehicle that charges at outlet 1; the transaction's id."""
        self.plug(tag, **changes)
        await self.told()
        transaction = self.station.outlets[1].transaction
        assert transaction is not None
        assert transaction.ref is not None
        return transaction.ref

    async def _call(self, action: str, payload: Json) -> Json:
        check_call(self.version, action, payload)
        self.heard.append((action, payload))
        answer = self.answers.get(action) or self._usual(action)
        self.dialect.check_answer(action, answer)
        return answer

    def _usual(self, action: str) -> Json:
        accepted = {"status": "Accepted"}
        info = {"idTagInfo": accepted} if self.version == "1.6" else {"idTokenInfo": accepted}
        boot = {"currentTime": self.now.isoformat(), "interval": 300, **accepted}
        usual: dict[str, Json] = {
            "Authorize": info,
            "BootNotification": boot,
            "Get15118EVCertificate": {**accepted, "exiResponse": "aGVsbG8="},
            "GetCertificateStatus": {**accepted, "ocspResult": "aGVsbG8="},
            "Heartbeat": {"currentTime": self.now.isoformat()},
            "NotifyEVChargingNeeds": accepted,
            "NotifyEVChargingSchedule": accepted,
            "SignCertificate": accepted,
            "StartTransaction": {"transactionId": 4711, **info},
        }
        return usual.get(action, {})
