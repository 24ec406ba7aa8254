import hashlib
import ssl
from pathlib import Path

import pytest

from certs.pki import Pki, make_test_pki
from contracts.errors import ConfigError
from contracts.identity import (
    certificate_der,
    client_context,
    lfdi,
    openadr_fingerprint,
    server_context,
    sfdi,
)


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Pki:
    return make_test_pki(tmp_path_factory.mktemp("pki"), sites=["depot-1"])


@pytest.mark.row("sep2:5")
def test_sfdi_of_the_standards_own_example() -> None:
    """IEEE 2030.5: fingerprint 3E4F-45AB-31ED-... has the SFDI 16726121139 and check digit 1."""
    assert sfdi("3E4F45AB31EDFE5B67E343E5E4562E31984E23E5") == 167261211391


@pytest.mark.parametrize("lfdi_hex", ["0" * 40, "F" * 40, "000000001" + "0" * 31])
def test_sfdi_digits_sum_to_a_multiple_of_ten(lfdi_hex: str) -> None:
    assert sum(map(int, str(sfdi(lfdi_hex)))) % 10 == 0
    assert sfdi(lfdi_hex) // 10 == int(lfdi_hex[:9], 16)


@pytest.mark.row("sep2:5", "csip:G3", "csip:P14")
def test_names_of_a_certificate_are_the_two_ends_of_its_fingerprint(pki: Pki) -> None:
    der = certificate_der(pki.ven.cert)
    digest = hashlib.sha256(der).hexdigest().upper()

    assert lfdi(der) == digest[:40]
    assert openadr_fingerprint(der).replace(":", "") == digest[-20:]
    assert openadr_fingerprint(der).count(":") == 9


def test_a_certificate_is_found_behind_its_private_key_and_text(pki: Pki, tmp_path: Path) -> None:
    bundle = tmp_path / "bundle.pem"
    bundle.write_text("notes\n" + pki.vtn.key.read_text() + pki.vtn.cert.read_text())
    assert certificate_der(bundle) == certificate_der(pki.vtn.cert)


def test_a_file_that_is_no_certificate_is_named(tmp_path: Path) -> None:
    (tmp_path / "x.pem").write_text("hello")
    with pytest.raises(ConfigError, match=r"x\.pem"):
        certificate_der(tmp_path / "x.pem")


def handshake(server: ssl.SSLContext, client: ssl.SSLContext, host: str = "localhost") -> str:
    """TLS between two contexts in memory; the version agreed on.

    Raises:
        ssl.SSLError: either side refuses the other.
    """
    up, down = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = [
        client.wrap_bio(down, up, server_hostname=host),
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
    if not waiting:  # in TLS 1.3 the client learns of a refusal only when it reads
        ends[1].write(b"x")
        ends[0].read(1)
    return ends[0].version() or "none"


def test_both_sides_show_a_certificate_of_their_own_root(pki: Pki) -> None:
    server = server_context(pki.broker.cert, pki.broker.key, pki.site_ca)
    site = pki.sites["depot-1"]
    assert handshake(server, client_context(pki.site_ca, site.cert, site.key)) == "TLSv1.3"


def test_tls_1_2_is_the_oldest_version_spoken(pki: Pki) -> None:
    server = server_context(pki.vtn.cert, pki.vtn.key, pki.utility_ca)
    client = client_context(pki.utility_ca, pki.ven.cert, pki.ven.key)
    client.maximum_version = ssl.TLSVersion.TLSv1_2
    assert handshake(server, client) == "TLSv1.2"
    assert server.minimum_version == client.minimum_version == ssl.TLSVersion.TLSv1_2


def test_a_client_without_certificate_is_refused(pki: Pki) -> None:
    server = server_context(pki.broker.cert, pki.broker.key, pki.site_ca)
    with pytest.raises(ssl.SSLError, match=r"(?i)peer did not return a certificate"):
        handshake(server, client_context(pki.site_ca))


def test_a_client_of_the_other_root_is_refused(pki: Pki) -> None:
    server = server_context(pki.broker.cert, pki.broker.key, pki.site_ca)
    with pytest.raises(ssl.SSLError, match=r"(?i)certificate verify failed|unknown ca"):
        handshake(server, client_context(pki.site_ca, pki.ven.cert, pki.ven.key))


def test_a_site_cannot_pose_as_the_broker(pki: Pki) -> None:
    site = pki.sites["depot-1"]
    impostor = server_context(site.cert, site.key, pki.site_ca)
    gateway = client_context(pki.site_ca, pki.gateway.cert, pki.gateway.key)
    with pytest.raises(ssl.SSLError, match=r"(?i)certificate verify failed"):
        handshake(impostor, gateway)


def test_a_server_under_another_name_is_refused(pki: Pki) -> None:
    server = server_context(pki.broker.cert, pki.broker.key, pki.site_ca)
    site = pki.sites["depot-1"]
    client = client_context(pki.site_ca, site.cert, site.key)
    assert handshake(server, client, "127.0.0.1") == "TLSv1.3"
    with pytest.raises(ssl.SSLError, match=r"(?i)hostname mismatch|certificate verify failed"):
        handshake(server, client, "elsewhere.example")


def test_without_an_authority_the_systems_roots_count(pki: Pki) -> None:
    server = server_context(pki.broker.cert, pki.broker.key, pki.site_ca)
    client = client_context(None)
    assert client.verify_mode is ssl.CERT_REQUIRED
    assert client.check_hostname
    with pytest.raises(ssl.SSLError, match="certificate verify failed"):
        handshake(server, client, "127.0.0.1")


def test_wrong_files_are_named(pki: Pki, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"absent\.pem"):
        client_context(tmp_path / "absent.pem")
    with pytest.raises(ConfigError, match=r"absent\.pem.*not a matching pair"):
        client_context(None, tmp_path / "absent.pem", pki.gateway.key)
    with pytest.raises(ConfigError, match="not a matching pair"):
        server_context(pki.broker.cert, pki.gateway.key, pki.site_ca)
