"""From a token to a site that is known, renewed, and shut out: real TLS, a real nats-server."""

import asyncio
import os
import signal
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import nats.errors
import pytest
from cryptography import x509

from certs.pki import Pki, make_test_pki
from contracts.errors import ConfigError, LinkDownError, PermanentError, TransientError
from contracts.identity import certificate_der, client_context
from contracts.site_link import creds
from contracts.site_link.enrolment import CA_PATH, ENROL_PATH, MAX_BYTES, Token, fingerprint
from contracts.site_link.messages import Credentials, Renew
from gateway.flows.sites.admission import Admission, keep_out, new_token
from gateway.sites.enrolment import PER_MINUTE, EnrolmentDoor
from gateway.store.access import SqlAccessBook
from gateway.store.database import Database
from site_agent.uplink.credentials import life_of, load_login
from site_agent.uplink.joining import join
from site_agent.uplink.keys import signing_request
from support.site_link import CLOCK, GatewayHandler, Net, measurement, running
from support.waiting import until

HOUR = timedelta(hours=1)


@dataclass
class Gate:
    """What issues credentials, and the door where they are asked for."""

    book: SqlAccessBook
    admission: Admission
    url: str
    pki: Pki

    async def token(self, site_id: str = "depot-1", good_for: timedelta = HOUR) -> Token:
        return Token(
            url=self.url,
            site_id=site_id,
            secret=await new_token(self.book, site_id, CLOCK.now(), good_for),
            ca=fingerprint(certificate_der(self.pki.site_ca)),
        )


@asynccontextmanager
async def open_gate(net: Net, database: Database, life: timedelta) -> AsyncIterator[Gate]:
    book = SqlAccessBook(database)
    admission = net.admission(book, life)
    door = EnrolmentDoor(net.server_files, admission.enrol, CLOCK)
    port: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    async with running(door.run("127.0.0.1", 0, port.set_result)):
        yield Gate(book, admission, f"https://127.0.0.1:{await port}", net.pki)


@pytest.fixture
def database(tmp_path: Path) -> Database:
    return Database.open(tmp_path / "gateway.sqlite")


@pytest.fixture
async def gate(net: Net, database: Database) -> AsyncIterator[Gate]:
    async with open_gate(net, database, timedelta(days=30)) as gate:
        yield gate


@pytest.mark.row("portfolio:L4")
async def test_a_token_becomes_a_site_that_connects(
    net: Net, gate: Gate, handler: GatewayHandler, tmp_path: Path
) -> None:
    folder = tmp_path / "agent"
    issued = await join(await gate.token(), "depot-1", folder)

    certificate = x509.load_der_x509_certificate(certificate_der(folder / creds.CERT_FILE))
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    uris = names.get_values_for_type(x509.UniformResourceIdentifier)
    assert uris == ["urn:gridyard:site:depot-1"]
    assert issued.until - CLOCK.now() > timedelta(days=29)
    assert life_of(folder).until == issued.until == certificate.not_valid_after_utc
    files = [path for path in folder.iterdir() if path.is_file()]
    assert {path.stat().st_mode & 0o777 for path in files} == {0o600}
    assert {path.name for path in folder.iterdir()} == {
        *(creds.CA_FILE, creds.CERT_FILE),
        *(creds.KEY_FILE, creds.CREDS_FILE),
    }

    site = net.make_site("depot-1", folder=folder)
    async with net.gateway(handler), running(site.uplink.run()):
        await site.outbox.append([measurement(1)])
        await site.outbox.deleted.reaches(1)
    (kept,) = await gate.book.credentials("depot-1")
    assert kept.serial == f"{certificate.serial_number:x}"
    assert kept.user_key == load_login(folder, "depot-1").key.public


