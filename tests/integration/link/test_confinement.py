"""What the broker must not let a site do, and what the gateway must not believe."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import nats.errors
import pytest

from certs.pki import make_test_pki
from contracts.errors import LinkDownError, PermanentError
from contracts.identity import client_context
from contracts.site_link import subjects
from contracts.site_link.codec import decode, encode
from contracts.site_link.connection import Login
from contracts.site_link.messages import Batch, Hello, NumberedRow, Refusal
from gateway.sites.credentials import Authority
from site_agent.uplink.credentials import load_login
from support.site_link import CLOCK, GatewayHandler, Net, instruction, measurement, running

REFUSED = (nats.errors.Error, OSError)


def login_of(net: Net, site_id: str) -> Callable[[], Login]:
    folder = net.issue(site_id)
    return lambda: load_login(folder, site_id)


def hello(site_id: str, version: int = 1) -> bytes:
    return encode(
        Hello(
            site_id=site_id,
            epoch="e",
            versions=(version,),
            last_instruction_seq=0,
            outbox_head=0,
            agent_version="test",
            sent_at=CLOCK.now(),
        )
    )


@pytest.mark.row("portfolio:L1")
async def test_a_site_cannot_speak_as_another(net: Net, handler: GatewayHandler) -> None:
    async with net.gateway(handler), net.raw(login_of(net, "depot-1")) as (connection, link):
        with pytest.raises(LinkDownError):
            await link.request(subjects.up("depot-2", subjects.HELLO), hello("depot-2"), 0.5)
        assert connection.violations == 1
        assert handler.hellos == []


@pytest.mark.row("portfolio:L1")
async def test_a_site_cannot_listen_to_another(net: Net, handler: GatewayHandler) -> None:
    async with net.gateway(handler) as gateway, net.raw(login_of(net, "depot-1")) as (spy, link):
        for subject in (
            subjects.down("depot-2", subjects.INSTRUCTION),
            "site.*.down.instr",
            "site.>",
            ">",
            "_INBOX.>",
            "_INBOX_depot-2.>",
            subjects.up_from_any(subjects.BATCH),
        ):
            await link.subscribe(subject)
        with pytest.raises(LinkDownError, match="no responders"):
            await (await gateway.send(instruction("depot-2")))
        await link.request(subjects.up("depot-1", subjects.HELLO), hello("depot-1"), 2)
        assert spy.violations == 7


@pytest.mark.row("portfolio:L1")
async def test_a_site_cannot_play_the_gateway(net: Net, handler: GatewayHandler) -> None:
    async with net.gateway(handler), net.site() as site:
        async with net.raw(login_of(net, "depot-2")) as (connection, link):
            subject = subjects.down("depot-1", subjects.INSTRUCTION)
            with pytest.raises(LinkDownError):
                await link.request(subject, encode(instruction("depot-1")), 0.5)
            await link.publish(subjects.GATEWAY_HERE)
            await link.request(subjects.up("depot-2", subjects.HELLO), hello("depot-2"), 2)
            assert connection.violations == 2
        assert site.instructions.stored == []


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "JSON"),
        (b"{" * 100_000, "JSON"),
        (b'{"kind":"bomb"}', "kind"),
        (hello("depot-2"), "names another site"),
        (hello("depot-1", version=99), "no common version"),
        (encode(instruction("depot-1")), "does not go this way"),
        (
            encode(
                Batch(
                    site_id="depot-2",
                    epoch="e",
                    rows=(NumberedRow(seq=1, row=measurement(1)),),
                    sent_at=CLOCK.now(),
                )
            ),
            "names another site",
        ),
    ],
    ids=["empty", "deep", "kind", "site", "version", "direction", "batch"],
)
async def test_nonsense_is_answered_and_harms_nobody(
    net: Net, handler: GatewayHandler, data: bytes, reason: str
) -> None:
    async with net.gateway(handler), net.raw(login_of(net, "depot-1")) as (_, link):
        answer = decode(await link.request(subjects.up("depot-1", subjects.BATCH), data, 2))
        assert isinstance(answer, Refusal)
        assert reason in answer.reason
        async with net.site("depot-2") as other:
            await other.outbox.append([measurement(1)])
            await other.outbox.deleted.reaches(1)


async def test_nonsense_from_the_gateway_is_answered_too(net: Net, handler: GatewayHandler) -> None:
    gateway = net.gateway_login()
    async with net.gateway(handler), net.site() as site, net.raw(gateway) as (_, link):
        subject = subjects.down("depot-1", subjects.INSTRUCTION)
        for data in (b"{", hello("depot-1"), encode(instruction("depot-2"))):
            assert isinstance(decode(await link.request(subject, data, 2)), Refusal)
        assert site.instructions.stored == []


@pytest.mark.parametrize("name", ["*", ">", "depot-1.up"])
async def test_a_dangerous_name_is_never_issued(net: Net, name: str) -> None:
    with pytest.raises(PermanentError):
        net.authority.site_jwt(name, "U", CLOCK.now(), CLOCK.now() + timedelta(days=1))


async def test_the_right_credentials_open_the_door(net: Net) -> None:
    await net.knock(login_of(net, "depot-1")())


async def test_a_certificate_of_another_root_does_not(net: Net, tmp_path: Path) -> None:
    foreign = make_test_pki(tmp_path / "foreign", sites=["depot-1"]).sites["depot-1"]
    login = login_of(net, "depot-1")()
    tls = client_context(net.pki.site_ca, foreign.cert, foreign.key)
    with pytest.raises(REFUSED):
        await net.knock(replace(login, tls=tls))


@pytest.mark.row("portfolio:L1")
async def test_no_certificate_does_not(net: Net) -> None:
    login = login_of(net, "depot-1")()
    with pytest.raises(REFUSED):
        await net.knock(replace(login, tls=client_context(net.pki.site_ca)))


async def test_a_jwt_of_another_authority_does_not(net: Net, tmp_path: Path) -> None:
    now = CLOCK.now()
    login = login_of(net, "depot-1")()
    stranger = Authority(tmp_path / "stranger")
    jwt = stranger.site_jwt("depot-1", login.key.public, now, now + timedelta(days=1))
    with pytest.raises(REFUSED, match="Authorization Violation"):
        await net.knock(replace(login, jwt=jwt))


async def test_somebody_elses_jwt_without_its_key_does_not(net: Net) -> None:
    one, two = login_of(net, "depot-1")(), login_of(net, "depot-2")()
    with pytest.raises(REFUSED, match="Authorization Violation"):
        await net.knock(replace(one, jwt=two.jwt))


@pytest.mark.row("portfolio:L1")
async def test_an_expired_jwt_does_not(net: Net) -> None:
    folder = net.issue("depot-1", life=timedelta(seconds=-1))
    with pytest.raises(REFUSED, match="Authorization Violation"):
        await net.knock(load_login(folder, "depot-1"))


@pytest.mark.row("portfolio:L1")
async def test_an_expired_certificate_does_not(net: Net, tmp_path: Path) -> None:
    """Though its JWT is good."""
    past = make_test_pki(tmp_path / "old", sites=["depot-1"], now=CLOCK.now() - timedelta(days=200))
    aged = Net(past, tmp_path / "aged")
    make_test_pki(tmp_path / "old", sites=[])  # renews what the broker shows, and not the site's
    async with running(aged.broker.run()):
        await aged.broker.ready.wait()
        login = load_login(aged.issue("depot-1"), "depot-1")
        with pytest.raises(REFUSED):
            await aged.knock(login)
        make_test_pki(tmp_path / "old", sites=["depot-1"])
        await aged.knock(load_login(aged.issue("depot-1"), "depot-1"))


async def test_an_impostor_of_the_broker_is_not_believed(net: Net, tmp_path: Path) -> None:
    foreign = make_test_pki(tmp_path / "foreign", sites=[])
    login = login_of(net, "depot-1")()
    site = net.pki.sites["depot-1"]
    tls = client_context(foreign.site_ca, site.cert, site.key)
    with pytest.raises(REFUSED, match=r"(?i)certificate"):
        await net.knock(replace(login, tls=tls))
