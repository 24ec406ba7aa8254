"""A running VTN on loopback with throw-away certificates."""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from contracts.clock import SystemClock
from contracts.identity import client_context
from contracts.openadr import codec
from contracts.openadr.payloads import Payload
from vtn_sim.config import VtnSettings
from vtn_sim.main import VtnAddresses, run

NOW = datetime.now(UTC)


def make_certificates(folder: Path) -> Path:
    """`ca`, and `vtn` and `ven` signed by it, as `<name>.pem` and `<name>.key`."""
    folder.mkdir()
    ca_key = ec.generate_private_key(ec.SECP256R1())
    ca = _sign("ca", ca_key, "ca", ca_key, is_ca=True)
    _write(folder, "ca", ca, ca_key)
    for name in ("vtn", "ven"):
        key = ec.generate_private_key(ec.SECP256R1())
        _write(folder, name, _sign(name, key, "ca", ca_key, is_ca=False), key)
    return folder


def _sign(
    subject: str,
    key: ec.EllipticCurvePrivateKey,
    issuer: str,
    issuer_key: ec.EllipticCurvePrivateKey,
    *,
    is_ca: bool,
) -> x509.Certificate:
    names = [x509.IPAddress(ipaddress.ip_address("127.0.0.1")), x509.DNSName("localhost")]
    return (
        x509.CertificateBuilder()
        .subject_name(_name(subject))
        .issuer_name(_name(issuer))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW - timedelta(hours=1))
        .not_valid_after(NOW + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=is_ca, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .sign(issuer_key, SHA256())
    )


def _name(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"test {name}")])


def _write(
    folder: Path, name: str, certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey
) -> None:
    (folder / f"{name}.pem").write_bytes(certificate.public_bytes(Encoding.PEM))
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (folder / f"{name}.key").write_bytes(private)


@pytest.fixture(scope="session")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Certificates of the utility and its VENs."""
    return make_certificates(tmp_path_factory.mktemp("pki") / "utility")


@pytest.fixture(scope="session")
def other_pki(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Certificates of somebody else."""
    return make_certificates(tmp_path_factory.mktemp("pki") / "stranger")


@dataclass(frozen=True, slots=True)
class RunningVtn:
    """Where a VTN is, and how to talk to both of its sides."""

    addresses: VtnAddresses
    api: httpx.AsyncClient
    ven: httpx.AsyncClient

    async def post(self, service: str, data: bytes) -> httpx.Response:
        """Bytes to one of the VEN's endpoints."""
        return await self.ven.post(f"{self.addresses.openadr_url}/{service}", content=data)

    async def exchange(self, service: str, message: Payload) -> Payload:
        """A message and the answer to it."""
        return codec.decode((await self.post(service, codec.encode(message))).content)

    async def get(self, path: str) -> Any:
        """JSON of the REST API."""
        answer = await self.api.get(path)
        answer.raise_for_status()
        return answer.json()

    async def until(self, path: str, holds: Callable[[Any], bool]) -> Any:
        """The first answer of the API that is as wished, looked at after every new message."""
        seen = 0
        while not holds(answer := await self.get(path)):
            newer = await self.get(f"/api/messages?after={seen}&wait_s=20&limit=1")
            assert newer, f"silence, and {path} is {answer}"
            seen = newer[-1]["number"]
        return answer


class StartVtn(Protocol):
    """Start a VTN with these settings beside the certificates."""

    def __call__(self, **settings: Any) -> AbstractAsyncContextManager[RunningVtn]: ...


@pytest.fixture
def start_vtn(pki: Path) -> StartVtn:
    @asynccontextmanager
    async def start(**settings: Any) -> AsyncIterator[RunningVtn]:
        config = VtnSettings.model_validate(
            {
                "cert_file": pki / "vtn.pem",
                "key_file": pki / "vtn.key",
                "ca_file": pki / "ca.pem",
                "vens": [{"ven_id": "ven-1", "name": "depot"}],
                "poll_frequency_s": 1,
                "report": {"granularity_s": 1, "report_back_s": 1},
                **settings,
            }
        )
        stopping = asyncio.Event()
        found: asyncio.Future[VtnAddresses] = asyncio.Future()
        tls = client_context(pki / "ca.pem", pki / "ven.pem", pki / "ven.key")
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(run(config, SystemClock(), found.set_result, stopping))
            addresses = await found
            async with (
                httpx.AsyncClient(base_url=addresses.api_url, timeout=30, trust_env=False) as api,
                httpx.AsyncClient(verify=tls, trust_env=False) as ven,
            ):
                yield RunningVtn(addresses, api, ven)
            stopping.set()

    return start
