"""Sites and gateways are upgraded one by one: what the first release said still works.

`tests/wire/site_link/v1` holds messages as the first release's codec wrote them. Never change them.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from contracts.site_link import subjects
from contracts.site_link.connection import Link, Login
from contracts.site_link.messages import FlexibilityOffer, InstructionState, Measurement
from gateway.sites.credentials import issue_site_credentials
from site_agent.uplink.credentials import life_of, load_login
from support.site_link import CLOCK, GatewayHandler, Net, instruction, measurement, running

V1 = Path(__file__).parents[2] / "wire/site_link/v1"


def frozen(name: str) -> bytes:
    return (V1 / f"{name}.json").read_bytes()


def says(answer: bytes, name: str) -> dict[str, Any]:
    """The answer, once it has every field that the first release reads."""
    told: dict[str, Any] = json.loads(answer)
    wanted = json.loads(frozen(name))
    assert wanted.keys() <= told.keys()
    assert told["kind"] == wanted["kind"]
    return told


def login_of(net: Net, site_id: str) -> Callable[[], Login]:
    folder = net.issue(site_id)
    return lambda: load_login(folder, site_id)


async def test_an_agent_of_the_first_release_with_todays_gateway(
    net: Net, handler: GatewayHandler
) -> None:
    handler.later_rows = ("flexibility_offer",)
    async with net.gateway(handler) as gateway, net.raw(login_of(net, "depot-1")) as (raw, link):
        orders = await link.subscribe(subjects.down("depot-1", subjects.INSTRUCTION))
        hello = await link.request("site.depot-1.up.hello", frozen("hello"), 2)
        assert says(hello, "welcome")["version"] == 1
        ack = says(await link.request("site.depot-1.up.batch", frozen("batch"), 2), "batch_ack")
        assert (ack["epoch"], ack["seq"]) == ("e", 4)
        first = handler.rows["depot-1", "e", 1]
        assert isinstance(first, Measurement)
        assert first.value == -1.5
        assert len(handler.rows) == 4

        async def obey() -> None:
            order = await anext(orders)
            told = says(order.data, "instruction")
            assert told["instruction_id"] == "depot-1-1"
            await order.answer(frozen("instruction_ack"))

        async with asyncio.TaskGroup() as group:
            group.create_task(obey())
            sent = await (await gateway.send(instruction("depot-1")))
        assert sent.state is InstructionState.STORED
        assert raw.violations == 0


@asynccontextmanager
async def first_gateway(net: Net) -> AsyncIterator[tuple[Link, list[bytes]]]:
    """It knows Hello and Batch, and says nothing of the kinds of rows it takes."""
    batches: list[bytes] = []
    async with net.raw(net.gateway_login()) as (_, link):

        async def serve(verb: str, reply: Callable[[bytes], bytes]) -> None:
            async for request in await link.subscribe(f"site.*.up.{verb}"):
                await request.answer(reply(request.data))

        def acknowledge(data: bytes) -> bytes:
            batches.append(data)
            last = json.loads(data)["rows"][-1]["seq"]
            return json.dumps({**json.loads(frozen("batch_ack")), "seq": last}).encode()

        async with (
            running(serve("hello", lambda _: frozen("welcome"))),
            running(serve("batch", acknowledge)),
        ):
            yield link, batches


async def test_todays_agent_with_a_gateway_of_the_first_release(net: Net) -> None:
    """It also asks for what that gateway has never heard of, and goes on without."""
    folder, now = net.folder / "depot-1", CLOCK.now()
    soon = now + timedelta(minutes=10)
    files = net.site_files("depot-1")
    issue_site_credentials(
        net.authority, "depot-1", files, folder, now=now - timedelta(hours=2), expires=soon
    )
    assert life_of(folder).due() < now  # so it asks for longer ones all the time
    offer = FlexibilityOffer(
        at=now, step_s=900, notice_s=4, ramp_w_per_min=1, data_age_s=0, slots=()
    )
    site = net.make_site("depot-1", folder=folder)
    async with first_gateway(net) as (link, batches), running(site.uplink.run()):
        await site.uplink.wait_connected()
        assert not site.uplink.takes("flexibility_offer")
        await site.outbox.append([measurement(1), offer, measurement(2)])
        await site.outbox.deleted.reaches(3)
        kinds = [row["row"]["kind"] for data in batches for row in json.loads(data)["rows"]]
        assert kinds == ["measurement", "measurement"]
        assert all("health" in json.loads(data) for data in batches)  # which nobody reads there
        answer = await link.request("site.depot-1.down.instr", frozen("instruction"), 2)
        assert says(answer, "instruction_ack")["state"] == "stored"
        assert site.instructions.stored[0].steps[0].import_limit_w == 50_000.0
        assert site.uplink.connected


@pytest.mark.parametrize("name", ["hello", "batch"])
async def test_a_later_agent_may_say_more(net: Net, handler: GatewayHandler, name: str) -> None:
    more = {**json.loads(frozen(name)), "colour": "blue"}
    async with net.gateway(handler), net.raw(login_of(net, "depot-1")) as (_, link):
        answer = await link.request(f"site.depot-1.up.{name}", json.dumps(more).encode(), 2)
        assert json.loads(answer)["kind"] in ("welcome", "batch_ack")
