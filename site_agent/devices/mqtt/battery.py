"""A battery that speaks JSON over MQTT (`payloads` has the text of the protocol).

**When the agent dies** the last command lapses `valid_for_s` after it was given and the battery
returns to 0 W; the same `PATIENCE_S` later when only the control loop falls silent. When the
broker dies, commands fail and readings turn STALE.
"""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from uuid import uuid4

import structlog

from contracts.errors import LinkDownError, PermanentError, ProtocolError, TransientError
from contracts.reading import Quality, Reading
from contracts.time import Clock
from site_agent.devices.freshness import Freshness
from site_agent.devices.leased import LeasedSetpoint
from site_agent.devices.mqtt import payloads
from site_agent.devices.mqtt.broker import BrokerAddress
from site_agent.devices.mqtt.payloads import AckMessage, CommandMessage, StateMessage
from site_agent.devices.mqtt.session import MqttSession
from site_agent.devices.obedience import Obedience
from site_agent.domain.device import BatterySetpoint, BatterySpec, BatteryState
from site_agent.ports import Wake

STALE_AFTER = timedelta(seconds=5)
ACK_S = 3.0
EXPIRES_AFTER = timedelta(seconds=5)
CLOCK_AHEAD = timedelta(seconds=5)
"""A state from further in the future is refused: it could look fresh long after its source died."""
_TOLERANCE = 0.05
_IMPLAUSIBLE = 2.0
"""Times the largest power: no battery does that."""
_TEND_S = 1.0

_log = structlog.get_logger(__name__)


