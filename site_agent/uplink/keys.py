"""The site's own private keys: made here, kept here, shown to nobody."""

from __future__ import annotations

from pathlib import Path

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from contracts.errors import ConfigError


def new_key() -> bytes:
    """A P-256 private key as PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def certifies(certificate: str, key: Path) -> bool:
    """Whether a certificate (PEM) is for the private key in this file.

    Raises:
        ValueError: it is no certificate.
        ConfigError: no EC key can be read there.
    """
    certified = x509.load_pem_x509_certificate(certificate.encode()).public_key()
    return certified == _private(key).public_key()


def signing_request(key: Path) -> str:
    """A certificate signing request (PKCS #10) for the key in this file, as PEM.

    It names nobody: the gateway knows who asks, and writes that into the certificate.

    Raises:
        ConfigError: no EC key can be read there.
    """
    request = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([]))
    return request.sign(_private(key), SHA256()).public_bytes(Encoding.PEM).decode()


def _private(key: Path) -> ec.EllipticCurvePrivateKey:
    try:
        private = load_pem_private_key(key.read_bytes(), password=None)
    except (OSError, ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise ConfigError(f"{key}: not a private key: {error}") from error
    if not isinstance(private, ec.EllipticCurvePrivateKey):
        raise ConfigError(f"{key}: not an EC key")
    return private
