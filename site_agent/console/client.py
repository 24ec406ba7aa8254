"""A person's side of the console."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator
from pathlib import Path

from contracts.errors import ConfigError, LinkDownError, ProtocolError
from site_agent.console import messages
from site_agent.console.door import FILE
from site_agent.console.messages import Json

_LARGEST_FILE = 4096


class Console:
    """The console of the agent with this data folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def ask(self, command: str, **args: object) -> AsyncGenerator[Json, None]:
        """Run a command; its items as they come.

        Raises:
            ConfigError: there is no such folder, or its file may not be read.
            LinkDownError: no agent runs there, or it has stopped in between.
            GridyardError: what the command raised.
        """
        port, token = self._address()
        reader, writer = await self._connect(port)
        try:
            writer.write(messages.line({"token": token, "command": command, "args": args}))
            await writer.drain()
            while (answer := await messages.read(reader)) is not None:
                if "error" in answer:
                    raise messages.raised(answer["error"])
                if "item" not in answer:
                    return
                item = answer["item"]
                yield item if isinstance(item, dict) else {}
            raise LinkDownError("the agent has stopped")
        except ConnectionError as error:
            raise LinkDownError("the agent has stopped") from error
        finally:
            writer.close()

    async def _connect(self, port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        try:
            return await asyncio.open_connection("127.0.0.1", port, limit=messages.LARGEST_ANSWER)
        except OSError as error:
            raise self._nobody() from error

    def _address(self) -> tuple[int, str]:
        if not self._folder.is_dir():
            raise ConfigError(f"{self._folder}: no such folder; is it the agent's data folder?")
        path = self._folder / FILE
        try:
            told = json.loads(path.read_bytes()[:_LARGEST_FILE])
            return int(told["port"]), str(told["token"])
        except FileNotFoundError as error:
            raise self._nobody() from error
        except OSError as error:
            raise ConfigError(f"{path}: {error.strerror}; run this as the agent's user") from error
        except (ValueError, TypeError, KeyError) as error:
            raise ProtocolError(f"{path}: not an agent's file") from error

    def _nobody(self) -> LinkDownError:
        return LinkDownError(
            f"no agent runs on {self._folder}; start it with `gridyard site --config FILE`"
        )
