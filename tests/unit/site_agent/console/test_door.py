"""The local door: who may come in, what is answered, and what a rude guest cannot do."""

from __future__ import annotations

import asyncio
import json
import stat
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from contracts.errors import (
    ConfigError,
    GridyardError,
    LinkDownError,
    PermanentError,
    ProtocolError,
    TransientError,
)
from site_agent.console import door, messages
from site_agent.console.client import Console
from site_agent.console.door import FILE, Door

Json = Mapping[str, object]


async def echo(args: Json) -> AsyncGenerator[Json, None]:
    yield args
    yield {"again": args}


async def fails(args: Json) -> AsyncGenerator[Json, None]:
    yield {}
    raise {
        "offline": LinkDownError,
        "transient": TransientError,
        "permanent": PermanentError,
        "protocol": ProtocolError,
        "crash": RuntimeError,
    }[str(args["how"])]("as told")


class Endless:
    """Goes on until the guest has gone."""

    def __init__(self) -> None:
        self.ended = asyncio.Event()

    async def __call__(self, args: Json) -> AsyncGenerator[Json, None]:
        try:
            yield {"first": True}
            await asyncio.Event().wait()
        finally:
            self.ended.set()


@asynccontextmanager
async def opened(folder: Path, **more: object) -> AsyncIterator[Console]:
    commands = {"echo": echo, "fails": fails, **more}
    opening = Door(folder, commands)  # type: ignore[arg-type]
    async with asyncio.TaskGroup() as group:
        running = group.create_task(opening.run())
        await opening.ready.wait()
        try:
            yield Console(folder)
        finally:
            running.cancel()


async def items(console: Console, command: str, **args: object) -> list[Json]:
    return [item async for item in console.ask(command, **args)]


async def raw(folder: Path, data: bytes) -> Json:
    """What a guest who says this is answered."""
    told = json.loads((folder / FILE).read_text())
    reader, writer = await asyncio.open_connection(told["host"], told["port"])
    writer.write(data)
    answer = await messages.read(reader)
    writer.close()
    assert answer is not None
    return answer


async def test_items_come_in_order(tmp_path: Path) -> None:
    async with opened(tmp_path) as console:
        assert await items(console, "echo", a=1) == [{"a": 1}, {"again": {"a": 1}}]


async def test_the_file_is_private_and_goes_with_the_agent(tmp_path: Path) -> None:
    async with opened(tmp_path):
        assert stat.S_IMODE((tmp_path / FILE).stat().st_mode) == 0o600
    assert not (tmp_path / FILE).exists()


async def test_the_file_of_a_later_agent_stays(tmp_path: Path) -> None:
    async with opened(tmp_path):
        async with opened(tmp_path) as second:
            await items(second, "echo")
            later = (tmp_path / FILE).read_text()
        (tmp_path / FILE).write_text(later)
    assert (tmp_path / FILE).read_text() == later


@pytest.mark.parametrize(
    ("how", "kind"),
    [
        ("offline", LinkDownError),
        ("transient", TransientError),
        ("permanent", PermanentError),
        ("protocol", ProtocolError),
    ],
)
async def test_errors_keep_their_kind(tmp_path: Path, how: str, kind: type[GridyardError]) -> None:
    async with opened(tmp_path) as console:
        with pytest.raises(kind, match="as told") as told:
            await items(console, "fails", how=how)
    assert type(told.value) is kind


async def test_a_crash_is_told_and_harms_nobody(tmp_path: Path) -> None:
    async with opened(tmp_path) as console:
        with pytest.raises(PermanentError, match="internal error"):
            await items(console, "fails", how="crash")
        assert await items(console, "echo")


async def test_who_hangs_up_ends_the_command(tmp_path: Path) -> None:
    endless = Endless()
    async with opened(tmp_path, endless=endless) as console:
        answers = console.ask("endless")
        assert await anext(answers) == {"first": True}
        await answers.aclose()
        async with asyncio.timeout(60):
            await endless.ended.wait()


async def test_an_agent_that_stops_ends_its_commands(tmp_path: Path) -> None:
    endless = Endless()
    async with opened(tmp_path, endless=endless) as console:
        answers = console.ask("endless")
        await anext(answers)
    with pytest.raises(LinkDownError, match="has stopped"):
        await anext(answers)
    assert endless.ended.is_set()


