"""Whether a message whose answer was lost has arrived: the list it was posted to says so."""

from __future__ import annotations

from contracts.errors import PermanentError, ProtocolError
from contracts.sep2.hexes import same_hex
from contracts.sep2.resources import LogEvent, LogEventList, Resource, Response, ResponseList
from gateway.utility.sep2.hrefs import with_page
from gateway.utility.sep2.outbox import Message
from gateway.utility.sep2.transport import Sep2Transport

_NEWEST = 50
"""Entries read; both lists have the newest first."""


class ServerLists:
    """`outbox.Arrivals` on the server's own lists of Responses and LogEvents."""

    def __init__(self, transport: Sep2Transport) -> None:
        self._transport = transport

    async def holds(self, message: Message) -> bool:
        """Whether the server lists it; False when it does not show such a list.

        The server's own time stamp on an entry is not compared: some set their own.

        Raises:
            TransientError: it cannot be asked now.
        """
        try:
            ours = self._transport.decode(message.body.encode(), Resource)
            path = with_page(self._transport.server.resolve(message.href), 0, _NEWEST)
            if isinstance(ours, Response):
                listed = await self._transport.get(path, ResponseList)
                return any(_same_response(ours, theirs) for theirs in listed.items)
            if isinstance(ours, LogEvent):
                events = await self._transport.get(path, LogEventList)
                return any(_same_event(ours, theirs) for theirs in events.items)
        except (PermanentError, ProtocolError):
            return False
        return False


def _same_response(a: Response, b: Response) -> bool:
    return (
        a.status == b.status
        and same_hex(a.subject, b.subject)
        and same_hex(a.end_device_lfdi, b.end_device_lfdi)
    )


def _same_event(a: LogEvent, b: LogEvent) -> bool:
    return (a.function_set, a.log_event_code, a.log_event_id, a.log_event_pen) == (
        b.function_set,
        b.log_event_code,
        b.log_event_id,
        b.log_event_pen,
    )
