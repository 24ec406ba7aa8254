"""The PKI of an IEEE 2030.5 utility: certificates that never expire, under up to two issuers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal, Self

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes
from cryptography.hazmat.primitives.hashes import SHA256

from certs.certificates import (
    Identity,
    Pair,
    alt_names,
    builder,
    files,
    host_names,
    key_usage,
    load,
    new_key,
    signed_by,
    store,
    subject,
    uri_name,
)
from contracts.private_files import private_folder

FOREVER = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
"""The end of a certificate without an end (RFC 5280, 4.1.2.5)."""
Depth = Literal[2, 3, 4]
_POLICIES = ("1.3.6.1.4.1.40732.1.1", "1.3.6.1.4.1.40732.2.1")
"""A generic device, and a certificate for tests (IEEE 2030.5-2018, 6.11.7)."""

Extension = tuple[x509.ExtensionType, bool]
"""And whether it is critical."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sep2Pki:
    """Where everything lies; each certificate file also holds the issuers below the root."""

    ca: Path
    server: Identity
    aggregator: Identity
    """Of the client and of its own server, to which notifications are posted."""
    devices: Mapping[str, Identity]
    """By name: devices that connect themselves."""


class Issuer:
    """A root or an intermediate (MCA, MICA) with the certificates it has signed.

    Files are kept as long as they are good: an LFDI is the hash of a certificate. Not for several
    processes at once.
    """

    def __init__(
        self, folder: Path, pair: Pair, now: datetime, chain: Sequence[x509.Certificate] = ()
    ) -> None:
        self._folder = folder
        self._pair = pair
        self._now = now
        self.chain = tuple(chain)
        """What a leaf is shown with: this issuer and those above it, without the root."""

    @classmethod
    def root(cls, folder: Path, name: str, now: datetime) -> Self:
        """`ca.pem` in `folder`, made when there is none."""
        identity = files(private_folder(folder), "ca")
        pair = load(identity)
        if pair is None:
            key = new_key()
            cert = _ca(name, subject(name), key.public_key(), now, None).sign(key, SHA256())
            pair = store(identity, Pair(cert=cert, key=key))
        return cls(folder, pair, now)

    def below(
        self, stem: str, name: str, path_length: int, extensions: Sequence[Extension] = ()
    ) -> Issuer:
        """An issuer that this one has signed, with more extensions if wanted."""
        identity = files(self._folder, stem)
        pair = load(identity)
        if pair is None or not signed_by(pair.cert, self._pair.cert):
            key = new_key()
            wanted = _ca(name, self._subject, key.public_key(), self._now, path_length)
            for extension, critical in extensions:
                wanted = wanted.add_extension(extension, critical)
            pair = store(identity, Pair(cert=self.sign(wanted), key=key), self.chain)
        return Issuer(self._folder, pair, self._now, (pair.cert, *self.chain))

    def identity_of(self, stem: str, name: str, names: tuple[x509.GeneralName, ...]) -> Identity:
        """`<stem>.pem` with its chain, and `.key`, of a device, client or server."""
        identity = files(self._folder, stem)
        pair = load(identity)
        good = pair and signed_by(pair.cert, self._pair.cert) and alt_names(pair.cert) == names
        if not good:
            key = new_key()
            cert = self.sign(self.leaf(name, key.public_key(), names))
            store(identity, Pair(cert=cert, key=key), self.chain)
        return identity

    def leaf(
        self, name: str, key: CertificatePublicKeyTypes, names: tuple[x509.GeneralName, ...]
    ) -> x509.CertificateBuilder:
        """A certificate of one end, client and server alike, not yet signed."""
        policies = [x509.PolicyInformation(x509.ObjectIdentifier(p), None) for p in _POLICIES]
        return (
            builder(name, self._subject, key, self._now, FOREVER)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(key_usage(signs=False, agrees=True), critical=True)
            .add_extension(x509.CertificatePolicies(policies), critical=True)
            .add_extension(x509.SubjectAlternativeName(names), critical=False)
        )

    def sign(self, wanted: x509.CertificateBuilder) -> x509.Certificate:
        """The certificate."""
        aki = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._pair.key.public_key())
        return wanted.add_extension(aki, critical=False).sign(self._pair.key, SHA256())

    @property
    def _subject(self) -> x509.Name:
        return self._pair.cert.subject


def make_sep2_pki(
    folder: Path,
    now: datetime,
    *,
    hosts: Sequence[str],
    devices: Sequence[str] = (),
    depth: Depth = 3,
) -> Sep2Pki:
    """Make or keep the utility's root, its server, one aggregator and devices of these names.

    `hosts` are the addresses and names of both the utility's server and the aggregator's; `depth`
    counts the certificates of a chain from the leaf to the root.
    """
    root = Issuer.root(folder, "2030.5 root", now)
    issuer = issuers(root, depth)
    server, uri = host_names(hosts), "urn:gridyard:sep2:"
    return Sep2Pki(
        ca=folder / "ca.pem",
        server=issuer.identity_of("server", "2030.5 server", server),
        aggregator=issuer.identity_of("aggregator", "aggregator", server),
        devices={
            name: issuer.identity_of(f"device-{name}", f"device {name}", uri_name(uri + name))
            for name in devices
        },
    )


def issuers(root: Issuer, depth: Depth) -> Issuer:
    """Who signs the leaves of a chain of this depth: the root, a MICA, or a MICA below an MCA."""
    match depth:
        case 2:
            return root
        case 3:
            return root.below("mica", "MICA", 0)
        case 4:
            return root.below("mca", "MCA", 1).below("mica-of-mca", "MICA of MCA", 0)


def _ca(
    name: str,
    issuer: x509.Name,
    key: CertificatePublicKeyTypes,
    now: datetime,
    path_length: int | None,
) -> x509.CertificateBuilder:
    constraints = x509.BasicConstraints(ca=True, path_length=path_length)
    return (
        builder(name, issuer, key, now, FOREVER)
        .add_extension(constraints, critical=True)
        .add_extension(key_usage(signs=True), critical=True)
    )
