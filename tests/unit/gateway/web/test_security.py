"""What other web sites in the same browser can do here: nothing."""

import httpx
import pytest
from starlette.datastructures import Headers

from contracts.errors import TransientError
from contracts.web.guard import CONTENT_SECURITY_POLICY, host_name, same_origin
from gateway.web.app import MAX_BODY_BYTES
from support.gateway_web import EVENT_URL, World

OPT_OUT = f"{EVENT_URL}/opt-out"


@pytest.mark.parametrize("path", ["/", "/nope", "/api/v1/sites", "/static/app.css", "/metrics"])
async def test_every_answer_carries_the_policy(bare_reader: httpx.AsyncClient, path: str) -> None:
    headers = (await bare_reader.get(path)).headers
    assert headers["content-security-policy"] == CONTENT_SECURITY_POLICY
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert headers["referrer-policy"] == "same-origin"
    assert "unsafe" not in CONTENT_SECURITY_POLICY


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Sec-Fetch-Site": "same-origin"}, 303),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Origin": "http://localhost:8080"}, 303),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://localhost:9999"}, 403),
        ({}, 303),  # a program, which carries no one else's authority
    ],
)
async def test_changes_come_from_our_own_pages(
    client: httpx.AsyncClient, world: World, headers: dict[str, str], status: int
) -> None:
    answer = await client.post(OPT_OUT, data={"site": "harbor"}, headers=headers)
    assert answer.status_code == status
    assert len(world.actions.done) == (1 if status == 303 else 0)


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost", 200),
        ("LOCALHOST:1234", 200),
        ("127.0.0.1:8080", 200),
        ("[::1]:8080", 200),
        ("evil.example", 400),  # a name re-bound to this machine
        ("localhost.evil.example", 400),
        ("", 400),
    ],
)
async def test_only_our_own_names_are_served(
    bare_reader: httpx.AsyncClient, host: str, status: int
) -> None:
    answer = await bare_reader.get("/api/v1/sites", headers={"Host": host})
    assert answer.status_code == status


@pytest.mark.parametrize(
    ("host", "name"),
    [("a:80", "a"), ("[::1]:80", "[::1]"), ("[::1]", "[::1]"), ("A", "a"), ("", "")],
)
def test_host_names(host: str, name: str) -> None:
    assert host_name(host) == name


def test_the_browsers_own_word_outranks_origin() -> None:
    assert not same_origin(Headers({"sec-fetch-site": "cross-site", "host": "a"}))
    assert same_origin(Headers({"host": "a:1", "origin": "https://a:1"}))


async def test_a_large_body_is_refused_unread(client: httpx.AsyncClient, world: World) -> None:
    answer = await client.post(OPT_OUT, content=b"site=harbor&reason=" + b"x" * MAX_BODY_BYTES)
    assert answer.status_code == 413
    assert world.actions.done == []


async def test_a_busy_store_is_told_as_such(
    client: httpx.AsyncClient, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def busy(*_: object, **__: object) -> None:
        raise TransientError("database: locked")

    monkeypatch.setattr(type(world.ledger), "events", busy)
    answer = await client.get("/api/v1/events")
    ready = await client.get("/readyz")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert answer.json()["detail"] == "database: locked"
    assert (ready.status_code, (await client.get("/healthz")).status_code) == (503, 200)


async def test_static_files_are_kept_only_under_their_hash(reader: httpx.AsyncClient) -> None:
    hashed = await reader.get("/static/app.css?v=0123456789ab")
    plain = await reader.get("/static/app.css")
    assert "immutable" in hashed.headers["cache-control"]
    assert plain.headers["cache-control"] == "no-cache"
    assert (await reader.get("/static/../app.py")).status_code == 404
    assert (await reader.get("/static/%2e%2e/app.py")).status_code == 404
