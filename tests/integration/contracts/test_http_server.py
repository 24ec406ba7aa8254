"""The serving helper with real sockets."""

from __future__ import annotations

import asyncio
import socket
import statistics
import time
from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import FastAPI
from fastapi.responses import StreamingResponse
from pydantic import BaseModel

from contracts.errors import PermanentError
from contracts.http_problem import install_problem_handlers
from contracts.http_server import serve

HOST = "127.0.0.1"


class Body(BaseModel):
    count: int


def application(stopping: asyncio.Event | None = None) -> FastAPI:
    app = FastAPI()
    install_problem_handlers(app)

    @app.get("/hello")
    async def hello() -> str:
        return "hello"

    @app.post("/count")
    async def count(body: Body) -> int:
        return body.count

    @app.get("/crash")
    async def crash() -> None:
        raise RuntimeError("secret detail")

    @app.get("/endless")
    async def endless() -> StreamingResponse:
        async def forever() -> AsyncIterator[bytes]:
            yield b"one\n"
            await (stopping or asyncio.Event()).wait()

        return StreamingResponse(forever())

    return app


class Running:
    """A server in a task of the test's own group."""

    def __init__(self, tasks: asyncio.TaskGroup, app: FastAPI, port: int = 0) -> None:
        self.stopping = asyncio.Event()
        self._port: asyncio.Future[int] = asyncio.Future()
        self.task = tasks.create_task(
            serve(app, host=HOST, port=port, stopping=self.stopping, ready=self._port.set_result)
        )

    async def url(self) -> str:
        return f"http://{HOST}:{await self._port}"


async def test_serves_until_stopped() -> None:
    async with asyncio.TaskGroup() as tasks:
        running = Running(tasks, application())
        url = await running.url()
        async with httpx.AsyncClient(base_url=url) as client:
            answer = await client.get("/hello")
            assert answer.json() == "hello"
            assert "server" not in answer.headers
        running.stopping.set()
    async with httpx.AsyncClient() as client:
        with pytest.raises(httpx.ConnectError):
            await client.get(f"{url}/hello")


async def test_several_in_one_process_are_apart() -> None:
    async with asyncio.TaskGroup() as tasks, httpx.AsyncClient() as client:
        one, two = Running(tasks, application()), Running(tasks, application())
        first, second = await one.url(), await two.url()
        assert first != second
        one.stopping.set()
        await one.task
        assert (await client.get(f"{second}/hello")).json() == "hello"
        two.stopping.set()


async def test_answers_on_a_kept_connection_do_not_wait_for_acknowledgements() -> None:
    async with asyncio.TaskGroup() as tasks, httpx.AsyncClient() as client:
        running = Running(tasks, application())
        url = await running.url()
        took = []
        for count in range(15):
            began = time.perf_counter()
            await client.post(f"{url}/count", json={"count": count})
            took.append(time.perf_counter() - began)
        assert statistics.median(took) < 0.03, "a delayed acknowledgement costs 0.04 s"
        running.stopping.set()


async def test_a_busy_port_is_named() -> None:
    with socket.create_server((HOST, 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(PermanentError, match=f"port {port}"):
            await serve(application(), host=HOST, port=port, stopping=asyncio.Event())


async def test_an_endless_answer_does_not_hold_up_the_end() -> None:
    async with asyncio.TaskGroup() as tasks, httpx.AsyncClient() as client:
        stopping = asyncio.Event()
        running = Running(tasks, application(stopping))
        async with client.stream("GET", f"{await running.url()}/endless") as answer:
            lines = answer.aiter_lines()
            assert await anext(lines) == "one"
            stopping.set()
            running.stopping.set()
            async with asyncio.timeout(1.5):
                await running.task


async def test_cancelling_frees_the_port_at_once() -> None:
    async with asyncio.TaskGroup() as tasks, httpx.AsyncClient() as client:
        running = Running(tasks, application())
        url = await running.url()
        async with client.stream("GET", f"{url}/endless") as answer:
            assert await anext(answer.aiter_lines()) == "one"
            running.task.cancel()
            await asyncio.wait([running.task], timeout=1.0)
            assert running.task.cancelled()
        with pytest.raises(httpx.ConnectError):
            await client.get(f"{url}/hello")


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "/nowhere", None, 404),
        ("DELETE", "/hello", None, 405),
        ("POST", "/count", {"count": "x"}, 422),
        ("GET", "/crash", None, 500),
    ],
)
async def test_every_error_is_a_problem_document(
    method: str, path: str, body: dict[str, str] | None, status: int
) -> None:
    transport = httpx.ASGITransport(application(), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        answer = await client.request(method, path, json=body)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    document = answer.json()
    assert (document["status"], document["instance"]) == (status, path)
    assert "secret" not in answer.text
    if status == 405:
        assert answer.headers["allow"] == "GET"
    if status == 422:
        assert document["errors"][0]["pointer"] == "/count"
