"""OpenADR codec: our typed reading and writing beside plain XML parsing and serialising."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from lxml import etree

from contracts.openadr import codec
from contracts.openadr.payloads import (
    ActivePeriod,
    DistributeEvent,
    EventDescriptor,
    EventStatus,
    ItemBase,
    OadrEvent,
    Signal,
    SignalInterval,
)
from gridyard.bench.core import Bench, Row, at_most, median_s

_EVENTS = 100
_START = datetime(2026, 6, 1, 12, tzinfo=UTC)


def _run() -> Sequence[Row]:
    message = DistributeEvent(
        request_id="r", vtn_id="vtn", events=tuple(_event(n) for n in range(_EVENTS))
    )
    xml = codec.encode(message)
    tree = etree.fromstring(xml)
    read, read_spread = median_s(lambda: codec.decode(xml))
    floor_read, _ = median_s(lambda: [element.text for element in etree.fromstring(xml).iter()])
    write, write_spread = median_s(lambda: codec.encode(message))
    floor_write, _ = median_s(lambda: etree.tostring(tree))
    per_event = 1e6 / _EVENTS
    return [
        at_most(
            "read a distribution of 100 events",
            "µs/event",
            read * per_event,
            floor_read * per_event,
            "lxml parse and walk",
            20.0,
            read_spread,
        ),
        at_most(
            "write a distribution of 100 events",
            "µs/event",
            write * per_event,
            floor_write * per_event,
            "lxml serialise of a ready tree",
            80.0,
            write_spread,
        ),
    ]


def _event(number: int) -> OadrEvent:
    steps = tuple(
        SignalInterval(uid=str(n), duration=timedelta(minutes=15), value=-10.0 * n)
        for n in range(4)
    )
    return OadrEvent(
        descriptor=EventDescriptor(
            event_id=f"event-{number}",
            modification_number=0,
            market_context="http://utility.example/program",
            created_at=_START,
            status=EventStatus.FAR,
        ),
        active_period=ActivePeriod(start=_START, duration=timedelta(hours=1)),
        signals=(
            Signal(
                name="LOAD_DISPATCH",
                type="delta",
                signal_id="s",
                item=ItemBase.power_real("k"),
                intervals=steps,
            ),
        ),
    )


BENCH = Bench(
    name="openadr-codec",
    about="typed OpenADR messages beside plain XML",
    run=_run,
    packages=("lxml",),
)
