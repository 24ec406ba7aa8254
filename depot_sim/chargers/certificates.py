"""Certificates a charger holds (1.6 security white paper M03-M06, OCPP 2.0.1 part 2, M).

They are held and reported, they do not decide whom the link trusts: `Endpoint` says that.
"""

from __future__ import annotations

from collections.abc import Container
from datetime import datetime

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.ocsp import OCSPRequestBuilder
from cryptography.x509.oid import NameOID

from depot_sim.chargers.json_rpc import Json

_MOST = 20
_DAMAGED = (ValueError, UnsupportedAlgorithm, x509.DuplicateExtension)


def read_chain(pem: str, now: datetime) -> list[x509.Certificate]:
    """The certificates of a PEM chain, leaf first, all valid now.

    Raises:
        ValueError: not PEM certificates, or one is not valid at `now`.
    """
    try:
        chain = x509.load_pem_x509_certificates(pem.encode())
    except _DAMAGED as error:
        raise ValueError(f"no certificate: {error}") from error
    for certificate in chain:
        if not certificate.not_valid_before_utc <= now < certificate.not_valid_after_utc:
            raise ValueError(f"not valid now: {certificate.subject.rfc4514_string()}")
    return chain


def hash_data(chain: list[x509.Certificate]) -> Json:
    """CertificateHashDataType of the first certificate; its issuer is the second, or itself."""
    issuer = chain[1] if len(chain) > 1 else chain[0]
    asked = OCSPRequestBuilder().add_certificate(chain[0], issuer, SHA256()).build()
    return {
        "hashAlgorithm": "SHA256",
        "issuerNameHash": asked.issuer_name_hash.hex(),
        "issuerKeyHash": asked.issuer_key_hash.hex(),
        "serialNumber": f"{asked.serial_number:x}",
    }


class CertificateStore:
    """Root certificates and chains by kind; kinds are the words of the version."""

    def __init__(self) -> None:
        self._held: list[tuple[str, Json]] = []

    def install(self, kind: str, pem: str, now: datetime) -> str:
        """Hold one; the status to answer."""
        try:
            identity = hash_data(read_chain(pem, now))
        except (*_DAMAGED, IndexError):
            return "Rejected"
        return "Accepted" if self.hold(kind, identity) else "Failed"

    def hold(self, kind: str, identity: Json) -> bool:
        """Hold one by its hash data; whether there is room."""
        if (kind, identity) in self._held:
            return True
        if len(self._held) >= _MOST:
            return False
        self._held.append((kind, identity))
        return True

    def delete(self, identity: Json) -> str:
        """Drop one; the status to answer."""
        kept = [held for held in self._held if not _same(held[1], identity)]
        found = len(kept) < len(self._held)
        self._held = kept
        return "Accepted" if found else "NotFound"

    def of(self, kinds: Container[str]) -> list[tuple[str, Json]]:
        """Kind and hash data of everything held of these kinds."""
        return [held for held in self._held if held[0] in kinds]


class StationKey:
    """A key pair and the certificate asked for it."""

    def __init__(self) -> None:
        self._asked: ec.EllipticCurvePrivateKey | None = None

    def request(self, name: str, organisation: str) -> str:
        """A new key pair's certificate signing request, PEM (at most 5500 characters)."""
        self._asked = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name(
            [
                x509.NameAttribute(NameOID.COMMON_NAME, name[:64]),
                x509.NameAttribute(NameOID.ORGANIZATION_NAME, organisation[:64]),
            ]
        )
        asked = x509.CertificateSigningRequestBuilder().subject_name(subject)
        return asked.sign(self._asked, SHA256()).public_bytes(Encoding.PEM).decode()

    def accept(self, pem: str, now: datetime) -> Json:
        """Take a signed chain; its hash data.

        Raises:
            ValueError: not a chain, not valid now, or for another key.
        """
        chain = read_chain(pem, now)
        if self._asked is None or chain[0].public_key() != self._asked.public_key():
            raise ValueError("the certificate is for another key")
        self._asked = None
        return hash_data(chain)


def _same(held: Json, wanted: Json) -> bool:
    """Hexadecimal digits may be of either case."""
    return all(held[key].lower() == str(wanted[key]).lower() for key in held)
