"""The supervisor against the real binary."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from contracts.clock import SystemClock
from contracts.errors import ConfigError
from contracts.nats_server import NatsServer

PLAIN = {"host": "127.0.0.1", "port": -1}


@asynccontextmanager
async def running(server: NatsServer) -> AsyncIterator[None]:
    async with asyncio.TaskGroup() as group:
        task = group.create_task(server.run())
        async with asyncio.timeout(60):
            await server.ready.wait()
        yield
        task.cancel()


async def greeting(port: int) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    line = await reader.readline()
    writer.close()
    await writer.wait_closed()
    return line


async def test_ready_means_that_the_port_answers(tmp_path: Path) -> None:
    server = NatsServer(PLAIN, tmp_path / "nats", SystemClock())
    async with running(server):
        assert (await greeting(server.port)).startswith(b"INFO {")


async def test_its_configuration_is_private(tmp_path: Path) -> None:
    server = NatsServer(PLAIN, tmp_path / "nats", SystemClock())
    async with running(server):
        assert (tmp_path / "nats").stat().st_mode & 0o777 == 0o700
        assert (tmp_path / "nats/nats-server.json").stat().st_mode & 0o777 == 0o600


async def test_cancelled_it_is_gone(tmp_path: Path) -> None:
    server = NatsServer(PLAIN, tmp_path, SystemClock())
    async with running(server):
        pid, port = server.pid, server.port
    assert pid is not None
    assert not server.ready.is_set()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    with pytest.raises(ConnectionRefusedError):
        await greeting(port)


async def test_killed_it_comes_back_on_the_same_port(tmp_path: Path) -> None:
    server = NatsServer(PLAIN, tmp_path, SystemClock())
    async with running(server), asyncio.timeout(60):
        pid, port = server.pid, server.port
        assert pid is not None
        server.ready.clear()  # so that only the next start can set it
        os.kill(pid, signal.SIGKILL)
        await server.ready.wait()
        assert server.pid != pid
        assert server.port == port
        assert (await greeting(port)).startswith(b"INFO {")


async def test_a_configuration_it_refuses_is_an_error_with_its_own_words(tmp_path: Path) -> None:
    server = NatsServer({"port": "nonsense"}, tmp_path, SystemClock())
    with pytest.raises(ConfigError, match=r"nats-server\.json:2:4"):
        await server.run()


PROGRAM = """
import asyncio, structlog, sys
from pathlib import Path
from contracts.clock import SystemClock
from contracts.nats_server import NatsServer

async def main():
    config = {"host": "127.0.0.1", "port": int(sys.argv[2])}
    server = NatsServer(config, Path(sys.argv[1]), SystemClock())
    async with asyncio.TaskGroup() as group:
        group.create_task(server.run())
        await server.ready.wait()
        print(server.pid, server.port, flush=True)

structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
asyncio.run(main())
"""


async def program(folder: Path, port: int) -> tuple[asyncio.subprocess.Process, int, int]:
    """A program with a server of its own; its process, the server's pid and port."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", PROGRAM, str(folder), str(port)), stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout
    pid, port = map(int, (await process.stdout.readline()).split())
    return process, pid, port


async def test_it_dies_with_a_killed_program_and_never_blocks_the_next(tmp_path: Path) -> None:
    first, server_pid, port = await program(tmp_path, -1)
    pidfd = os.pidfd_open(server_pid)
    died = asyncio.Event()
    asyncio.get_running_loop().add_reader(pidfd, died.set)
    first.kill()
    async with asyncio.timeout(60):
        await first.wait()
        await died.wait()
    asyncio.get_running_loop().remove_reader(pidfd)
    os.close(pidfd)

    second, _, same_port = await program(tmp_path, port)
    assert same_port == port
    assert (await greeting(port)).startswith(b"INFO {")
    second.kill()
    await second.wait()


async def test_another_configuration_is_in_force_and_clients_stay(tmp_path: Path) -> None:
    server = NatsServer(PLAIN, tmp_path, SystemClock())
    async with running(server):
        pid = server.pid
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        await reader.readline()
        await server.reload({**PLAIN, "max_payload": 4096})
        assert b'"max_payload":4096,' in await greeting(server.port)
        writer.write(b'CONNECT {"verbose":true}\r\nPING\r\n')
        async with asyncio.timeout(60):
            while b"PONG" not in await reader.readline():
                pass
        writer.close()
        assert server.pid == pid


async def test_what_cannot_be_changed_while_it_runs_is_changed_by_a_restart(tmp_path: Path) -> None:
    server = NatsServer(PLAIN, tmp_path, SystemClock())
    async with running(server):
        pid, port = server.pid, server.port
        await server.reload({**PLAIN, "server_name": "other"})
        assert b'"server_name":"other"' in await greeting(server.port)
        assert server.pid != pid
        assert server.port == port


async def test_a_configuration_it_refuses_changes_nothing(tmp_path: Path) -> None:
    server = NatsServer({**PLAIN, "max_payload": 8192}, tmp_path, SystemClock())
    async with running(server):
        with pytest.raises(ConfigError):
            await server.reload({**PLAIN, "max_payload": "nonsense"})
        assert b'"max_payload":8192,' in await greeting(server.port)
        assert "nonsense" not in (tmp_path / "nats-server.json").read_text()
