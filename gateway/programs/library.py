"""The templates that come with the gateway, and program files of one's own."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from importlib import resources
from pathlib import Path

from contracts.config import load, loads
from contracts.errors import ConfigError
from gateway.domain.program import Program, Rules
from gateway.programs.schema import ProgramFile

SUFFIX = ".yaml"
_FOLDER = resources.files("gateway") / "programs" / "templates"


def names() -> tuple[str, ...]:
    """Of every template."""
    return tuple(
        sorted(one.name.removesuffix(SUFFIX) for one in _FOLDER.iterdir() if _is_file(one.name))
    )


def every() -> Iterator[ProgramFile]:
    """Every template."""
    return (template(name) for name in names())


@cache
def template(name: str) -> ProgramFile:
    """One template by its name.

    Raises:
        ConfigError: there is none of that name.
    """
    if name not in names():
        raise ConfigError(f"there is no program template {name!r}; there are: {', '.join(names())}")
    text = (_FOLDER / f"{name}{SUFFIX}").read_text(encoding="utf-8")
    return loads(text, ProgramFile, name=f"{name}{SUFFIX}")


def found(name: str) -> ProgramFile:
    """A template by its name, or a file by its path.

    Raises:
        ConfigError: there is neither, or the file is wrong; it names file, line and field.
    """
    return load(Path(name), ProgramFile) if name.endswith((SUFFIX, ".yml")) else template(name)


def program(file: ProgramFile) -> Program:
    """The rules of a file as a program of nobody, to be explained or tried."""
    return Program(
        program_id=file.template,
        name=file.title,
        utility_id="",
        template=file.template,
        zone=file.time_zone,
        rules=file.rules.over(Rules()),
        baseline=file.baseline.method(),
        measurement_interval=file.measurement_interval,
        emergency=file.emergency,
    )


def _is_file(name: str) -> bool:
    return name.endswith(SUFFIX)
