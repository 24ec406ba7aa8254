"""Keeps what the network operator asks for: as heard, over losses of the input and restarts.

A restart takes up each input's last order as one that has just been lost, so it holds for its
`keep_s` or until the input is heard again.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

import structlog

from contracts.errors import TransientError
from contracts.site_link.messages import Severity
from contracts.time import Clock
from site_agent.domain.instruction import Bounds
from site_agent.domain.protect.telecontrol import (
    InputSpec,
    Order,
    Standing,
    Voice,
    remaining_s,
    standing,
)
from site_agent.flows.report.notices import Condition, Key
from site_agent.ports import KeyValues, Wake

OPERATOR_LIMIT = "operator-limit"
INPUT_LOST = "telecontrol-lost"
_KEPT = ("import_w", "export_w", "load_w", "generation_w")
_RETRY_S = 5.0

_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class _Input:
    spec: InputSpec
    last: Order | None = None
    heard_s: float = 0.0


class Telecontrol:
    """The inputs of whoever may limit the site; adapters call `heard`, the control loop asks."""

    def __init__(
        self, inputs: Iterable[InputSpec], memory: KeyValues, clock: Clock, wake: Wake
    ) -> None:
        self._inputs = {spec.input_id: _Input(spec) for spec in inputs}
        self._memory = memory
        self._clock = clock
        self._wake = wake
        self._unsaved: set[str] = set()
        self._changed = asyncio.Event()

    async def load(self) -> None:
        """Take up the orders from before a restart."""
        now_s = self._clock.monotonic()
        for name, one in self._inputs.items():
            found = await self._memory.get(_key(name))
            if found is not None:
                one.last = _order(found)
                one.heard_s = now_s - one.spec.valid_for_s - 1e-6

    async def run(self) -> None:
        """Store orders as they change, until cancelled."""
        while True:
            await self._changed.wait()
            self._changed.clear()
            try:
                await self._save()
            except TransientError as error:
                _log.warning("order not stored", why=str(error))
                await self._clock.sleep(_RETRY_S)
                self._changed.set()

    def heard(self, input_id: str, order: Order) -> None:
        """The input is there and asks for this now."""
        one = self._inputs[input_id]
        now_s = self._clock.monotonic()
        before = self._standing(one, now_s)
        changed, one.last, one.heard_s = order != one.last, order, now_s
        if changed:
            self._unsaved.add(input_id)
            self._changed.set()
        if changed or before.voice is not Voice.HEARD:
            _log.info("telecontrol", input=input_id, by=one.spec.by, asks=order.words)
            self._wake()

    def last(self, input_id: str) -> Order | None:
        """The newest order of an input, however old."""
        return self._inputs[input_id].last

    def standing(self, input_id: str) -> Standing:
        """What holds for one input now."""
        return self._standing(self._inputs[input_id], self._clock.monotonic())

    def standings(self) -> tuple[Standing, ...]:
        """What holds for every input now, those that bind nothing too."""
        now_s = self._clock.monotonic()
        return tuple(self._standing(one, now_s) for one in self._inputs.values())

    def remaining_s(self, input_id: str) -> float | None:
        """How long until what holds for one input changes unless it is heard; None: it stays."""
        one = self._inputs[input_id]
        return remaining_s(one.spec, one.last, self._clock.monotonic() - one.heard_s)

    def _standing(self, one: _Input, now_s: float) -> Standing:
        return standing(one.spec, one.last, now_s - one.heard_s)

    async def _save(self) -> None:
        while self._unsaved:
            name = next(iter(self._unsaved))
            order = self._inputs[name].last
            if order is not None:
                await self._memory.put(_key(name), _text(order))
            if self._inputs[name].last == order:
                self._unsaved.discard(name)


def conditions(standings: Sequence[Standing]) -> Iterator[tuple[Key, Condition]]:
    """What people should know of the inputs (`flows.report.notices`)."""
    for one in standings:
        spec, words = one.spec, one.order.words
        if one.binds:
            asked = ", ".join(_asked(one.order.bounds))
            yield (
                (OPERATOR_LIMIT, spec.input_id),
                Condition(severity=Severity.INFO, text=f"{spec.by}: {asked} ({words})"),
            )
        if one.voice is not Voice.HEARD:
            yield (
                (INPUT_LOST, spec.input_id),
                Condition(
                    severity=Severity.ALARM,
                    text=f"the input of the {spec.by} is not heard ({words})",
                    after=timedelta(seconds=5),
                ),
            )


def _asked(bounds: Bounds) -> Iterator[str]:
    for field in _KEPT:
        value = getattr(bounds, field)
        if value is not None:
            yield f"{field.removesuffix('_w')} at most {abs(value):.0f} W"


def _key(input_id: str) -> str:
    return f"telecontrol/{input_id}"


def _text(order: Order) -> str:
    kept = {field: getattr(order.bounds, field) for field in _KEPT}
    return json.dumps({"words": order.words, "as_written": order.as_written, **kept})


def _order(text: str) -> Order:
    found = json.loads(text)
    words, as_written = found.pop("words"), tuple(found.pop("as_written", ()))
    return Order(bounds=Bounds(**found), words=words, as_written=as_written)
