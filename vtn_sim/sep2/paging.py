"""Lists in pages (IEEE 2030.5-2018, 4.6): `s` start, `l` limit (1 when left out), `a` after."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeVar

from vtn_sim.sep2.refusal import bad_request

POLLED = frozenset(
    {
        "DeviceCapability",
        "Time",
        "Registration",
        "EndDeviceList",
        "FunctionSetAssignmentsList",
        "SubscriptionList",
        "ResponseSetList",
        "LogEventList",
        "LoadShedAvailabilityList",
        "DemandResponseProgramList",
        "TariffProfileList",
        "FlowReservationRequestList",
        "FlowReservationResponseList",
        "DERList",
        "DERProgramList",
        "MirrorUsagePointList",
    }
)
"""Resources of ours that have a pollRate in the schema."""

SUBSCRIBABLE = frozenset(
    {
        "EndDeviceList",
        "EndDevice",
        "FunctionSetAssignmentsList",
        "DERProgramList",
        "DERProgram",
        "DERControlList",
        "ActiveDERControlList",
        "DefaultDERControl",
        "DemandResponseProgramList",
        "EndDeviceControlList",
        "ActiveEndDeviceControlList",
        "FlowReservationResponseList",
        "TariffProfileList",
        "TimeTariffIntervalList",
    }
)
"""Resources of ours whose changes are notified."""

_MAX_NUMBER = 2**32 - 1
ItemT = TypeVar("ItemT")


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Which part of a list is wanted."""

    start: int = 0
    limit: int = 1
    after: datetime | None = None
    """Only items of a later time, in lists that have one."""


def page_of(query: Mapping[str, str]) -> Page:
    """The page that a query asks for.

    Raises:
        Refused: 400, a number that is none.
    """
    after = _number(query, "a", None)
    start, limit = _number(query, "s", 0), _number(query, "l", 1)
    return Page(
        start=start or 0,
        limit=1 if limit is None else limit,
        after=None if after is None else datetime.fromtimestamp(after, UTC),
    )


def _number(query: Mapping[str, str], name: str, default: int | None) -> int | None:
    text = query.get(name)
    if text is None:
        return default
    if not (text.isascii() and text.isdigit() and len(text) <= 10 and int(text) <= _MAX_NUMBER):  # noqa: PLR2004
        raise bad_request(f"query {name}={text[:20]!r} is no number")
    return int(text)


def part(items: Sequence[ItemT], page: Page, max_items: int) -> Sequence[ItemT]:
    """The items of a page."""
    return items[page.start : page.start + min(page.limit, max_items)]