@pytest.mark.row("portfolio:L4")
async def test_a_token_is_good_once(gate: Gate, tmp_path: Path) -> None:
    token = await gate.token()
    await join(token, "depot-1", tmp_path / "one")
    with pytest.raises(PermanentError, match="has been used: ask the operator"):
        await join(token, "depot-1", tmp_path / "two")
    assert len(await gate.book.credentials("depot-1")) == 1
    assert not (tmp_path / "two" / creds.CREDS_FILE).exists()


async def test_a_lost_answer_costs_no_token(
    gate: Gate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    token, folder = await gate.token(), tmp_path / "agent"

    def dies(*_: object) -> None:
        raise OSError("the machine went down")

    with monkeypatch.context() as patch:
        patch.setattr("site_agent.uplink.joining.keep_credentials", dies)
        with pytest.raises(OSError, match="went down"):
            await join(token, "depot-1", folder)
    await join(token, "depot-1", folder)
    load_login(folder, "depot-1")


async def test_a_token_that_is_over_is_as_good_as_unknown(gate: Gate, tmp_path: Path) -> None:
    over = await gate.token(good_for=timedelta(0))
    unknown = replace(over, secret="x" * 43)
    for token in (over, unknown):
        with pytest.raises(PermanentError, match="unknown or over"):
            await join(token, "depot-1", tmp_path / "agent")


async def test_a_token_opens_its_own_site_only(gate: Gate, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="is for site 'depot-1', but this is 'depot-2'"):
        await join(await gate.token(), "depot-2", tmp_path / "agent")
    stolen = replace(await gate.token("depot-1"), site_id="depot-2")
    with pytest.raises(Exception, match="answered for site 'depot-1'"):
        await join(stolen, "depot-2", tmp_path / "agent")


async def test_credentials_are_replaced_only_when_that_is_said(gate: Gate, tmp_path: Path) -> None:
    folder = tmp_path / "agent"
    await join(await gate.token(), "depot-1", folder)
    with pytest.raises(ConfigError, match="--again"):
        await join(await gate.token(), "depot-1", folder)
    first = load_login(folder, "depot-1").key.public
    await join(await gate.token(), "depot-1", folder, again=True)
    assert load_login(folder, "depot-1").key.public != first


async def test_the_token_is_not_shown_to_another_gateway(
    net: Net, gate: Gate, database: Database, tmp_path: Path
) -> None:
    """Somebody in between has a certificate of a root of his own."""
    foreign = make_test_pki(tmp_path / "foreign", sites=[])
    impostor = Net(foreign, tmp_path / "impostor")
    seen = []

    async def steal(request: object) -> Credentials:
        seen.append(request)
        raise TransientError("mine now")

    door = EnrolmentDoor(impostor.server_files, steal, CLOCK)
    port: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    async with running(door.run("127.0.0.1", 0, port.set_result)):
        token = replace(await gate.token(), url=f"https://127.0.0.1:{await port}")
        with pytest.raises(PermanentError, match="not the gateway that made the token"):
            await join(token, "depot-1", tmp_path / "agent")
    assert seen == []


async def test_a_gateway_that_is_not_there_may_be_asked_again(gate: Gate, tmp_path: Path) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        url = f"https://127.0.0.1:{nobody.getsockname()[1]}"
        with pytest.raises(LinkDownError):
            await join(replace(await gate.token(), url=url), "depot-1", tmp_path / "agent")


async def http(gate: Gate, head: str, body: bytes = b"") -> bytes:
    """A raw request: what an honest client would not send."""
    tls = client_context(gate.pki.site_ca)
    host, port = gate.url.removeprefix("https://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port), ssl=tls)
    writer.write(
        f"{head} HTTP/1.1\r\nhost: x\r\ncontent-length: {len(body)}\r\n\r\n".encode() + body
    )
    answer = await reader.read()
    writer.close()
    return answer


@pytest.mark.parametrize(
    ("head", "body", "status", "words"),
    [
        (f"POST {ENROL_PATH}", b"", 400, "JSON"),
        (f"POST {ENROL_PATH}", b"[" * MAX_BYTES, 400, "JSON"),
        (f"POST {ENROL_PATH}", b" " * (MAX_BYTES + 1), 413, "more than"),
        (f"POST {ENROL_PATH}", b'{"secret":"short"}', 400, "secret"),
        (f"GET {ENROL_PATH}", b"", 405, "not for this"),
        ("GET /", b"", 404, "nothing here"),
        (f"DELETE {CA_PATH}", b"", 405, "not for this"),
    ],
)
async def test_nonsense_at_the_door_is_answered(
    gate: Gate, head: str, body: bytes, status: int, words: str
) -> None:
    answer = await http(gate, head, body)
    assert answer.startswith(f"HTTP/1.1 {status} ".encode())
    assert words.encode() in answer


def request_body(secret: str, csr: str, user_key: str = "U" + "A" * 55) -> bytes:
    text = csr.replace("\n", "\\n")
    return f'{{"secret":"{secret}","csr":"{text}","user_key":"{user_key}"}}'.encode()


async def test_a_request_that_is_not_signed_by_its_key_spends_no_token(
    gate: Gate, tmp_path: Path
) -> None:
    token = await gate.token()
    csr = "-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----\n"
    answer = await http(gate, f"POST {ENROL_PATH}", request_body(token.secret, csr))
    assert b"400" in answer
    assert b"not a certificate signing request" in answer
    await join(token, "depot-1", tmp_path / "agent")


async def test_one_token_is_not_tried_for_ever(gate: Gate) -> None:
    token = await gate.token()
    body = request_body(token.secret, "-----BEGIN X")
    answers = [await http(gate, f"POST {ENROL_PATH}", body) for _ in range(PER_MINUTE // 4 + 1)]
    assert [b" 400 " in one[:20] for one in answers[:-1]] == [True] * (PER_MINUTE // 4)
    assert b" 429 " in answers[-1][:20]
    assert b"try again in" in answers[-1]


async def test_the_door_wants_tls(gate: Gate) -> None:
    host, port = gate.url.removeprefix("https://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(f"GET {CA_PATH} HTTP/1.1\r\nhost: x\r\n\r\n".encode())
    assert not (await reader.read()).startswith(b"HTTP")
    writer.close()


# --- renewal -------------------------------------------------------------------------------------


@pytest.mark.row("portfolio:L4")
async def test_a_site_renews_itself_and_outlives_its_first_credentials(
    net: Net, database: Database, handler: GatewayHandler, tmp_path: Path
) -> None:
    folder = tmp_path / "agent"
    async with open_gate(net, database, timedelta(seconds=6)) as gate:
        first = await join(await gate.token(), "depot-1", folder)
    key = (folder / creds.KEY_FILE).read_bytes()
    handler.admission = net.admission(gate.book)
    site = net.make_site("depot-1", folder=folder)
    async with net.gateway(handler), running(site.uplink.run()):
        await handler.greeted.reaches(2)  # once before, once with the new ones
        assert CLOCK.now() < first.until
        assert life_of(folder).until > first.until + timedelta(hours=12)
        await until(lambda: CLOCK.now() > first.until + timedelta(seconds=2))
        await site.outbox.append([measurement(1)])
        await site.outbox.deleted.reaches(1)
    assert (folder / creds.KEY_FILE).read_bytes() == key
    assert len(handler.hellos) == 2
    assert [one.cause for one in await gate.book.credentials("depot-1")] == ["renewed", "enrolled"]


async def test_renewal_waits_for_a_gateway_that_is_away(
    net: Net, database: Database, handler: GatewayHandler, tmp_path: Path
) -> None:
    folder = tmp_path / "agent"
    async with open_gate(net, database, timedelta(seconds=4)) as gate:
        first = await join(await gate.token(), "depot-1", folder)
    handler.admission = net.admission(gate.book)
    site = net.make_site("depot-1", folder=folder)
    due = life_of(folder).due()
    async with running(site.uplink.run()):
        await until(lambda: CLOCK.now() > due)
        assert life_of(folder).until == first.until
        async with net.gateway(handler):
            await until(lambda: life_of(folder).until > first.until)


async def test_a_gateway_that_issues_nothing_leaves_a_warning(
    net: Net, database: Database, handler: GatewayHandler, tmp_path: Path
) -> None:
    folder = tmp_path / "agent"
    async with open_gate(net, database, timedelta(seconds=5)) as gate:
        await join(await gate.token(), "depot-1", folder)
    site = net.make_site("depot-1", folder=folder)
    async with net.gateway(handler), running(site.uplink.run()):
        await site.uplink.wait_connected()
        assert site.uplink.conditions() == {}
        await until(lambda: site.uplink.refusals >= 0 and CLOCK.now() > life_of(folder).until)
    late = net.make_site("depot-1", folder=folder).uplink.conditions()
    assert [code for code, _ in late] == ["credentials-over"]


# --- revocation ----------------------------------------------------------------------------------


async def refused(net: Net, folder: Path) -> None:
    with pytest.raises(nats.errors.Error, match=r"Authorization Violation"):
        await net.knock(load_login(folder, "depot-1"))


@pytest.mark.row("portfolio:L4")
async def test_a_revoked_site_is_out_at_once_and_the_others_stay(
    net: Net, gate: Gate, handler: GatewayHandler, tmp_path: Path
) -> None:
    folder = tmp_path / "agent"
    await join(await gate.token(), "depot-1", folder)
    site = net.make_site("depot-1", folder=folder)
    async with net.gateway(handler), net.site("depot-2") as other, running(site.uplink.run()):
        await site.uplink.wait_connected()
        async with running(keep_out(gate.book, net.bouncer, CLOCK, {})):
            assert await gate.book.revoke("depot-1", CLOCK.now(), "the laptop was stolen") == 1
            await until(lambda: not site.uplink.connected)
            await refused(net, folder)
            await other.outbox.append([measurement(1)])
            await other.outbox.deleted.reaches(1)
            greeted = handler.greeted.value

            again = tmp_path / "again"
            await join(await gate.token(), "depot-1", again)
            back = net.make_site("depot-1", folder=again)
            async with running(back.uplink.run()):
                await back.uplink.wait_connected()
        assert not site.uplink.connected
    assert handler.greeted.value == greeted + 1


async def test_a_revocation_holds_over_a_restart_of_everything(
    net: Net, gate: Gate, tmp_path: Path
) -> None:
    folder = tmp_path / "agent"
    await join(await gate.token(), "depot-1", folder)
    await gate.book.revoke("depot-1", CLOCK.now(), "lost")
    reopened = SqlAccessBook(Database.open(tmp_path / "gateway.sqlite"))
    await net.bouncer.shut_out(await reopened.revoked(CLOCK.now()))
    await refused(net, folder)
    assert net.broker.pid is not None
    net.broker.ready.clear()
    os.kill(net.broker.pid, signal.SIGKILL)
    await net.broker.ready.wait()
    await refused(net, folder)


async def test_a_revoked_site_is_renewed_no_more_and_its_tokens_are_void(
    gate: Gate, tmp_path: Path
) -> None:
    folder = tmp_path / "agent"
    await join(await gate.token(), "depot-1", folder)
    token = await gate.token()
    await gate.book.revoke("depot-1", CLOCK.now(), "lost")
    with pytest.raises(PermanentError, match="unknown or over"):
        await join(token, "depot-1", tmp_path / "other")
    renew = Renew(
        site_id="depot-1",
        csr=signing_request(folder / creds.KEY_FILE),
        user_key=load_login(folder, "depot-1").key.public,
        sent_at=CLOCK.now(),
    )
    with pytest.raises(PermanentError, match="has been revoked"):
        await gate.admission.renew(renew)
