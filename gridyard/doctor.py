"""`gridyard doctor`: can this machine run the system, and if not, what to do about it."""

from __future__ import annotations

import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from zoneinfo import ZoneInfo


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One finding."""

    name: str
    ok: bool
    detail: str
    hint: str = ""
    required: bool = True

    def as_dict(self) -> dict[str, object]:
        """For `--json`."""
        return asdict(self)


def examine() -> list[Check]:
    """Run every check; none raises."""
    probes: list[tuple[str, Callable[[], str], str, bool]] = [
        ("python", _python, "install Python 3.11 or newer", True),
        ("tls", _tls, "use a Python built against OpenSSL 1.1.1 or newer", True),
        ("nats-server", _nats_server, "reinstall with: ./dev clean && ./dev demo", True),
        ("time zones", _zones, "reinstall the tzdata package", True),
        ("pdf", _pdf, "reinstall the typst package", True),
        ("openadr schemas", _schemas, "reinstall the openleadr package", True),
        ("loopback sockets", _loopback, "allow listening on 127.0.0.1", True),
        ("disk", _disk, "free some space: telemetry needs about 1 GB a year and site", True),
        ("browser", _browser, "only tests/browser needs it: install chromium", False),
    ]
    return [_check(name, probe, hint, required) for name, probe, hint, required in probes]


def _check(name: str, probe: Callable[[], str], hint: str, required: bool) -> Check:
    try:
        return Check(name=name, ok=True, detail=probe(), required=required)
    except Exception as error:  # a check that crashes is a failed check
        return Check(name=name, ok=False, detail=str(error), hint=hint, required=required)


def _python() -> str:
    if sys.version_info < (3, 11):  # noqa: UP036 (doctor may be started by any Python)
        raise RuntimeError(sys.version)
    return sys.version.split()[0]


def _tls() -> str:
    if not ssl.HAS_TLSv1_2:
        raise RuntimeError(f"{ssl.OPENSSL_VERSION} has no TLS 1.2")
    return ssl.OPENSSL_VERSION


def _nats_server() -> str:
    from contracts.nats_server import binary

    done = subprocess.run([binary(), "--version"], capture_output=True, text=True, check=True)  # noqa: S603 (our own binary)
    return done.stdout.strip()


def _zones() -> str:
    return str(ZoneInfo("America/Los_Angeles"))


def _pdf() -> str:
    import typst

    pdf = typst.compile(b"= A page")
    return f"typst set a page of {len(pdf)} bytes"


def _schemas() -> str:
    from contracts.openadr import codec, schema
    from contracts.openadr.payloads import Poll

    schema.validate(codec.encode(Poll(ven_id="doctor")))
    return "a message validates"


def _loopback() -> str:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return f"port {listener.getsockname()[1]} was free"


def _disk() -> str:
    free = shutil.disk_usage(Path.cwd()).free
    if free < 1 << 30:
        raise RuntimeError(f"{free / 2**30:.1f} GiB free")
    with tempfile.NamedTemporaryFile() as probe:
        probe.write(b"x")
    return f"{free / 2**30:.0f} GiB free"


def _browser() -> str:
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if path := shutil.which(name):
            return path
    raise RuntimeError("none found")
