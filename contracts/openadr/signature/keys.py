"""Keys and certificates: RSA and EC, with SHA-256. Each is parsed once."""

from __future__ import annotations

from datetime import datetime

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.utils import (
    decode_dss_signature,
    encode_dss_signature,
)
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key

from contracts.errors import ConfigError
from contracts.identity import openadr_fingerprint
from contracts.openadr.signature.fault import SignatureError, SignatureFault

RSA_SHA256 = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"
ECDSA_SHA256 = "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256"
_RSA_BITS, _EC_BITS = 2048, 256
"""Least sizes of the profile."""


class SigningKey:
    """A private key and its certificate.

    Raises:
        ConfigError: unreadable, not RSA from 2048 or EC from 256 bits, or not a pair.
    """

    def __init__(
        self, certificate_pem: bytes, key_pem: bytes, password: bytes | None = None
    ) -> None:
        try:
            certificate = x509.load_pem_x509_certificate(certificate_pem)
            key = load_pem_private_key(key_pem, password)
            self.algorithm = _algorithm(certificate.public_key())
        except (ValueError, TypeError, UnsupportedAlgorithm) as error:
            raise ConfigError(f"no key to sign with: {error}") from error
        if not isinstance(key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) or (
            key.public_key() != certificate.public_key()
        ):
            raise ConfigError("no key to sign with: it is not the certificate's")
        self._key = key
        self.certificate_der = certificate.public_bytes(Encoding.DER)
        self.fingerprint = openadr_fingerprint(self.certificate_der)

    def sign(self, data: bytes) -> bytes:
        """The signature in the form of XML-DSig: for EC, r and s of fixed length."""
        if isinstance(self._key, rsa.RSAPrivateKey):
            return self._key.sign(data, PKCS1v15(), SHA256())
        r, s = decode_dss_signature(self._key.sign(data, ec.ECDSA(SHA256())))
        size = _octets(self._key.curve)
        return r.to_bytes(size, "big") + s.to_bytes(size, "big")


class PublicCertificate:
    """A peer's certificate.

    Raises:
        SignatureError: unreadable, or not RSA from 2048 or EC from 256 bits.
    """

    def __init__(self, der: bytes) -> None:
        try:
            certificate = x509.load_der_x509_certificate(der)
            self._key = certificate.public_key()
            self._algorithm = _algorithm(self._key)
        except (ValueError, UnsupportedAlgorithm) as error:
            raise SignatureError(SignatureFault.ALGORITHM, f"certificate: {error}") from error
        self.fingerprint = openadr_fingerprint(der)
        self._since = certificate.not_valid_before_utc
        self._until = certificate.not_valid_after_utc

    def valid_at(self, now: datetime) -> bool:
        """Whether it is neither expired nor yet to become valid."""
        return self._since <= now <= self._until

    def verify(self, algorithm: str, data: bytes, signature: bytes) -> None:
        """Check a signature.

        Raises:
            SignatureError: not one of this key over this data.
        """
        if algorithm != self._algorithm:
            raise SignatureError(SignatureFault.ALGORITHM, f"{algorithm[:80]} by another key type")
        try:
            if isinstance(self._key, rsa.RSAPublicKey):
                self._key.verify(signature, data, PKCS1v15(), SHA256())
            elif isinstance(self._key, ec.EllipticCurvePublicKey):
                self._key.verify(_der(signature, self._key.curve), data, ec.ECDSA(SHA256()))
        except (InvalidSignature, ValueError) as error:
            raise SignatureError(
                SignatureFault.BROKEN, f"not by the key of {self.fingerprint}"
            ) from error


def _algorithm(key: object) -> str:
    if isinstance(key, rsa.RSAPublicKey) and key.key_size >= _RSA_BITS:
        return RSA_SHA256
    if isinstance(key, ec.EllipticCurvePublicKey) and key.key_size >= _EC_BITS:
        return ECDSA_SHA256
    raise ValueError("the key is neither RSA from 2048 bits nor EC from 256 bits")


def _octets(curve: ec.EllipticCurve) -> int:
    return (curve.key_size + 7) // 8


def _der(signature: bytes, curve: ec.EllipticCurve) -> bytes:
    size = _octets(curve)
    if len(signature) != 2 * size:
        raise ValueError(f"{len(signature)} bytes of signature instead of {2 * size}")
    r, s = int.from_bytes(signature[:size], "big"), int.from_bytes(signature[size:], "big")
    return encode_dss_signature(r, s)
