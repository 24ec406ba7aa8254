"""What a certificate says, in words for people. Nothing here decides whom to trust."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa

_LEAST_RSA_BITS, _LEAST_EC_BITS = 2048, 256


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateFacts:
    """Of one X.509 certificate."""

    subject: str
    issuer: str
    names: tuple[str, ...]
    """Host names and addresses it is good for."""
    since: datetime
    until: datetime
    key: str
    """Kind and size: `EC secp256r1`, `RSA 2048`."""
    strong: bool
    """RSA from 2048 bits or EC from 256 (OpenADR 2.0b, security)."""


def describe(der: bytes) -> CertificateFacts:
    """The facts of a DER certificate.

    Raises:
        ValueError: it is none, or its key is of a kind we do not know.
    """
    try:
        certificate = x509.load_der_x509_certificate(der)
        key, strong = _key(certificate)
        return CertificateFacts(
            subject=certificate.subject.rfc4514_string(),
            issuer=certificate.issuer.rfc4514_string(),
            names=_names(certificate),
            since=certificate.not_valid_before_utc,
            until=certificate.not_valid_after_utc,
            key=key,
            strong=strong,
        )
    except (UnsupportedAlgorithm, x509.DuplicateExtension) as error:
        raise ValueError(str(error)) from error


def _key(certificate: x509.Certificate) -> tuple[str, bool]:
    key = certificate.public_key()
    if isinstance(key, rsa.RSAPublicKey):
        return f"RSA {key.key_size}", key.key_size >= _LEAST_RSA_BITS
    if isinstance(key, ec.EllipticCurvePublicKey):
        return f"EC {key.curve.name}", key.key_size >= _LEAST_EC_BITS
    return type(key).__name__.removesuffix("PublicKey").strip("_"), False


def _names(certificate: x509.Certificate) -> tuple[str, ...]:
    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return ()
    hosts = found.get_values_for_type(x509.DNSName)
    return (*hosts, *(str(one) for one in found.get_values_for_type(x509.IPAddress)))
