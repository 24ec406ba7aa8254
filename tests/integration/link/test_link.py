"""Both ends of the link over a real nats-server with mutual TLS."""

import os
import signal
import time
from datetime import timedelta

import pytest

from contracts.errors import LinkDownError, ProtocolError
from contracts.site_link.messages import Batch, BatchAck, FlexibilityOffer, InstructionState
from support.site_link import CLOCK, Counter, GatewayHandler, Net, instruction, measurement, running


async def test_a_site_says_hello_and_is_welcomed(net: Net, handler: GatewayHandler) -> None:
    async with net.gateway(handler), net.site() as site:
        (hello,) = handler.hellos
        assert hello.site_id == "depot-1"
        assert hello.epoch == site.outbox.epoch
        assert site.uplink.connected
        assert site.uplink.clock_offset is not None
        assert abs(site.uplink.clock_offset.total_seconds()) < 1


async def test_rows_of_a_later_kind_go_to_gateways_that_take_them(
    net: Net, handler: GatewayHandler
) -> None:
    offer = FlexibilityOffer(
        at=CLOCK.now(), step_s=900, notice_s=4, ramp_w_per_min=1, data_age_s=0, slots=()
    )
    async with net.gateway(handler), net.site() as site:
        assert not site.uplink.takes("flexibility_offer")
        assert site.uplink.takes("measurement")
        await site.outbox.append([offer, measurement(1.0)])
        await site.outbox.deleted.reaches(2)
    assert [row for _, row in sorted(handler.rows.items())] == [measurement(1.0)]
    handler.later_rows = ("flexibility_offer",)
    async with net.gateway(handler), net.site() as site:
        assert site.uplink.takes("flexibility_offer")
        await site.outbox.append([offer])
        await site.outbox.deleted.reaches(1)
    assert offer in handler.rows.values()


async def test_rows_are_stored_once_and_deleted_after_the_commit(
    net: Net, handler: GatewayHandler
) -> None:
    async with net.gateway(handler), net.site() as site:
        await site.outbox.append([measurement(value) for value in range(2000)])
        await site.outbox.deleted.reaches(2000)
    assert set(handler.rows) == {("depot-1", "epoch-1", seq) for seq in range(1, 2001)}
    assert handler.rows["depot-1", "epoch-1", 1] == measurement(0)


async def test_rows_wait_while_the_gateway_cannot_commit(net: Net, handler: GatewayHandler) -> None:
    handler.failing = True
    async with net.gateway(handler), net.site() as site:
        await site.outbox.append([measurement(1)])
        await CLOCK.sleep(0.2)
        assert site.outbox.deleted.value == 0
        handler.failing = False
        await site.outbox.deleted.reaches(1)


async def test_an_instruction_is_stored_before_it_is_acknowledged(
    net: Net, handler: GatewayHandler
) -> None:
    async with net.gateway(handler) as gateway, net.site() as site:
        sent = instruction("depot-1")
        ack = await (await gateway.send(sent))
        assert ack.state is InstructionState.STORED
        assert site.instructions.stored == [sent]


async def test_a_site_that_is_not_there_is_known_at_once(net: Net, handler: GatewayHandler) -> None:
    async with net.gateway(handler) as gateway:
        began = time.monotonic()
        with pytest.raises(LinkDownError, match="no responders"):
            await (await gateway.send(instruction("depot-1")))
        assert time.monotonic() - began < 0.5


async def test_a_silent_site_costs_its_own_time_only(net: Net, handler: GatewayHandler) -> None:
    async with net.gateway(handler) as gateway, net.site() as one, net.site("depot-2") as two:
        one.instructions.silent = True

        async def to_the_silent() -> None:
            with pytest.raises(LinkDownError, match="timeout"):
                await (await gateway.send(instruction("depot-1")))

        async with running(to_the_silent()):
            ack = await (await gateway.send(instruction("depot-2")))
            assert ack.state is InstructionState.STORED
            await two.outbox.append([measurement(1)])
            await two.outbox.deleted.reaches(1)


