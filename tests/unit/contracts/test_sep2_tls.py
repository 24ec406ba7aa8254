"""TLS of IEEE 2030.5: suites, and which certificates a peer may show (CSIP COMM-003, -004)."""

import ssl
from datetime import UTC, datetime
from pathlib import Path

import pytest

from certs.certificates import Identity
from certs.sep2 import Depth, Sep2Pki, make_sep2_pki
from certs.sep2_faults import Fault, make_faulty
from contracts.errors import ConfigError
from contracts.identity import check_sep2_chain, sep2_client_context, sep2_server_context

NOW = datetime(2026, 3, 1, tzinfo=UTC)
HOSTS = ["127.0.0.1"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("sep2")


@pytest.fixture(scope="module")
def pki(folder: Path) -> Sep2Pki:
    return make_sep2_pki(folder, NOW, hosts=HOSTS)


def server(pki: Sep2Pki, identity: Identity | None = None) -> ssl.SSLContext:
    shown = identity or pki.server
    return sep2_server_context(shown.cert, shown.key, pki.ca)


def client(pki: Sep2Pki, identity: Identity | None = None) -> ssl.SSLContext:
    shown = identity or pki.aggregator
    return sep2_client_context(pki.ca, shown.cert, shown.key)


def unchecked(identity: Identity, pki: Sep2Pki, side: int) -> ssl.SSLContext:
    """What a careless peer would have."""
    context = ssl.SSLContext(side)
    context.check_hostname = False
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(pki.ca)
    context.load_cert_chain(identity.cert, identity.key)
    return context


def handshake(
    server: ssl.SSLContext, client: ssl.SSLContext, session: ssl.SSLSession | None = None
) -> ssl.SSLObject:
    """TLS in memory; the client's end.

    Raises:
        ssl.SSLError: either side refuses the other.
    """
    up, down = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = [
        client.wrap_bio(down, up, server_hostname="127.0.0.1", session=session),
        server.wrap_bio(up, down, server_side=True),
    ]
    waiting = list(ends)
    for _ in range(10):
        for end in tuple(waiting):
            try:
                end.do_handshake()
            except ssl.SSLWantReadError:
                continue
            waiting.remove(end)
    assert not waiting
    return ends[0]


def suite(connection: ssl.SSLObject) -> tuple[str, str]:
    cipher = connection.cipher()
    assert cipher is not None
    return cipher[0], connection.version() or ""


def test_ccm8_is_agreed_on_between_two_of_us(pki: Sep2Pki) -> None:
    assert suite(handshake(server(pki), client(pki))) == ("ECDHE-ECDSA-AES128-CCM8", "TLSv1.2")


def test_a_session_may_be_taken_up_again_if_the_server_likes(pki: Sep2Pki) -> None:
    ours, theirs = client(pki), unchecked(pki.server, pki, ssl.PROTOCOL_TLS_SERVER)
    first = handshake(theirs, ours)
    again = handshake(theirs, ours, session=first.session)
    assert (first.session_reused, again.session_reused) == (False, True)
    assert again.getpeercert(binary_form=True) == first.getpeercert(binary_form=True)


def test_our_server_looks_at_every_certificate_again(pki: Sep2Pki) -> None:
    ours, theirs = server(pki), client(pki)
    first = handshake(ours, theirs)
    assert not handshake(ours, theirs, session=first.session).session_reused


def test_a_peer_without_ccm8_gets_gcm(pki: Sep2Pki) -> None:
    plain = unchecked(pki.aggregator, pki, ssl.PROTOCOL_TLS_CLIENT)
    name, version = suite(handshake(server(pki), plain))
    assert "GCM" in name
    assert version == "TLSv1.2"


@pytest.mark.parametrize("depth", [2, 3, 4])
def test_chains_of_two_to_four_certificates_are_accepted(tmp_path: Path, depth: Depth) -> None:
    deep = make_sep2_pki(tmp_path, NOW, hosts=HOSTS, depth=depth)
    assert handshake(server(deep), client(deep)).cipher()


@pytest.mark.parametrize("fault", Fault)
def test_a_client_refuses_a_bad_server(pki: Sep2Pki, folder: Path, fault: Fault) -> None:
    bad = make_faulty(folder, fault, NOW, HOSTS)
    with pytest.raises(ssl.SSLError, match=r"(?i)refused|verify failed|no shared cipher|alert"):
        handshake(unchecked(bad, pki, ssl.PROTOCOL_TLS_SERVER), client(pki))


@pytest.mark.parametrize("fault", Fault)
def test_a_server_refuses_a_bad_client(pki: Sep2Pki, folder: Path, fault: Fault) -> None:
    bad = make_faulty(folder, fault, NOW, HOSTS)
    with pytest.raises(ssl.SSLError, match=r"(?i)refused|verify failed"):
        handshake(server(pki), unchecked(bad, pki, ssl.PROTOCOL_TLS_CLIENT))


def test_faults_of_the_issuer_are_what_openssl_alone_would_let_pass(
    pki: Sep2Pki, folder: Path
) -> None:
    for fault in (Fault.USAGE_CRITICAL, Fault.NAMES_NOT_CRITICAL, Fault.POLICIES_NOT_CRITICAL):
        bad = make_faulty(folder, fault, NOW, HOSTS)
        careless = unchecked(pki.aggregator, pki, ssl.PROTOCOL_TLS_CLIENT)
        assert handshake(unchecked(bad, pki, ssl.PROTOCOL_TLS_SERVER), careless).cipher()


def test_a_client_without_certificate_is_refused(pki: Sep2Pki) -> None:
    stranger = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    stranger.load_verify_locations(pki.ca)
    with pytest.raises(ssl.SSLError, match=r"(?i)peer did not return a certificate"):
        handshake(server(pki), stranger)


def test_our_own_certificate_must_keep_the_rules(pki: Sep2Pki, folder: Path) -> None:
    bad = make_faulty(folder, Fault.RSA_KEY, NOW, HOSTS)
    with pytest.raises(ConfigError, match="not P-256"):
        client(pki, bad)


@pytest.mark.row("csip:P10")
def test_rsa_keys_are_allowed_where_the_utility_wants_an_rsa_suite(
    pki: Sep2Pki, folder: Path
) -> None:
    bad, wanted = make_faulty(folder, Fault.RSA_KEY, NOW, HOSTS), "AES256-SHA256:@SECLEVEL=0"
    ours = sep2_client_context(pki.ca, pki.aggregator.cert, pki.aggregator.key, wanted)
    theirs = sep2_server_context(bad.cert, bad.key, pki.ca, wanted)
    assert suite(handshake(theirs, ours)) == ("AES256-SHA256", "TLSv1.2")


def test_unknown_ciphers_are_a_mistake_in_the_settings(pki: Sep2Pki) -> None:
    with pytest.raises(ConfigError, match="NO-SUCH"):
        sep2_client_context(pki.ca, pki.aggregator.cert, pki.aggregator.key, "NO-SUCH")


def test_what_is_no_certificate_is_refused() -> None:
    with pytest.raises(ValueError):  # noqa: PT011 (the parser has the words)
        check_sep2_chain([b"nonsense"])
