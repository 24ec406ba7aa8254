"""One writer per device: who holds a device keeps every other program of this machine from it.

A held name is an abstract socket of the kernel (Linux): it goes with its process, however that
ends, so nothing stale is left behind; containers that share the machine's network share it too.
A site's folder is held by a lock on a file in it, which also holds where the folder is mounted.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import socket
import struct
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from contracts.errors import ConfigError
from site_agent.config import SiteSettings
from site_agent.config.devices import ModbusSettings, ProfileSettings
from site_agent.devices.modbus.settings import link_settings
from site_agent.devices.profiles.library import find

FILE = "writer.lock"
_NAME = "\0gridyard/writer/"
_ASKING = 128
"""Programs that may ask who holds a name: their questions stay in line, for nobody takes them."""
_PEER = struct.Struct("3i")
"""pid, uid, gid, as `SO_PEERCRED` tells them (unix(7))."""


def written(settings: SiteSettings) -> set[str]:
    """The devices of a site that are written to by where they are, such as `192.0.2.20:502/1`.

    Those on MQTT are not among them: there the broker decides who may command.

    Raises:
        ConfigError: a profile cannot be used.
    """
    devices = (*settings.batteries, *settings.pv, *settings.chargers)
    on_modbus = (one for one in devices if isinstance(one, ModbusSettings))
    return {f"{link_settings(one).where}/{unit_of(one)}" for one in on_modbus}


def unit_of(settings: ModbusSettings) -> int:
    """The unit id of a device: that of its settings, or its profile's usual one.

    Raises:
        ConfigError: its profile cannot be used.
    """
    if isinstance(settings, ProfileSettings) and settings.own_unit is None:
        return find(settings.profile).transport.unit_id
    return settings.unit


@contextmanager
def sole_writer(folder: Path, devices: Iterable[str]) -> Iterator[None]:
    """Hold a site's data folder and every device it may write to.

    `devices` are named by where they are (`written`).

    Raises:
        ConfigError: another program holds one of them; the message says which, and its pid.
    """
    with ExitStack() as held:
        held.enter_context(_folder(folder))
        for device in sorted(set(devices)):
            held.enter_context(_device(device))
        yield


@contextmanager
def _folder(folder: Path) -> Iterator[None]:
    path = folder / FILE
    try:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}") from error
    try:
        _lock(handle, folder)
        os.ftruncate(handle, 0)
        os.write(handle, b"%d\n" % os.getpid())
        yield
    finally:
        os.close(handle)


def _lock(handle: int, folder: Path) -> None:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        holder = os.pread(handle, 20, 0).decode("ascii", "replace").strip() or "unknown"
        raise ConfigError(f"{folder}: in use by process {holder}; end that first") from error


@contextmanager
def _device(name: str) -> Iterator[None]:
    address = _NAME + hashlib.sha256(name.encode()).hexdigest()
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as held:
        try:
            held.bind(address)
        except OSError as error:
            raise ConfigError(
                f"{name}: process {_holder(address)} of this machine already writes to it; "
                "a device has one writer"
            ) from error
        held.listen(_ASKING)
        yield


def _holder(address: str) -> str:
    """The pid behind a held name, where it can be told."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as asking:
        asking.settimeout(1.0)
        try:
            asking.connect(address)
            told = asking.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _PEER.size)
        except OSError:
            return "unknown"
    pid, *_ = _PEER.unpack(told)
    return str(pid)
