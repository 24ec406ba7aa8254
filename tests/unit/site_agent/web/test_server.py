"""Who may reach the agent's page, and what a stranger meets."""

from __future__ import annotations

import asyncio
import base64
import socket
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from fastapi import APIRouter
from pydantic import ValidationError

from contracts.errors import ConfigError
from site_agent.config.web import WebSettings
from site_agent.web.server import MAX_BODY_BYTES, Part
from site_agent.web.sign_in import MOST_WRONG, WINDOW
from support.site_web import Bench, depot, password_file
from support.waiting import PATIENCE_S, until

PASSWORD = "correct horse battery"


def basic(password: str, user: str = "anyone") -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


@pytest.mark.parametrize(
    ("facts", "missing"),
    [
        ({"host": "10.1.0.5"}, "set password_file"),
        ({"host": "10.1.0.5", "password_file": "p"}, "set tls"),
        (
            {"host": "0.0.0.0", "password_file": "p", "behind_proxy": True},
            "say in names under which browsers may reach it",
        ),
        ({"port": 70_000}, "65535"),
    ],
)
def test_what_others_can_reach_is_guarded_or_refused(
    facts: dict[str, object], missing: str
) -> None:
    with pytest.raises(ValidationError, match=missing):
        WebSettings.model_validate(facts)


@pytest.mark.parametrize(
    ("facts", "served"),
    [
        ({}, {"127.0.0.1", "localhost", "[::1]"}),
        ({"names": ["Depot.example"]}, {"127.0.0.1", "localhost", "[::1]", "depot.example"}),
        (
            {"host": "10.1.0.5", "password_file": "p", "tls": {"cert": "c", "key": "k"}},
            {"127.0.0.1", "localhost", "[::1]", "10.1.0.5"},
        ),
    ],
)
def test_it_answers_under_its_own_names(facts: dict[str, object], served: set[str]) -> None:
    assert WebSettings.model_validate(facts).allowed_hosts == served


async def test_a_name_that_was_bound_to_this_machine_by_others_is_refused() -> None:
    async with Bench().client(Host="evil.example") as stranger:
        assert (await stranger.get("/healthz")).status_code == 400


@pytest.mark.parametrize("path", ["/", "/why/site", "/journal", "/api/why", "/static/site.css"])
async def test_without_the_password_nothing_is_told(tmp_path: Path, path: str) -> None:
    bench = Bench(WebSettings(password_file=password_file(tmp_path)))
    async with bench.client() as client:
        answer = await client.get(path)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Basic ")
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")


@pytest.mark.parametrize(
    ("authorization", "status"),
    [
        (basic(PASSWORD), 200),
        (f"Bearer {PASSWORD}", 200),
        (f"bearer {PASSWORD}", 200),
        (basic("wrong horse battery"), 401),
        ("Basic !!!", 401),
        ("Basic " + base64.b64encode(b"nocolon").decode(), 401),
        ("Digest x", 401),
        ("Bearer", 401),
    ],
)
async def test_the_password_opens(tmp_path: Path, authorization: str, status: int) -> None:
    bench = Bench(WebSettings(password_file=password_file(tmp_path)))
    await bench.show(depot())
    async with bench.client(Authorization=authorization) as client:
        assert (await client.get("/api/why")).status_code == status


async def test_guessing_is_stopped_for_a_while(tmp_path: Path) -> None:
    bench = Bench(WebSettings(password_file=password_file(tmp_path)))
    async with bench.client(Authorization=basic("guess")) as guesser:
        for _ in range(MOST_WRONG):
            assert (await guesser.get("/journal")).status_code == 401
        answer = await guesser.get("/journal")
        assert (answer.status_code, answer.headers["retry-after"]) == (429, "60")
    async with bench.client(Authorization=basic(PASSWORD)) as person:
        assert (await person.get("/journal")).status_code == 429
        await bench.clock.advance(WINDOW.total_seconds())
        assert (await person.get("/journal")).status_code == 200


async def test_a_part_with_its_own_tokens_is_left_to_them(tmp_path: Path) -> None:
    router = APIRouter()

    @router.get("/api/fleet/v1/vehicles")
    async def vehicles() -> list[str]:
        return ["van-1"]

    part = Part(router=router, own_access=("/api/fleet/",))
    bench = Bench(WebSettings(password_file=password_file(tmp_path)), others=[part])
    async with bench.client() as program:
        assert (await program.get("/api/fleet/v1/vehicles")).json() == ["van-1"]
        assert (await program.get("/api/why")).status_code == 401


@pytest.mark.parametrize("text", ["short\n", "", "  \n"])
def test_a_weak_password_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(ConfigError, match="at least 12 characters"):
        Bench(WebSettings(password_file=password_file(tmp_path, text)))
    with pytest.raises(ConfigError, match="cannot be read"):
        Bench(WebSettings(password_file=tmp_path / "none"))


async def test_health_follows_the_control_loop() -> None:
    bench = Bench()
    async with bench.client() as supervisor:
        assert (await supervisor.get("/healthz")).status_code == 503
        await bench.show(depot())
        assert (await supervisor.get("/healthz")).text == "ok\n"
        await bench.clock.advance(timedelta(seconds=11).total_seconds())
        answer = await supervisor.get("/healthz")
    assert answer.status_code == 503
    assert answer.json()["title"] == "The last control cycle was 11 s ago"


async def test_a_body_that_is_too_large_is_refused() -> None:
    async with Bench().client() as client:
        answer = await client.post("/api/why", content=b"x" * (MAX_BODY_BYTES + 1))
    assert answer.status_code in (405, 413)


@pytest.mark.parametrize(
    ("path", "accept", "kind"),
    [
        ("/nope", "text/html", "text/html"),
        ("/nope", "*/*", "application/problem+json"),
        ("/api/nope", "text/html", "application/problem+json"),
    ],
)
async def test_what_is_not_there_is_said_to_people_and_programs(
    path: str, accept: str, kind: str
) -> None:
    async with Bench().client(Accept=accept) as client:
        answer = await client.get(path)
    assert answer.status_code == 404
    assert answer.headers["content-type"].startswith(kind)


async def test_a_taken_port_stops_nothing_and_is_tried_again() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = int(taken.getsockname()[1])
        bench = Bench(WebSettings(port=port))
        running = asyncio.ensure_future(bench.server.run())
        async with asyncio.timeout(PATIENCE_S):
            await bench.server.ready.wait()
        assert bench.server.port is None
    await bench.clock.advance(30.0)
    await until(lambda: bench.server.port == port)
    async with httpx.AsyncClient() as client:
        answer = await client.get(f"http://127.0.0.1:{port}/healthz")
    assert answer.status_code == 503
    bench.state.stopping.set()
    async with asyncio.timeout(PATIENCE_S):
        await bench.server.close()
        await running