class MqttBattery:
    """A `Battery` on the site's MQTT broker.

    It is online while we are connected and its states are fresh. Its status only makes "offline"
    sudden: nats-server loses a retained message that is published while we subscribe, so a status
    that is said once must not be needed, but states come again and again.
    """

    def __init__(
        self,
        address: BrokerAddress,
        site_id: str,
        spec: BatterySpec,
        *,
        clock: Clock,
        wake: Wake,
        valid_for_s: float = 30.0,
    ) -> None:
        self._topic = payloads.topic(site_id, spec.battery_id)
        self._spec = spec
        self._clock = clock
        self._wake = wake
        self._session = MqttSession(
            address,
            [f"{self._topic}/{kind}" for kind in ("state", "status", "ack")],
            self._receive,
            clock=clock,
            on_change=self._link_changed,
        )
        self._valid_for_s = valid_for_s
        self._rated_w = max(spec.max_charge_w, spec.max_discharge_w)
        self._setpoint = LeasedSetpoint[float](
            spec.battery_id,
            self._write,
            lambda held_w, measured_w: measured_w - held_w,
            valid_for_s=valid_for_s,
            obedience=Obedience(tolerance_w=_TOLERANCE * self._rated_w),
            clock=clock,
        )
        self._freshness = Freshness(stale_after=STALE_AFTER)
        self._connected = self._said_offline = self._online = False
        self._last: StateMessage | None = None
        self._awaited: tuple[str, asyncio.Future[AckMessage]] | None = None
        self._power = self._soc = Reading.missing(clock.now())
        self.refused_messages = 0
        """Messages from the battery's topics that were no such thing."""

    @property
    def spec(self) -> BatterySpec:
        """What it is."""
        return self._spec

    @property
    def obeys(self) -> bool:
        """False while measured power stays away from the setpoint in force."""
        return self._setpoint.obeys

    async def run(self) -> None:
        """Stay connected, and refresh the lease, until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._tend())
            await self._session.run()

    def state(self, now: datetime) -> BatteryState:
        """The newest readings, aged to `now`; gone at once when the battery says offline."""
        power_w, soc_pct = (self._freshness.at(r, now) for r in (self._power, self._soc))
        if self._said_offline:
            power_w, soc_pct = Reading.missing(power_w.at), Reading.missing(soc_pct.at)
        online = self._connected and power_w.quality is Quality.GOOD
        return BatteryState(spec=self._spec, online=online, power_w=power_w, soc_pct=soc_pct)

    async def set_power(self, setpoint: BatterySetpoint) -> None:
        """Command `power_w`, cut to the spec and to whole watts; returns when it is acknowledged.

        Returns at once while it is known to hold it; raises as `Charger.set_limit`.
        """
        wanted_w = max(-self._spec.max_discharge_w, min(self._spec.max_charge_w, setpoint.power_w))
        await self._setpoint.ask(float(round(wanted_w)))

    async def _tend(self) -> None:
        while True:
            await self._clock.sleep(_TEND_S)
            self._setpoint.judge(self._power.fresh(self._clock.now(), STALE_AFTER))
            await self._setpoint.refresh()

    async def _write(self, power_w: float) -> None:
        if self._said_offline:
            raise LinkDownError(f"{self._spec.battery_id} is not online")
        command = self._command(power_w)
        answer: asyncio.Future[AckMessage] = asyncio.Future()
        self._awaited = (command.id, answer)
        try:
            await self._session.publish(f"{self._topic}/cmd", command.model_dump_json())
            async with asyncio.timeout(ACK_S):
                ack = await answer
        except TimeoutError as error:
            raise TransientError(f"{self._spec.battery_id} did not acknowledge") from error
        finally:
            self._awaited = None
        if not ack.accepted:
            raise PermanentError(f"{self._spec.battery_id} refused: {ack.reason or 'no reason'}")

    def _command(self, power_w: float) -> CommandMessage:
        now = self._clock.now()
        return CommandMessage(
            id=uuid4().hex,
            ts=now,
            expires_at=now + EXPIRES_AFTER,
            valid_for_s=self._valid_for_s,
            power_w=power_w,
        )

    def _link_changed(self, connected: bool) -> None:
        self._connected = connected
        self._notice()

    def _receive(self, topic: str, payload: bytes) -> None:
        try:
            match topic.removeprefix(f"{self._topic}/"):
                case "state":
                    self._take_state(payloads.read(StateMessage, payload))
                case "status":
                    self._said_offline = not payloads.read_status(payload)
                case _:
                    self._take_ack(payloads.read(AckMessage, payload))
        except ProtocolError as error:
            self._refuse(topic, error)
        else:
            self._notice()

    def _take_state(self, state: StateMessage) -> None:
        now = self._clock.now()
        if not is_news(state, self._last, now, most_w=_IMPLAUSIBLE * self._rated_w):
            return
        at = min(state.ts, now)
        self._last = state
        self._said_offline = False  # it speaks: its "online" may have been lost
        self._power = Reading(value=state.power_w, quality=Quality.GOOD, at=at)
        self._soc = Reading(value=state.soc_pct, quality=Quality.GOOD, at=at)

    def _take_ack(self, ack: AckMessage) -> None:
        if self._awaited and self._awaited[0] == ack.id and not self._awaited[1].done():
            self._awaited[1].set_result(ack)

    def _notice(self) -> None:
        """Wake the control loop when the battery came or went."""
        online = self.state(self._clock.now()).online
        if online is not self._online:
            self._online = online
            _log.info("battery status", device=self._spec.battery_id, online=online)
            self._wake()

    def _refuse(self, topic: str, error: ProtocolError) -> None:
        """Count every one, log the 1st, 2nd, 4th, 8th ... so that a flood stays readable."""
        self.refused_messages += 1
        if self.refused_messages.bit_count() == 1:
            _log.warning(
                "mqtt message refused", topic=topic, why=str(error), so_far=self.refused_messages
            )


def is_news(
    state: StateMessage, last: StateMessage | None, now: datetime, *, most_w: float
) -> bool:
    """Whether a state is newer than the last one; the retained one comes again at each connect.

    A battery that restarts counts from the beginning, one whose clock is set back does not: either
    number may fall, but not both.

    Raises:
        ProtocolError: from the future, or more than `most_w`: better no state than a wrong one.
    """
    if state.ts > now + CLOCK_AHEAD:
        raise ProtocolError(f"its clock is ahead by {state.ts - now}")
    if abs(state.power_w) > most_w:
        raise ProtocolError(f"{state.power_w} W is implausible")
    return last is None or state.seq > last.seq or state.ts > last.ts
