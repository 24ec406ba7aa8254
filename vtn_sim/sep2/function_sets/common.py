"""What the function sets share: access, lists, events."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any, TypeVar

from contracts.sep2.codes import EventState
from contracts.sep2.resources import (
    DateTimeInterval,
    EventStatus,
    ListLink,
    Resource,
    ResourceList,
)
from vtn_sim.sep2.devices import Device
from vtn_sim.sep2.events import Booked, EventBook, SpecT, Status
from vtn_sim.sep2.groups import Fsa
from vtn_sim.sep2.hrefs import Hrefs
from vtn_sim.sep2.paging import POLLED, SUBSCRIBABLE, part
from vtn_sim.sep2.refusal import not_found
from vtn_sim.sep2.routing import Call
from vtn_sim.sep2.server_time import whole
from vtn_sim.sep2.utility import Utility

ListT = TypeVar("ListT", bound=ResourceList)
ItemT = TypeVar("ItemT")
_ENDLESS_GROWTH = 1000


class FunctionSet:
    """Base of the function sets."""

    def __init__(self, utility: Utility) -> None:
        self.utility = utility

    @property
    def hrefs(self) -> Hrefs:
        """Addresses."""
        return self.utility.hrefs

    # --- access --------------------------------------------------------------------------------

    def device(self, call: Call) -> Device:
        """The EndDevice in the path.

        Raises:
            Refused: 404, there is none, or it is not the client's.
        """
        found = self.utility.devices.by_number(call.params["device"])
        if found is None or not found.listed or not self.owns(call.client, found):
            raise not_found("no such EndDevice")
        return found

    def owns(self, client: Device, device: Device) -> bool:
        """Whether a client may speak for a device."""
        return self.utility.devices.is_of(device, client)

    def base(self, call: Call) -> str:
        """Where the programs of this path are: each device's own, or everybody's.

        Raises:
            Refused: 404, the path names an EndDevice that is not the client's.
        """
        if "device" in call.params:
            self.device(call)
        return self.hrefs.base(call.params.get("device"))

    def fsas(self, call: Call) -> Sequence[Fsa]:
        """The groups whose resources may be seen on this path."""
        if "device" in call.params:
            names: Sequence[str] = self.device(call).fsas
        else:
            names = sorted(self.utility.devices.fsas_of(call.client))
        return [self.utility.groups.fsas.get(name) for name in names]

    def fsa(self, call: Call) -> Fsa:
        """The group in the path.

        Raises:
            Refused: 404, none of the client's devices belongs to it.
        """
        for fsa in self.fsas(call):
            if str(fsa.number) == call.params["fsa"]:
                return fsa
        raise not_found("no such FunctionSetAssignments")

    # --- lists ---------------------------------------------------------------------------------

    def listed(
        self,
        cls: type[ListT],
        href: str,
        items: Sequence[ItemT],
        call: Call,
        build: Callable[[ItemT], Resource],
        *,
        kind: str | None = None,
        time_of: Callable[[ItemT], datetime] | None = None,
    ) -> ListT:
        """One page of a list; only its items are built."""
        after = call.page.after
        if after is not None and time_of is not None:
            items = [item for item in items if time_of(item) > after]
        shown = part(items, call.page, self.utility.settings.max_items)
        total = len(items)
        if call.endless and items:
            shown = [items[-1]] * min(call.page.limit, self.utility.settings.max_items)
            total = call.page.start + len(shown) + _ENDLESS_GROWTH
        fields: dict[str, Any] = {
            "href": href,
            "all": total,
            "results": len(shown),
            "items": tuple(build(item) for item in shown),
        }
        if (kind or cls.__name__) in SUBSCRIBABLE:
            fields["subscribable"] = 1
        if cls.__name__ in POLLED:
            fields["poll_rate"] = self.utility.poll_rate(cls.__name__)
        return cls(**fields)


def list_link(href: str, count: int) -> ListLink:
    """A link that says how many there are."""
    return ListLink(href=href, all=count)


def interval(start: datetime, duration: timedelta) -> DateTimeInterval:
    """A DateTimeInterval."""
    return DateTimeInterval(start=whole(start), duration=duration)


def event_status(status: Status) -> EventStatus:
    """An EventStatus."""
    potentially = status.potentially_superseded_at
    return EventStatus(
        current_status=status.state,
        date_time=whole(status.since),
        potentially_superseded=potentially is not None,
        potentially_superseded_time=None if potentially is None else whole(potentially),
    )


def event_fields(
    utility: Utility, book: EventBook[SpecT], event: Booked[SpecT], now: datetime
) -> dict[str, Any]:
    """What a DERControl and an EndDeviceControl have in common."""
    status, spec = utility.status(book, event, now), event.spec
    settled = status.state in (EventState.SCHEDULED, EventState.ACTIVE)
    moved = utility.habits.creation_time_moves and not settled
    return {
        "response_required": spec.response_required,
        "mrid": event.mrid,
        "description": spec.description or None,
        "creation_time": whole(status.since if moved else event.created_at),
        "event_status": event_status(status),
        "interval": interval(event.start, timedelta(seconds=spec.duration_s)),
        "randomize_start": _random(spec.randomize_start_s),
        "randomize_duration": _random(spec.randomize_duration_s),
    }


def _random(seconds: int) -> timedelta | None:
    return timedelta(seconds=seconds) if seconds else None
