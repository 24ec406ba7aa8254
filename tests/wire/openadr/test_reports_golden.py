"""What the VEN's report messages look like on the wire, one golden file per kind of report."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path

import pytest
from lxml import etree

from contracts.openadr.codec import encode
from contracts.openadr.payloads import Payload
from contracts.openadr.schema import validate
from contracts.time import Interval
from gateway.ports import ResourceState
from support.openadr import START, FlatReports
from support.openadr_reports import HISTORY, POWER, STATUS, TEN, ZERO, Reporter, request

GOLDEN = Path(__file__).parent / "golden" / "reports"
MINUTE = timedelta(minutes=1)


async def metadata(reporter: Reporter) -> None:
    await reporter.ask(request("m1", "METADATA", specifier="METADATA", granularity=ZERO, back=ZERO))
    await reporter.settle()


async def usage(reporter: Reporter) -> None:
    """Three intervals, of which nothing is known about the second."""
    reporter.source.gaps.append(Interval.lasting(START + TEN, TEN))
    await reporter.ask(request("rr-1", POWER, "site/north/energy_wh", back=3 * TEN))
    await reporter.after(33)


async def status(reporter: Reporter) -> None:
    reporter.source.states["north"] = ResourceState(
        online=True, overridden=True, level=1, limit_w=150_000.0, contracted_w=200_000.0
    )
    await reporter.ask(request("rr-2", "site/north/status", specifier=STATUS, back=TEN))
    await reporter.after(10, step=1)


async def history(reporter: Reporter) -> None:
    await reporter.ask(
        request(
            "rr-3",
            f"history/{POWER}",
            specifier=HISTORY,
            granularity=15 * MINUTE,
            back=ZERO,
            start=START - 60 * MINUTE,
            duration=30 * MINUTE,
        )
    )
    await reporter.settle()


async def last(reporter: Reporter) -> None:
    """Of a report that was cancelled before it had anything to tell."""
    await reporter.ask(request("rr-4", start=START + MINUTE))
    await reporter.cancel("rr-4", to_follow=True)
    await reporter.after(5)


def readable(message: Payload) -> bytes:
    """Indented, and without the ids that are made up anew each time."""
    data = encode(message)
    validate(data)
    text = re.sub(rb"(<pyld:requestID>)[0-9a-f]{32}<", rb"\1made-up<", data)
    root = etree.fromstring(text, etree.XMLParser(remove_blank_text=True))
    return etree.tostring(root, encoding="UTF-8", xml_declaration=True, pretty_print=True)


@pytest.mark.parametrize("story", [metadata, usage, status, history, last])
async def test_golden(story: Callable[[Reporter], Awaitable[None]]) -> None:
    reporter = Reporter(source=FlatReports(["north"]))
    reporter.source.power_w = lambda at: 21_000.0 + (at - START).total_seconds()
    await story(reporter)
    sent = [m for m in reporter.vtn.taken if m is not reporter.vtn.offers[0]]
    assert len(sent) == 1
    golden = (GOLDEN / f"{story.__name__}.xml").read_bytes()
    assert readable(sent[0]) == golden
