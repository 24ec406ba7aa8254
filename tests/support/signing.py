"""A certificate authority that signs what a charger asks for."""

from __future__ import annotations

from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID


class Signer:
    """A root that is valid around `now`; everything is PEM."""

    def __init__(self, now: datetime, name: str = "test root") -> None:
        self._now = now
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        self._root = self._certificate(self._name, self._key.public_key())
        self.root = self._root.public_bytes(Encoding.PEM).decode()

    def sign(self, csr: str) -> str:
        """The chain for a request, leaf first."""
        asked = x509.load_pem_x509_csr(csr.encode())
        assert asked.is_signature_valid
        key = asked.public_key()
        assert isinstance(key, ec.EllipticCurvePublicKey)
        leaf = self._certificate(asked.subject, key)
        return leaf.public_bytes(Encoding.PEM).decode() + self.root

    def leaf(self, name: str) -> str:
        """A chain for somebody else's key."""
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        key = ec.generate_private_key(ec.SECP256R1()).public_key()
        return self._certificate(subject, key).public_bytes(Encoding.PEM).decode() + self.root

    def _certificate(self, subject: x509.Name, key: ec.EllipticCurvePublicKey) -> x509.Certificate:
        builder = x509.CertificateBuilder(
            issuer_name=self._name,
            subject_name=subject,
            public_key=key,
            serial_number=x509.random_serial_number(),
            not_valid_before=self._now - timedelta(days=1),
            not_valid_after=self._now + timedelta(days=30),
        )
        return builder.sign(self._key, SHA256())