@pytest.mark.parametrize(
    ("said", "answer"),
    [
        (b'{"token": "guess", "command": "echo", "args": {}}\n', "wrong key"),
        (b'{"command": "echo", "args": {}}\n', "wrong key"),
        (b'{"token": "\\ud800", "command": "echo", "args": {}}\n', "wrong key"),
        (b"[]\n", "no JSON object"),
        (b"GET / HTTP/1.1\r\n", "no JSON"),
        (b"[" * 100_000 + b"\n", "no JSON"),
        (b"x" * 300_000 + b"\n", "too long"),
    ],
)
async def test_strangers_are_turned_away(tmp_path: Path, said: bytes, answer: str) -> None:
    async with opened(tmp_path) as console:
        error = (await raw(tmp_path, said))["error"]
        assert isinstance(error, dict)
        assert answer in error["text"]
        assert await items(console, "echo")


async def test_the_right_key_with_nonsense(tmp_path: Path) -> None:
    async with opened(tmp_path) as console:
        with pytest.raises(PermanentError, match="no such command"):
            await items(console, "reboot-the-moon")
        token = json.loads((tmp_path / FILE).read_text())["token"]
        said = messages.line({"token": token, "command": "echo", "args": []})
        assert (await raw(tmp_path, said))["error"] == {
            "kind": "protocol",
            "text": "args is no JSON object",
        }


async def test_guests_are_counted(tmp_path: Path) -> None:
    endless = Endless()
    async with opened(tmp_path, endless=endless) as console:
        inside = [console.ask("endless") for _ in range(16)]
        for one in inside:
            await anext(one)
        with pytest.raises(PermanentError, match="too many"):
            await items(console, "echo")
        await inside[0].aclose()

        async def admitted() -> bool:
            try:
                return bool(await items(console, "echo"))
            except PermanentError:
                return False

        async with asyncio.timeout(60):
            while not await admitted():  # noqa: ASYNC110 (only asking tells)
                await asyncio.sleep(0.01)
        for one in inside[1:]:
            await one.aclose()


async def test_nobody_at_home(tmp_path: Path) -> None:
    with pytest.raises(LinkDownError, match="no agent runs"):
        await items(Console(tmp_path), "echo")
    with pytest.raises(ConfigError, match="no such folder"):
        await items(Console(tmp_path / "elsewhere"), "echo")
    (tmp_path / FILE).write_text('{"port": 1, "token": "left behind"}')
    with pytest.raises(LinkDownError, match="no agent runs"):
        await items(Console(tmp_path), "echo")
    (tmp_path / FILE).write_text("{")
    with pytest.raises(ProtocolError, match="not an agent's file"):
        await items(Console(tmp_path), "echo")


async def test_a_silent_guest_holds_nobody_up_and_is_shown_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opened(tmp_path) as console:
        told = json.loads((tmp_path / FILE).read_text())
        patient, first = await asyncio.open_connection(told["host"], told["port"])
        assert await items(console, "echo")
        assert not patient.at_eof()
        monkeypatch.setattr(door, "_REQUEST_S", 0.01)
        hurried, second = await asyncio.open_connection(told["host"], told["port"])
        async with asyncio.timeout(60):
            assert await hurried.read() == b""
        first.close()
        second.close()


async def test_a_guest_who_does_not_listen_is_shown_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told, ended = {"text": "x" * 1_000_000}, asyncio.Event()

    async def flood(args: Json) -> AsyncGenerator[Json, None]:
        try:
            while True:
                yield told
        finally:
            ended.set()

    monkeypatch.setattr(door, "_TAKE_S", 0.01)
    async with opened(tmp_path, flood=flood) as console:
        unread = console.ask("flood")
        assert await anext(unread) == told
        async with asyncio.timeout(60):
            await ended.wait()
        await unread.aclose()
        assert await items(console, "echo")


async def test_an_answer_too_large_is_an_error(tmp_path: Path) -> None:
    async def huge(args: Json) -> AsyncGenerator[Json, None]:
        yield {"text": "x" * messages.LARGEST_ANSWER}

    async with opened(tmp_path, huge=huge) as console:
        with pytest.raises(PermanentError, match="too large"):
            await items(console, "huge")
