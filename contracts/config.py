"""Load a YAML settings file into a pydantic model; a mistake is named by file, line and key."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from contracts.errors import ConfigError

MAX_CONFIG_BYTES = 1 << 20


class Settings(BaseModel):
    """Base of every settings model: unknown keys are mistakes, values are frozen."""

    model_config = ConfigDict(extra="forbid", frozen=True)


Model = TypeVar("Model", bound=BaseModel)


def load(path: Path, model: type[Model]) -> Model:
    """Read `path` into `model`.

    Raises:
        ConfigError: missing, unreadable, not YAML, or a value the model refuses; the message
            names the file, the line, the key and what was expected.
    """
    return loads(read_text(path), model, name=str(path))


def read_text(path: Path) -> str:
    """What a settings file says.

    Raises:
        ConfigError: missing, unreadable or too large.
    """
    try:
        text = path.read_bytes()[: MAX_CONFIG_BYTES + 1].decode()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read: {error}") from error
    if len(text) > MAX_CONFIG_BYTES:
        raise ConfigError(f"{path}: larger than {MAX_CONFIG_BYTES} bytes")
    return text


def loads(text: str, model: type[Model], *, name: str) -> Model:
    """As `load`, from text; `name` stands for the file in messages."""
    try:
        tree = yaml.compose(text, Loader=yaml.SafeLoader)
        data = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ConfigError(f"{name}: not YAML: {_one_line(error)}") from error
    try:
        return model.model_validate({} if data is None else data)
    except ValidationError as error:
        faults = error.errors(include_url=False, include_input=False)
        lines = [
            f"{name}:{line_of(tree, fault['loc'])}: {key_text(fault['loc'])}: {fault['msg']}"
            for fault in faults
        ]
        raise ConfigError("\n".join(lines)) from error


def key_text(loc: tuple[int | str, ...]) -> str:
    """The way to a fault, as people write it."""
    return ".".join(str(part) for part in loc) or "(whole file)"


def line_of(node: yaml.Node | None, loc: tuple[int | str, ...]) -> int:
    """Line (from 1) of the deepest node on the way to `loc` that the file really has."""
    line = node.start_mark.line + 1 if node else 1
    for part in loc:
        child = _child(node, part)
        if child is None:
            continue  # a union's tag or a missing key: stay where we are
        key_line, node = child
        line = key_line
    return line


def _child(node: yaml.Node | None, part: int | str) -> tuple[int, yaml.Node] | None:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.value == str(part):
                return key.start_mark.line + 1, value
    if isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
        item = node.value[part]
        return item.start_mark.line + 1, item
    return None


def _one_line(error: yaml.YAMLError) -> str:
    mark = getattr(error, "problem_mark", None)
    where = f"line {mark.line + 1}: " if mark else ""
    return where + str(getattr(error, "problem", None) or error).replace("\n", " ")
