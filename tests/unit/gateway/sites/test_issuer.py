"""What the gateway signs, and what it will not."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from certs.pki import Pki, make_test_pki
from contracts.clock import SystemClock
from contracts.errors import ConfigError, PermanentError, ProtocolError
from contracts.site_link import creds
from contracts.site_link.nkey import Nkey, Role
from gateway.sites.credentials import Authority
from gateway.sites.issuer import SiteIssuer

NOW = SystemClock().now().replace(microsecond=0)
LATER = NOW + timedelta(days=30)
USER = Nkey.make(Role.USER).public


@dataclass
class Made:
    pki: Pki
    issuer: SiteIssuer


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    pki = make_test_pki(tmp_path_factory.mktemp("pki"), sites=[])
    return Made(pki, SiteIssuer(pki.site_ca, pki.site_ca_key, Authority(pki.nats)))


def csr(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey, name: str = "depot-2") -> str:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    alt = x509.SubjectAlternativeName([x509.UniformResourceIdentifier("urn:gridyard:site:depot-2")])
    builder = x509.CertificateSigningRequestBuilder().subject_name(subject)
    request = builder.add_extension(alt, critical=False).sign(key, SHA256())
    return request.public_bytes(Encoding.PEM).decode()


def test_certificate_and_jwt_are_for_the_site_that_is_known_not_the_one_that_is_claimed(
    made: Made,
) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    serial, issued = made.issuer.issue("depot-1", csr(key), USER, NOW, LATER)
    certificate = x509.load_pem_x509_certificate(issued.certificate.encode())
    certificate.verify_directly_issued_by(
        x509.load_pem_x509_certificate(made.pki.site_ca.read_bytes())
    )
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    uris = names.get_values_for_type(x509.UniformResourceIdentifier)
    usage = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    claims = creds.jwt_claims(issued.jwt)
    assert uris == ["urn:gridyard:site:depot-1"]
    assert certificate.subject.rfc4514_string() == "CN=site depot-1"
    assert [one.dotted_string for one in usage] == ["1.3.6.1.5.5.7.3.2"]
    assert certificate.public_key() == key.public_key()
    assert f"{certificate.serial_number:x}" == serial
    assert (claims["name"], claims["sub"]) == ("depot-1", USER)
    assert claims["exp"] == LATER.timestamp() == certificate.not_valid_after_utc.timestamp()


def test_nothing_outlives_its_issuer(made: Made) -> None:
    root = x509.load_pem_x509_certificate(made.pki.site_ca.read_bytes())
    key = ec.generate_private_key(ec.SECP256R1())
    _, issued = made.issuer.issue("depot-1", csr(key), USER, NOW, datetime(2999, 1, 1, tzinfo=UTC))
    assert issued.until == root.not_valid_after_utc


def forged() -> str:
    """Signed by another key than the one it names."""
    good = csr(ec.generate_private_key(ec.SECP256R1())).splitlines()
    other = csr(ec.generate_private_key(ec.SECP256R1())).splitlines()
    return "\n".join([*good[:-3], *other[-3:]])


@pytest.mark.parametrize(
    "request_of",
    [
        lambda: "-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----\n",
        lambda: "",
        lambda: csr(rsa.generate_private_key(65537, 2048)),
        lambda: csr(ec.generate_private_key(ec.SECP384R1())),
        forged,
    ],
    ids=["garbage", "empty", "rsa", "p-384", "forged"],
)
def test_a_request_we_cannot_trust_is_refused(made: Made, request_of: "object") -> None:
    assert callable(request_of)
    with pytest.raises(ProtocolError, match="csr"):
        made.issuer.issue("depot-1", request_of(), USER, NOW, LATER)


@pytest.mark.row("portfolio:L1")
@pytest.mark.parametrize("site_id", ["*", ">", "", "s 1", "x.up", "Depot", "a" * 41, "depot-1\n"])
def test_a_name_that_would_reach_other_sites_is_never_issued(made: Made, site_id: str) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    with pytest.raises(PermanentError, match="site id"):
        made.issuer.issue(site_id, csr(key), USER, NOW, LATER)


def test_a_root_without_its_key_is_a_clear_mistake(made: Made, tmp_path: Path) -> None:
    authority = Authority(made.pki.nats)
    with pytest.raises(ConfigError, match="not the key of"):
        SiteIssuer(made.pki.site_ca, made.pki.gateway.key, authority)
    with pytest.raises(ConfigError, match="not a certificate authority"):
        SiteIssuer(made.pki.gateway.cert, made.pki.gateway.key, authority)
    with pytest.raises(ConfigError, match="not a certificate authority"):
        SiteIssuer(made.pki.site_ca, tmp_path / "none", authority)
