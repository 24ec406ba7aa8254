"""What a certificate says, in words."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from certs.pki import make_test_pki
from contracts.certificate import describe
from contracts.identity import certificate_der
from support.openadr_keys import PemPair, pem_pair

SINCE = datetime(2026, 1, 1, tzinfo=UTC)


def der_of(pair: PemPair) -> bytes:
    return ssl.PEM_cert_to_DER_cert(pair.certificate.decode())


def test_the_facts_of_a_server(tmp_path: Path) -> None:
    pki = make_test_pki(tmp_path, sites=[], hosts=["vtn.example", "192.0.2.7"])
    facts = describe(certificate_der(pki.vtn.cert))
    assert "CN=vtn" in facts.subject
    assert "CN=utility side root" in facts.issuer
    assert facts.names == ("vtn.example", "192.0.2.7")
    assert (facts.key, facts.strong) == ("EC secp256r1", True)


@pytest.mark.parametrize(
    ("key", "words", "strong"),
    [
        (rsa.generate_private_key(65537, 1024), "RSA 1024", False),
        (rsa.generate_private_key(65537, 2048), "RSA 2048", True),
        (ec.generate_private_key(ec.SECP192R1()), "EC secp192r1", False),
        (ec.generate_private_key(ec.SECP384R1()), "EC secp384r1", True),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_kinds_of_keys(
    key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey, words: str, strong: bool
) -> None:
    facts = describe(der_of(pem_pair(key, SINCE, timedelta(days=3))))
    assert (facts.key, facts.strong) == (words, strong)
    assert (facts.since, facts.until) == (SINCE, SINCE + timedelta(days=3))
    assert facts.names == ()


@pytest.mark.parametrize("data", [b"", b"\x30\x03\x02\x01\x01", b"not a certificate"])
def test_what_is_no_certificate_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        describe(data)