async def test_unseen_instructions_follow_the_welcome(net: Net, handler: GatewayHandler) -> None:
    handler.unseen = [instruction("depot-1", 1), instruction("depot-1", 2)]
    async with net.gateway(handler), net.site() as site:
        await handler.resent.reaches(2)
        assert [one.site_seq for one in site.instructions.stored] == [1, 2]


@pytest.mark.row("portfolio:L2")
async def test_a_killed_broker_costs_no_row_and_no_instruction(
    net: Net, handler: GatewayHandler
) -> None:
    async with net.gateway(handler) as gateway, net.site() as site:
        for round_ in range(3):
            await site.outbox.append([measurement(value) for value in range(2500)])
            await handler.stored.reaches(2500 * round_ + 500)
            assert net.broker.pid
            os.kill(net.broker.pid, signal.SIGKILL)
            handler.unseen.append(instruction("depot-1", round_ + 1))
        await site.outbox.deleted.reaches(7500)
        await handler.resent.reaches(3)
        assert len(handler.rows) == 7500
        assert [one.site_seq for one in site.instructions.stored] == [1, 2, 3]
        assert (
            await (await gateway.send(instruction("depot-1", 9)))
        ).state is InstructionState.STORED


async def test_a_new_gateway_is_greeted_though_the_broker_never_stopped(
    net: Net, handler: GatewayHandler
) -> None:
    site, successor = net.make_site("depot-1"), GatewayHandler()
    successor.unseen = [instruction("depot-1", 5)]
    async with running(site.uplink.run()):
        async with net.gateway(handler):
            await site.uplink.wait_connected()
        async with net.gateway(successor):
            await successor.resent.reaches(1)
    assert [one.site_seq for one in site.instructions.stored] == [5]
    assert len(handler.hellos) == len(successor.hellos) == 1


async def test_rows_gathered_without_a_gateway_arrive_when_it_comes(
    net: Net, handler: GatewayHandler
) -> None:
    site = net.make_site("depot-1")
    async with running(site.uplink.run()):
        await site.outbox.append([measurement(value) for value in range(300)])
        await CLOCK.sleep(0.3)
        assert not site.uplink.connected
        async with net.gateway(handler):
            await site.outbox.deleted.reaches(300)
    assert len(handler.rows) == 300


async def test_renewed_files_carry_a_site_over_the_expiry_of_its_jwt(
    net: Net, handler: GatewayHandler
) -> None:
    site = net.make_site("depot-1", life=timedelta(seconds=2))
    async with net.gateway(handler), running(site.uplink.run()):
        await site.uplink.wait_connected()
        net.issue("depot-1")
        await handler.greeted.reaches(2)  # the broker drops the old login by itself
        await site.outbox.append([measurement(1)])
        await site.outbox.deleted.reaches(1)


async def test_a_site_left_outside_keeps_its_rows_and_knocks_until_it_is_let_in(
    net: Net, handler: GatewayHandler
) -> None:
    site = net.make_site("depot-1", life=timedelta(seconds=-1))
    async with net.gateway(handler), running(site.uplink.run()):
        await site.outbox.append([measurement(1)])
        await CLOCK.sleep(0.3)
        assert not site.uplink.connected
        net.issue("depot-1")
        await site.outbox.deleted.reaches(1)


async def test_a_gateway_that_refuses_is_an_alarm_and_loses_nothing(
    net: Net, handler: GatewayHandler, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refuse(_batch: Batch) -> BatchAck:
        refused.add()
        raise ProtocolError("not today")

    refused = Counter()
    async with net.gateway(handler), net.site() as site:
        with monkeypatch.context() as patch:
            patch.setattr(handler, "batch", refuse)
            await site.outbox.append([measurement(1)])
            await refused.reaches(2)
        await site.outbox.deleted.reaches(1)
        assert site.uplink.refusals >= 1
