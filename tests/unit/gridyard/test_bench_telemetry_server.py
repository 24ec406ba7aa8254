"""Where PostgreSQL's programs are run from."""

from pathlib import Path

from gridyard.bench.telemetry_server import within_reach


def packaged(below: Path) -> Path:
    programs = below / "pg_package" / "install18" / "bin"
    programs.mkdir(parents=True)
    (programs / "initdb").write_text("a program", encoding="utf-8")
    libraries = below / "pg_package.libs"
    libraries.mkdir()
    (libraries / "libpq.so").write_text("a library", encoding="utf-8")
    return programs


def test_programs_below_a_closed_folder_are_copied_with_their_libraries(tmp_path: Path) -> None:
    closed, folder = tmp_path / "closed", tmp_path / "server"
    closed.mkdir()
    folder.mkdir()
    programs = packaged(closed)
    closed.chmod(0o700)
    found = within_reach(programs, folder)
    assert found == folder / "pg_package" / "install18" / "bin"
    assert (found / "initdb").read_text(encoding="utf-8") == "a program"
    beside = found.parents[2] / "pg_package.libs" / "libpq.so"
    assert beside.read_text(encoding="utf-8") == "a library"
