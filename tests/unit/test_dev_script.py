"""./dev as a stranger meets it: from another folder, with a wrong word, with an old Python."""

import os
import subprocess
from pathlib import Path

DEV = Path(__file__).parents[2] / "dev"


def dev(*args: str, cwd: Path, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["/bin/sh", str(DEV), *args],
        cwd=cwd,
        env=os.environ | env,
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )


def test_help_names_every_command(tmp_path: Path) -> None:
    result = dev("help", cwd=tmp_path)
    assert result.returncode == 0
    for command in ("demo", "test", "check", "bench", "run", "lock", "clean"):
        assert f"  {command} " in result.stdout


def test_a_wrong_word_is_answered_with_the_right_ones(tmp_path: Path) -> None:
    result = dev("tset", cwd=tmp_path)
    assert result.returncode == 1
    assert "unknown command: tset" in result.stderr
    assert "./dev COMMAND" in result.stderr


def test_an_old_python_is_told_what_is_needed(tmp_path: Path) -> None:
    tools = tmp_path / "bin"
    tools.mkdir()
    for name in ("dirname", "basename", "cat"):
        (tools / name).symlink_to(f"/usr/bin/{name}")
    old = tools / "python3"
    old.write_text('#!/bin/sh\n[ "$1" = --version ] && echo "Python 3.9.2"\nexit 1\n')
    old.chmod(0o755)
    result = dev("demo", cwd=tmp_path, PATH=str(tools), PYTHON="")
    assert result.returncode == 1
    assert "needs Python 3.11 or newer (found: Python 3.9.2)" in result.stderr
