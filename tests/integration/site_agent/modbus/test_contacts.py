"""Contacts of a ripple-control receiver, from a remote I/O module on a real wire to the order."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from contracts.clock import SystemClock
from contracts.config import loads
from contracts.errors import ConfigError
from site_agent.config.telecontrol import ContactsSettings
from site_agent.devices.modbus.contacts import Contacts
from site_agent.devices.modbus.plan import Table
from site_agent.domain.instruction import Bounds
from site_agent.domain.protect.telecontrol import FREE, Order, Voice
from site_agent.flows.orders.telecontrol import Telecontrol
from site_agent.store.memory import MemoryKeyValues
from support.modbus_link import running
from support.raw_modbus import Peer, Request, Wire, garbage, serving
from support.waiting import until

pytestmark = pytest.mark.row("truth:T1")

RECEIVER = """
id: ripple
kind: contacts
host: 127.0.0.1
of_w: 100000
keep_s: 600
lost_after_s: 2
period_s: 0.1
fail_safe: {generation_pct: 0}
contacts:
  - {name: stage 60 %, address: 8, generation_pct: 60}
  - {name: stage 30 %, address: 9, generation_pct: 30}
  - {name: stage 0 %, address: 10, generation_w: 0}
  - {name: 14a, address: 200, active: open, load_w: 4200}
"""


@dataclass
class Module:
    """The I/O module: answers with the state of its inputs."""

    closed: set[int] = field(default_factory=set)
    functions: set[int] = field(default_factory=set)

    async def answer(self, request: Request) -> None:
        self.functions.add(request.function)
        places = range(request.address, request.address + request.count)
        bits = sum((place in self.closed) << n for n, place in enumerate(places))
        body = bits.to_bytes((request.count + 7) // 8, "little")
        request.send(bytes([request.function, len(body)]) + body)


@asynccontextmanager
async def listening(text: str, peer: Peer) -> AsyncIterator[Telecontrol]:
    settings = loads(text, ContactsSettings, name="site.yaml")
    clock = SystemClock()
    inputs = Telecontrol([settings.spec], MemoryKeyValues(), clock, lambda: None)
    async with running(peer.settings(timeout_s=1.0)) as link, asyncio.TaskGroup() as group:
        contacts = Contacts(
            link,
            settings.unit,
            Table.COILS if settings.table == "coils" else Table.DISCRETE,
            settings.table_of_contacts(),
            name=settings.id,
            idle=settings.idle,
            heard=lambda order: inputs.heard(settings.id, order),
            period_s=settings.period_s,
            clock=clock,
            wake=lambda: None,
        )
        polling = group.create_task(contacts.run())
        yield inputs
        polling.cancel()


@pytest.fixture
def module() -> Module:
    return Module(closed={200})


@pytest.fixture
async def receiver(module: Module) -> AsyncIterator[Peer]:
    peer = Peer(Wire.TCP, otherwise=module.answer)
    async with serving(peer):
        yield peer


def asks(inputs: Telecontrol) -> Order:
    return inputs.standing("ripple").order


async def test_stages_as_they_switch(receiver: Peer, module: Module) -> None:
    async with listening(RECEIVER, receiver) as inputs:
        assert inputs.standing("ripple").voice is Voice.FAIL_SAFE
        await until(lambda: asks(inputs) == Order(bounds=FREE, words="no contact"))
        module.closed = {200, 9}
        half = Order(bounds=Bounds(generation_w=-30_000.0), words="stage 30 %")
        await until(lambda: asks(inputs) == half)
        module.closed = {200, 8, 10}
        await until(lambda: asks(inputs).words == "stage 60 % and stage 0 %")
        assert asks(inputs).bounds == Bounds(generation_w=0.0)
        module.closed = set()
        await until(lambda: asks(inputs) == Order(bounds=Bounds(load_w=4_200.0), words="14a"))
        assert module.functions == {2}
        assert {request.count for request in receiver.seen} == {1, 3}, "near ones in one request"


async def test_a_dead_or_mad_module_is_a_lost_input(receiver: Peer, module: Module) -> None:
    module.closed = {200, 9}
    text = RECEIVER.replace("keep_s: 600", "keep_s: 1")
    async with listening(text, receiver) as inputs:
        await until(lambda: inputs.standing("ripple").voice is Voice.HEARD)
        receiver.otherwise = garbage(b"\xff" * 300)
        await until(lambda: inputs.standing("ripple").voice is Voice.KEPT)
        assert asks(inputs).bounds == Bounds(generation_w=-30_000.0)
        await until(lambda: inputs.standing("ripple").voice is Voice.FAIL_SAFE)
        assert asks(inputs).bounds == Bounds(generation_w=0.0)
        receiver.otherwise = module.answer
        await until(lambda: inputs.standing("ripple").voice is Voice.HEARD)


async def test_where_one_contact_must_be_closed_none_is_a_lost_input(
    receiver: Peer, module: Module
) -> None:
    text = RECEIVER.replace("kind: contacts", "kind: contacts\nnone_active: lost\ntable: coils")
    module.closed = {200, 8}
    async with listening(text, receiver) as inputs:
        await until(lambda: inputs.standing("ripple").voice is Voice.HEARD)
        module.closed = {200}
        await until(lambda: inputs.standing("ripple").voice is Voice.KEPT)
        assert asks(inputs).bounds == Bounds(generation_w=-60_000.0)
        assert module.functions == {1}


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ("of_w: 100000", "", "percentages need of_w"),
        ("keep_s: 600", "", "keep_s"),
        ("fail_safe: {generation_pct: 0}", "", "fail_safe"),
        ("address: 9", "address: 8", "used twice"),
        ("generation_w: 0}", "generation_w: 0, generation_pct: 1}", "not both"),
        ("lost_after_s: 2", "lost_after_s: 0.1", "lost_after_s"),
        ("load_w: 4200", "load_w: -1", "load_w"),
        ("load_w: 4200", "load_w: .nan", "load_w"),
        ("generation_pct: 30", "generation_pct: 130", "generation_pct"),
        ("host: 127.0.0.1", "", "host or serial"),
        ("stage 60 %", '"\\u0007"', "name"),
    ],
)
def test_what_is_refused_is_named(old: str, new: str, why: str) -> None:
    assert old in RECEIVER
    with pytest.raises(ConfigError, match=why):
        loads(RECEIVER.replace(old, new), ContactsSettings, name="site.yaml")
