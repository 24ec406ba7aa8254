"""Keys and certificates to sign OpenADR messages with."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from contracts.openadr.signature import SigningKey

SIGNED_AT = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class PemPair:
    """A self-signed certificate and its key."""

    certificate: bytes
    key: bytes

    @property
    def signing_key(self) -> SigningKey:
        return _parsed(self)

    @property
    def fingerprint(self) -> str:
        return self.signing_key.fingerprint


@cache
def _parsed(pair: PemPair) -> SigningKey:
    """Once: checking an RSA key takes some 50 ms."""
    return SigningKey(pair.certificate, pair.key)


def pem_pair(
    key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey,
    since: datetime = datetime(2020, 1, 1, tzinfo=UTC),
    lasting: timedelta = timedelta(days=365 * 100),
) -> PemPair:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "signer")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(since)
        .not_valid_after(since + lasting)
        .sign(key, SHA256())
    )
    return PemPair(
        certificate=certificate.public_bytes(Encoding.PEM),
        key=key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
    )


@cache
def rsa_pair(number: int = 0, bits: int = 2048) -> PemPair:
    """Made once a run for each number."""
    del number
    return pem_pair(rsa.generate_private_key(65537, bits))


@cache
def ec_pair(number: int = 0) -> PemPair:
    """As `rsa_pair`, P-256."""
    del number
    return pem_pair(ec.generate_private_key(ec.SECP256R1()))
