"""Commands to a device: told with QoS 1 and never retained, and confirmed by it or not at all."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import uuid4

from contracts.errors import PermanentError, TransientError
from contracts.time import Clock
from site_agent.devices.mqtt import topics
from site_agent.devices.mqtt.session import MqttSession
from site_agent.devices.mqtt.templates import render
from site_agent.devices.mqtt.topic_map import Acknowledged, ControlMap, Shown, TopicMap
from site_agent.devices.mqtt.values import Document, number, word
from site_agent.devices.points.units import from_canonical
from site_agent.devices.points.vocabulary import CONTROLS

_MOST_REASON = 200


@dataclass(slots=True)
class _Answer:
    """An answer that is waited for."""

    id: str
    confirm: Acknowledged
    verdict: asyncio.Future[tuple[bool, str]] = field(default_factory=asyncio.Future)


@dataclass(slots=True)
class _Sight:
    """A state that is waited for, topic by topic."""

    wanted: dict[str, float]
    confirm: Shown
    seen: asyncio.Event = field(default_factory=asyncio.Event)

    def hear(self, topic: str, said: float | None) -> None:
        wanted = self.wanted.get(topic)
        if wanted is not None and said is not None and abs(said - wanted) <= self.confirm.tolerance:
            del self.wanted[topic]
        if not self.wanted:
            self.seen.set()


class Commands:
    """The controls of one device."""

    def __init__(
        self,
        topic_map: TopicMap,
        names: Mapping[str, str],
        session: MqttSession,
        *,
        name: str,
        clock: Clock,
        valid_for_s: float,
    ) -> None:
        self._controls = topic_map.controls
        self._names = names
        self._session = session
        self._name = name
        self._clock = clock
        self._valid_for_s = valid_for_s
        confirms = [control.confirm for control in topic_map.controls.values()]
        self._answered = {
            topics.fill(one.topic, names): one for one in confirms if isinstance(one, Acknowledged)
        }
        self._showing = {
            topics.fill(topic, names): one
            for one in confirms
            if isinstance(one, Shown)
            for topic in one.topics
        }
        self._answers: dict[str, _Answer] = {}
        self._sights: list[_Sight] = []
        self._shown: dict[str, float] = {}

    async def write(self, control: str, value: float | None) -> None:
        """Tell a control; None releases it (where a state confirms: once the broker has it).

        Raises:
            TransientError: the broker is away, or the device did not confirm in time.
            PermanentError: refused, no such control, or one that cannot be released.
        """
        how = self._controls.get(control)
        if how is None:
            raise PermanentError(f"{self._name} has no control {control!r}")
        template = how.payload if value is not None else how.release
        if template is None:
            raise PermanentError(f"{self._name}: {control} ends only by itself")
        told = 0.0 if value is None else on_the_wire(control, how, value)
        if isinstance(how.confirm, Acknowledged):
            await self._until_answered(how, how.confirm, template, told)
        else:
            await self._until_shown(how, how.confirm, template, told if value is not None else None)

    def hear(self, topic: str, document: Document) -> None:
        """A message of a topic that confirms; others are none of ours.

        Raises:
            ProtocolError: it is not what the map says.
        """
        if topic in self._answered:
            self._take_answer(self._answered[topic], document)
        if topic in self._showing:
            self._take_state(self._showing[topic], topic, document)

    def forget(self) -> None:
        """The link is down: what was shown may not be so any more."""
        self._shown.clear()

    async def _until_answered(
        self, how: ControlMap, confirm: Acknowledged, template: object, told: float
    ) -> None:
        answer = _Answer(uuid4().hex, confirm)
        self._answers[answer.id] = answer
        try:
            async with asyncio.timeout(confirm.within_s):
                await self._publish(how, template, told, answer.id)
                accepted, reason = await answer.verdict
        except TimeoutError as error:
            raise TransientError(f"{self._name} did not acknowledge") from error
        finally:
            del self._answers[answer.id]
        if not accepted:
            raise PermanentError(f"{self._name} refused: {reason or 'no reason'}")

    async def _until_shown(
        self, how: ControlMap, confirm: Shown, template: object, told: float | None
    ) -> None:
        shown = self._filled(confirm.topics)
        wanted = {} if told is None else dict.fromkeys(shown, _share(how, told))
        sight = _Sight(wanted, confirm)
        self._sights.append(sight)
        try:
            async with asyncio.timeout(confirm.within_s):
                await self._publish(how, template, told or 0.0, uuid4().hex)
                if not confirm.ask:
                    for topic in shown:
                        sight.hear(topic, self._shown.get(topic))
                for topic in self._filled(confirm.ask):
                    await self._session.publish(topic, "")
                if told is not None:
                    await sight.seen.wait()
        except TimeoutError as error:
            raise TransientError(f"{self._name} does not show what it was told") from error
        finally:
            self._sights.remove(sight)

    async def _publish(
        self, how: ControlMap, template: object, told: float, command_id: str
    ) -> None:
        now = self._clock.now()
        share = _share(how, told)
        values: dict[str, float | int | str] = {
            "value": share if how.decimals else int(share),
            "id": command_id,
            "now": now.isoformat(),
            "expires_at": (now + timedelta(seconds=how.expires_after_s)).isoformat(),
            "valid_for_s": self._valid_for_s,
        }
        for topic in self._filled(how.topics):
            await self._session.publish(topic, render(template, values))

    def _take_answer(self, confirm: Acknowledged, document: Document) -> None:
        answer = self._answers.get(word(document.at(confirm.id)))
        accepted = word(document.at(confirm.accepted))
        reason = "" if confirm.reason is None else word(document.at(confirm.reason))
        if answer is not None and answer.confirm == confirm and not answer.verdict.done():
            answer.verdict.set_result((accepted == "true", reason[:_MOST_REASON]))

    def _take_state(self, confirm: Shown, topic: str, document: Document) -> None:
        said = None
        if not document.empty:
            said = number(document.at(confirm.pointer), text=confirm.pointer is None)
        if said is None:
            self._shown.pop(topic, None)
            return
        self._shown[topic] = said
        for sight in self._sights:
            sight.hear(topic, said)

    def _filled(self, patterns: tuple[str, ...]) -> list[str]:
        return [topics.fill(pattern, self._names) for pattern in patterns]


def on_the_wire(control: str, how: ControlMap, value: float) -> float:
    """The number a device is told for a value of the vocabulary."""
    unit = CONTROLS[control].unit if how.unit is None else how.unit
    return from_canonical(-value if how.invert else value, unit) / how.scale


def _share(how: ControlMap, told: float) -> float:
    return round(told / len(how.topics), how.decimals)
