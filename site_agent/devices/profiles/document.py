"""YAML from a stranger: small, shallow, without aliases, tags or keys that come twice."""

from __future__ import annotations

import json
import re
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from contracts.config import key_text, line_of
from contracts.errors import ConfigError

MAX_BYTES = 64 * 1024
MAX_DEPTH = 12
MAX_NODES = 6000
_NUMBER = re.compile(r"[-+]?(\d[\d_]*(\.\d*)?|\.\d+)([eE][-+]?\d+)?")
_HINT = "a number was wanted, but YAML reads {0!r} as text: no quotes; write -2e6 as -2.0e+6"

Model = TypeVar("Model", bound=BaseModel)


def read(text: str, model: type[Model], *, name: str) -> Model:
    """The document as `model`; `name` stands for the file in messages.

    Raises:
        ConfigError: too large, too deep, not YAML, or not what the model wants; the message names
            the line, the key and what was expected.
    """
    if len(text.encode()) > MAX_BYTES:
        raise ConfigError(f"{name}: larger than {MAX_BYTES} bytes")
    try:
        _check(text, name)
        loader = yaml.SafeLoader(text)
        tree = loader.get_single_node()
        _check_keys(tree, name)
        data = None if tree is None else loader.construct_document(tree)
    except yaml.YAMLError as error:
        raise ConfigError(f"{name}: not YAML: {_one_line(error)}") from error
    except (ValueError, OverflowError) as error:  # a date or number that there is none of
        raise ConfigError(f"{name}: not YAML: {error}") from error
    return validated(data, model, name=name, tree=tree)


def validated(
    data: object, model: type[Model], *, name: str, tree: yaml.Node | None = None
) -> Model:
    """What has been read already, as `read`; `tree` knows its lines.

    By way of JSON: its types are few, so a date or a set is a mistake, and a list is a tuple.
    """
    try:
        return model.model_validate_json(json.dumps(data, allow_nan=False))
    except (TypeError, ValueError) as error:
        if not isinstance(error, ValidationError):
            raise ConfigError(f"{name}: neither text nor number nor list: {error}") from error
        lines = [
            f"{name}:{line_of(tree, fault['loc'])}: {key_text(fault['loc'])}: {_said(dict(fault))}"
            for fault in error.errors(include_url=False)[:20]
        ]
        raise ConfigError("\n".join(lines)) from error


def _said(fault: dict[str, Any]) -> str:
    given = fault.get("input")
    if isinstance(given, str) and _NUMBER.fullmatch(given) and fault["type"] != "extra_forbidden":
        return _HINT.format(given)
    if isinstance(given, bool) and fault["type"] == "string_type":
        return "text was wanted, but YAML reads on, off, yes and no as true and false: use quotes"
    return str(fault["msg"])


def _check(text: str, name: str) -> None:
    """Refuse what could grow or nest without bounds before anything is built."""
    depth = nodes = 0
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        line = _line(event)
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise ConfigError(f"{name}:{line}: anchors and aliases are not allowed")
        if getattr(event, "tag", None):
            raise ConfigError(f"{name}:{line}: tags are not allowed")
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        nodes += isinstance(event, yaml.NodeEvent)
        if depth > MAX_DEPTH or nodes > MAX_NODES:
            raise ConfigError(f"{name}:{line}: deeper than {MAX_DEPTH} or more than {MAX_NODES}")


def _check_keys(node: yaml.Node | None, name: str) -> None:
    if isinstance(node, yaml.MappingNode):
        seen: set[object] = set()
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise ConfigError(f"{name}:{key.start_mark.line + 1}: a key must be a word")
            if key.value in seen:
                line = key.start_mark.line + 1
                raise ConfigError(f"{name}:{line}: {key.value}: stands there twice")
            seen.add(key.value)
            _check_keys(value, name)
    elif isinstance(node, yaml.SequenceNode):
        for item in node.value:
            _check_keys(item, name)


def _line(event: yaml.Event) -> int:
    return event.start_mark.line + 1 if event.start_mark else 1


def _one_line(error: yaml.YAMLError) -> str:
    mark = getattr(error, "problem_mark", None)
    where = f"line {mark.line + 1}: " if mark else ""
    return where + str(getattr(error, "problem", None) or error).replace("\n", " ")
