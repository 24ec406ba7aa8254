"""The agent's side of the console: loopback only, one command a connection."""

from __future__ import annotations

import asyncio
import hmac
import json
import os
import secrets
from collections.abc import Mapping
from contextlib import aclosing, suppress
from pathlib import Path

import structlog

from contracts.errors import ConfigError, GridyardError, PermanentError, ProtocolError
from contracts.private_files import write_private
from contracts.tasks import first_of
from site_agent.console import messages
from site_agent.console.messages import Json
from site_agent.ports import Command

FILE = "operator.json"
"""In the agent's data folder: address and key, for whoever may read its files."""
_HOST = "127.0.0.1"
_MOST_GUESTS = 16
_REQUEST_S = 5.0
"""How long a guest may take to say what it wants, s."""
_TAKE_S = 20.0
"""How long a guest may leave an answer unread, s."""
_log = structlog.get_logger(__name__)


class Door:
    """Lets people with the key run `commands`; see `messages` for what is said."""

    def __init__(self, folder: Path, commands: Mapping[str, Command]) -> None:
        self._file = folder / FILE
        self._commands = commands
        self._token = secrets.token_urlsafe(32)
        self._guests = 0
        self.ready = asyncio.Event()
        """Set once the file is there."""

    async def run(self) -> None:
        """Serve until cancelled; the file is removed then.

        Raises:
            ConfigError: the file cannot be written.
        """
        async with asyncio.TaskGroup() as group:
            server = await asyncio.start_server(
                lambda reader, writer: group.create_task(self._guest(reader, writer)),
                _HOST,
                0,
                limit=messages.LARGEST_REQUEST,
                start_serving=False,  # else one who is cancelled just now leaves its socket open
            )
            try:
                await server.start_serving()
                self._publish(server.sockets[0].getsockname()[1])
                self.ready.set()
                await asyncio.Future()
            finally:
                server.close()
                self._withdraw()

    def _publish(self, port: int) -> None:
        told = {"host": _HOST, "port": port, "token": self._token, "pid": os.getpid()}
        try:
            write_private(self._file, json.dumps(told).encode())
        except OSError as error:
            raise ConfigError(f"{self._file}: cannot be written: {error.strerror}") from error

    def _withdraw(self) -> None:
        """Remove the file, unless another agent has put its own there."""
        with suppress(OSError):
            if self._token in self._file.read_text():
                self._file.unlink()

    # --- guests -----------------------------------------------------------------------------------

    async def _guest(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._guests += 1
        try:
            await self._converse(reader, writer)
        finally:
            self._guests -= 1
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(_REQUEST_S):
                request = await messages.read(reader)
            command, args = self._asked(request or {})
            await first_of(_answer(command, args, writer), _gone(reader))
        except* GridyardError as group:
            await _complain(writer, _first(group))
        except* (ConnectionError, TimeoutError):
            _log.debug("console: a guest does not listen")
        except* Exception:  # one command's fault must not stop the depot
            _log.exception("console: command failed")
            await _complain(writer, PermanentError("internal error; see the agent's log"))

    def _asked(self, request: Json) -> tuple[Command, Json]:
        if self._guests > _MOST_GUESTS:
            raise PermanentError("too many commands run at once")
        token, name, args = (request.get(key) for key in ("token", "command", "args"))
        if not isinstance(token, str) or not hmac.compare_digest(
            token.encode(errors="replace"), self._token.encode()
        ):
            _log.warning("console: wrong key")
            raise PermanentError("wrong key")
        if not isinstance(name, str) or name not in self._commands:
            raise PermanentError(f"no such command: {str(name)[:50]}")
        if not isinstance(args, dict):
            raise ProtocolError("args is no JSON object")
        return self._commands[name], args


async def _answer(command: Command, args: Json, writer: asyncio.StreamWriter) -> None:
    async with aclosing(command(args)) as items:
        async for item in items:
            await _say(writer, {"item": item})
    await _say(writer, {"end": True})


async def _say(writer: asyncio.StreamWriter, message: Json) -> None:
    data = messages.line(message)
    if len(data) > messages.LARGEST_ANSWER:
        data = messages.line(messages.error_of(PermanentError("the answer is too large")))
    async with asyncio.timeout(_TAKE_S):
        writer.write(data)
        await writer.drain()


async def _complain(writer: asyncio.StreamWriter, error: GridyardError) -> None:
    with suppress(ConnectionError, TimeoutError):
        await _say(writer, messages.error_of(error))


async def _gone(reader: asyncio.StreamReader) -> None:
    """Return when the guest hangs up; what else it says is not listened to."""
    while await reader.read(1024):
        pass


def _first(group: BaseExceptionGroup[GridyardError]) -> GridyardError:
    found: BaseException = group
    while isinstance(found, BaseExceptionGroup):
        found = found.exceptions[0]
    assert isinstance(found, GridyardError)  # noqa: S101 (what `except*` selected)
    return found
