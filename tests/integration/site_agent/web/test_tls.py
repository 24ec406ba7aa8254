"""The page by https with a password, and its stream, on a real socket."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from certs.pki import Pki, make_test_pki
from contracts.errors import ConfigError
from site_agent.config.web import WebSettings, WebTlsSettings
from support.site_web import Bench, depot, password_file
from support.waiting import PATIENCE_S

PASSWORD = "correct horse battery"


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Pki:
    return make_test_pki(tmp_path_factory.mktemp("pki"), sites=["plant"], hosts=["127.0.0.1"])


@asynccontextmanager
async def serving(bench: Bench) -> AsyncIterator[int]:
    async with asyncio.TaskGroup() as group, asyncio.timeout(PATIENCE_S):
        task = group.create_task(bench.server.run())
        await bench.server.ready.wait()
        assert bench.server.port is not None
        yield bench.server.port
        bench.state.stopping.set()
        await task


async def test_people_reach_it_by_https_with_the_password_alone(pki: Pki, tmp_path: Path) -> None:
    tls = WebTlsSettings(cert=pki.broker.cert, key=pki.broker.key)
    bench = Bench(WebSettings(port=0, tls=tls, password_file=password_file(tmp_path)))
    await bench.show(depot())
    trusted = ssl.create_default_context(cafile=str(pki.site_ca))
    async with serving(bench) as port, httpx.AsyncClient(verify=trusted) as client:
        url = f"https://127.0.0.1:{port}"
        assert (await client.get(f"{url}/")).status_code == 401
        page = await client.get(f"{url}/", auth=("anyone", PASSWORD))
        assert page.status_code == 200
        assert "cp-1" in page.text
        with pytest.raises(httpx.TransportError):
            await client.get(f"http://127.0.0.1:{port}/")


def test_a_certificate_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    tls = WebTlsSettings(cert=tmp_path / "none.pem", key=tmp_path / "none.key")
    with pytest.raises(ConfigError, match=r"none\.pem"):
        Bench(WebSettings(tls=tls))


async def test_the_stream_brings_the_page_again_and_ends_when_the_agent_does() -> None:
    bench = Bench(WebSettings(port=0))
    await bench.show(depot())
    told: list[str] = []
    async with (
        httpx.AsyncClient() as client,
        serving(bench) as port,
        client.stream("GET", f"http://127.0.0.1:{port}/stream") as answer,
    ):
        assert answer.headers["content-type"].startswith("text/event-stream")
        async for line in answer.aiter_lines():
            told.append(line)
            if line.startswith("event: tick"):
                bench.state.stopping.set()
    assert sum(line.startswith("event: tick") for line in told) >= 1
    assert any('id="tile-grid"' in line for line in told)
