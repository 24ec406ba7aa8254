"""Whether a message without an answer has arrived: the server's own lists say so."""

from __future__ import annotations

import pytest

from contracts.errors import TransientError
from contracts.sep2 import codec
from contracts.sep2.resources import (
    DERControlResponse,
    LogEvent,
    LogEventList,
    Resource,
    Response,
    ResponseList,
    Time,
)
from gateway.utility.sep2.arrived import ServerLists
from gateway.utility.sep2.outbox import Message
from support.sep2_acting import T0, sep2_settings
from support.sep2_tree_server import TreeServer

LFDI = "AB" * 20


def message(resource: Resource, href: str) -> Message:
    body = codec.encode(resource).decode()
    return Message(key="k", href=href, kind=type(resource).__name__, body=body)


def answer(status: int = 1, lfdi: str = LFDI, subject: str = "0A") -> DERControlResponse:
    return DERControlResponse(
        created_date_time=T0, end_device_lfdi=lfdi, status=status, subject=subject
    )


def event(number: int = 1) -> LogEvent:
    return LogEvent(
        created_date_time=T0,
        function_set=11,
        log_event_code=0,
        log_event_id=number,
        log_event_pen=40732,
        profile_id=2,
    )


@pytest.fixture
def server() -> TreeServer:
    made = TreeServer()
    made.resources["/rsp"] = ResponseList(
        items=(Response(href="/rsp/1", end_device_lfdi=LFDI.lower(), status=1, subject="0000000a"),)
    )
    made.resources["/lel"] = LogEventList(items=(event(),))
    return made


@pytest.mark.parametrize(
    ("asked", "there"),
    [
        (message(answer(), "/rsp"), True),
        (message(answer(status=2), "/rsp"), False),
        (message(answer(subject="0B"), "/rsp"), False),
        (message(answer(lfdi="CD" * 20), "/rsp"), False),
        (message(event(), "/lel"), True),
        (message(event(2), "/lel"), False),
        (message(answer(), "/nowhere"), False),
        (message(event(), "/rsp"), False),
        (
            message(
                Time(
                    current_time=T0,
                    dst_end_time=T0,
                    dst_start_time=T0,
                    dst_offset=T0 - T0,
                    tz_offset=T0 - T0,
                    quality=7,
                ),
                "/rsp",
            ),
            False,
        ),
        (Message(key="k", href="/rsp", kind="x", body="garbage"), False),
    ],
)
async def test_what_the_lists_show(server: TreeServer, asked: Message, there: bool) -> None:
    lists = ServerLists(server.transport(sep2_settings()))
    assert await lists.holds(asked) is there


async def test_a_server_out_of_reach_is_asked_later(server: TreeServer) -> None:
    server.down = True
    with pytest.raises(TransientError):
        await ServerLists(server.transport(sep2_settings())).holds(message(answer(), "/rsp"))
