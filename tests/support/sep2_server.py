"""A running IEEE 2030.5 server simulator on loopback, with clients of our own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import httpx

from certs.certificates import Identity
from certs.pki import Pki, make_test_pki
from contracts.clock import SystemClock
from contracts.identity import certificate_der, lfdi, sep2_client_context
from contracts.sep2 import codec
from contracts.sep2.codec import MEDIA_TYPE
from contracts.sep2.dialect import CSIPAUS_V1_2, Dialect
from contracts.sep2.resources import Resource
from vtn_sim.config import VtnSettings
from vtn_sim.main import VtnAddresses, run

DIALECT = Dialect(csipaus=CSIPAUS_V1_2)
HEADERS = {"Accept": MEDIA_TYPE, "Content-Type": MEDIA_TYPE}
ResourceT = TypeVar("ResourceT", bound=Resource)


def made_pki(folder: Path) -> Pki:
    """Everything, the IEEE 2030.5 side too."""
    return make_test_pki(folder, sites=["depot-1"])


def lfdi_of(identity: Identity) -> str:
    return lfdi(certificate_der(identity.cert))


def device_lfdi(number: int) -> str:
    """Assigned by the utility: a managed device has no certificate."""
    return f"{0xD0000 + number:09X}" + "0" * 31


def sep2_settings(pki: Pki, **changes: Any) -> dict[str, Any]:
    """One aggregator with two depots in two nested groups."""
    return {
        "cert_file": pki.sep2.server.cert,
        "key_file": pki.sep2.server.key,
        "ca_file": pki.sep2.ca,
        "csipaus": CSIPAUS_V1_2,
        "aggregators": [{"name": "agg", "certificate": pki.sep2.aggregator.cert}],
        "devices": [
            {"lfdi": device_lfdi(1), "label": "depot-1", "fsas": ["system", "feeder"]},
            {"lfdi": device_lfdi(2), "label": "depot-2", "fsas": ["system"]},
        ],
        "programs": [
            {"name": "system", "primacy": 5, "default": {"modes": {"opModImpLimW": 90000}}},
            {"name": "feeder", "primacy": 1},
        ],
        "fsas": [
            {"name": "system", "programs": ["system"]},
            {"name": "feeder", "programs": ["feeder"]},
        ],
        **changes,
    }


@dataclass
class Sep2Peer:
    """A client of the server; hrefs are paths."""

    http: httpx.AsyncClient
    entry: str

    async def send(
        self, method: str, path: str, resource: Resource | None = None, **more: Any
    ) -> httpx.Response:
        content = None if resource is None else codec.encode(resource, DIALECT)
        return await self.http.request(method, path, content=content, headers=HEADERS, **more)

    async def get(self, path: str | None, cls: type[ResourceT], query: str = "") -> ResourceT:
        assert path is not None
        answer = await self.send("GET", path + query)
        assert answer.status_code == 200, f"{path}: {answer.status_code}"
        assert answer.headers["content-type"] == MEDIA_TYPE
        return codec.decode(answer.content, cls)

    async def status(self, method: str, path: str, resource: Resource | None = None) -> int:
        return (await self.send(method, path, resource)).status_code


@dataclass
class RunningSep2:
    """Where it is, the utility's own side, and how to come in as somebody."""

    addresses: VtnAddresses
    api: httpx.AsyncClient
    pki: Pki
    stack: AsyncExitStack
    _peers: dict[Path, Sep2Peer] = field(default_factory=dict)

    @property
    def url(self) -> httpx.URL:
        assert self.addresses.sep2_url is not None
        return httpx.URL(self.addresses.sep2_url)

    async def peer(self, identity: Identity | None = None) -> Sep2Peer:
        """A client that shows this certificate; the aggregator when none is given."""
        shown = identity or self.pki.sep2.aggregator
        if shown.cert not in self._peers:
            tls = sep2_client_context(self.pki.sep2.ca, shown.cert, shown.key)
            base = str(self.url.copy_with(path="/"))
            client = httpx.AsyncClient(base_url=base, verify=tls, trust_env=False, timeout=10)
            await self.stack.enter_async_context(client)
            self._peers[shown.cert] = Sep2Peer(client, self.url.path)
        return self._peers[shown.cert]

    async def act(self, action: str, **content: Any) -> dict[str, Any]:
        """Tell the utility to do something."""
        answer = await self.api.post("/api/sep2/actions", json={"action": action, **content})
        assert answer.status_code == 200, answer.text
        done: dict[str, Any] = answer.json()
        return done

    async def look(self, path: str) -> Any:
        """JSON of the utility's own side."""
        answer = await self.api.get(f"/api/sep2{path}")
        answer.raise_for_status()
        return answer.json()

    async def until(self, path: str, holds: Callable[[Any], bool]) -> Any:
        """The first such answer that is as wished, looked at after every new exchange."""
        seen = 0
        while not holds(answer := await self.look(path)):
            newer = await self.look(f"/exchanges?after={seen}&wait_s=10&limit=1")
            assert newer, f"silence, and {path} is {answer}"
            seen = newer[-1]["number"]
        return answer


@asynccontextmanager
async def running_sep2(pki: Pki, **changes: Any) -> AsyncIterator[RunningSep2]:
    """A whole simulated utility while the block runs; `changes` are to `sep2_settings`."""
    config = VtnSettings.model_validate(
        {
            "cert_file": pki.vtn.cert,
            "key_file": pki.vtn.key,
            "ca_file": pki.utility_ca,
            "sep2": sep2_settings(pki, **changes),
        }
    )
    stopping = asyncio.Event()
    found: asyncio.Future[VtnAddresses] = asyncio.Future()
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(run(config, SystemClock(), found.set_result, stopping))
        addresses = await found
        async with AsyncExitStack() as stack:
            api = httpx.AsyncClient(base_url=addresses.api_url, trust_env=False, timeout=30)
            await stack.enter_async_context(api)
            yield RunningSep2(addresses, api, pki, stack)
        stopping.set()


def now() -> datetime:
    return datetime.now(UTC)
