"""The command line, from typer's own description of it."""
# ruff: noqa: INP001 (a script's part, not of a package)

from __future__ import annotations

import inspect
from collections.abc import Iterator, Sequence
from typing import Any

import typer.main
from typer.core import TyperGroup

from gridyard.cli import app
from gridyard.runner import Exit

_USAGE = """\
`gridyard [OPTIONS] COMMAND [ARGS]`. Logs go to stderr, answers to stdout. SIGINT and SIGTERM stop a
program in order; a second one stops it at once. `--help` works everywhere.
"""


def page(made: str) -> str:
    """The page; `made` says that nobody writes it by hand."""
    group = typer.main.get_command(app)
    assert isinstance(group, TyperGroup)  # noqa: S101 (it has commands)
    lines = [
        "# Command line",
        "",
        made,
        "",
        *_USAGE.splitlines(),
        "",
        *_parameters(group.params),
        "",
        "## Exit codes",
        "",
        "| code | meaning |",
        "|---|---|",
        f"| {Exit.OK} | done, or stopped by a signal |",
        f"| {Exit.FAILED} | failed, and the last line says why |",
        "| 2 | wrong usage |",
        f"| {Exit.CONFIG} | a settings file cannot be used; file, line and key are named |",
    ]
    for name, command in _commands(group):
        lines += ["", f"## {name}", "", f"`{_usage(name, command.params)}`", ""]
        lines += [inspect.cleandoc(command.help or "")]
        lines += ["", *_parameters(command.params)] if command.params else []
    return "\n".join(lines) + "\n"


def _commands(group: TyperGroup, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """(name as typed, command) of every command, those of groups after their group's name."""
    for name, command in group.commands.items():
        if isinstance(command, TyperGroup):
            if command.invoke_without_command:
                yield f"{prefix}{name}", command
            yield from _commands(command, f"{prefix}{name} ")
        else:
            yield f"{prefix}{name}", command


def _usage(name: str, parameters: Sequence[Any]) -> str:
    arguments = [one for one in parameters if one.param_type_name == "argument"]
    words = [one.name.upper() if one.required else f"[{one.name.upper()}]" for one in arguments]
    return " ".join(["gridyard", name, "[OPTIONS]", *words])


def _parameters(parameters: Sequence[Any]) -> list[str]:
    rows = ["| option | default | meaning |", "|---|---|---|"]
    for parameter in parameters:
        is_option = parameter.param_type_name == "option"
        name = ", ".join(parameter.opts) if is_option else (parameter.name or "").upper()
        flag = getattr(parameter, "is_flag", False)
        default = "required" if parameter.required else default_text(parameter.default)
        rows.append(
            f"| `{name}` | {'off' if flag else default} | {getattr(parameter, 'help', '')} |"
        )
    return rows


def default_text(value: Any) -> str:  # noqa: ANN401 (whatever JSON holds)
    """A default as a reader sees it."""
    if isinstance(value, dict):
        return "its own defaults"
    if value is None:
        return "none"
    if value in ([], ""):
        return "empty"
    if isinstance(value, list):
        return ", ".join(f"`{one}`" for one in value)
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"
