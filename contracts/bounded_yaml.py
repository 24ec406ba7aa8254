"""YAML that somebody else wrote: small, flat enough, and without aliases, before it is built."""

from __future__ import annotations

import yaml

from contracts.errors import ProtocolError

MAX_CHARS = 32_768
"""As JSON it fits into a request of 64 KiB."""
MAX_DEPTH = 20
_MAX_EVENTS = 5_000
"""Beginnings, ends and values; the cost of reading grows with them."""


def read_mapping(text: str) -> dict[str, object]:
    """The mapping in `text`; an empty document is an empty one.

    Raises:
        ProtocolError: not YAML, no mapping with words as keys, an alias or anchor (which could grow
            without end), or more than MAX_CHARS, MAX_DEPTH or 5,000 parts.
    """
    if len(text) > MAX_CHARS:
        raise ProtocolError(f"{len(text)} characters of YAML: the limit is {MAX_CHARS}")
    try:
        _check_shape(text)
        tree = yaml.safe_load(text)
    except yaml.YAMLError as error:
        words = str(getattr(error, "problem", None) or error)
        raise ProtocolError(f"not YAML: {_where(error)}{words}".replace("\n", " ")) from error
    except (ValueError, OverflowError, TypeError) as error:  # such as the 31st of February
        raise ProtocolError(f"a value cannot be read: {error}") from error
    if tree is None:
        return {}
    if not isinstance(tree, dict):
        raise ProtocolError("settings are a mapping of names to values")
    _check_keys(tree)
    return tree


def _check_shape(text: str) -> None:
    depth = 0
    for count, event in enumerate(yaml.parse(text, Loader=yaml.SafeLoader)):
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None) is not None:
            raise ProtocolError("YAML aliases and anchors are not taken: write values out")
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if depth > MAX_DEPTH:
            raise ProtocolError(f"more than {MAX_DEPTH} levels deep")
        if count > _MAX_EVENTS:
            raise ProtocolError(f"more than {_MAX_EVENTS} parts")


def _check_keys(tree: object) -> None:
    if isinstance(tree, dict):
        for key, value in tree.items():
            if not isinstance(key, str):
                raise ProtocolError(f"key {key!r} is no text: put it in quotes")
            _check_keys(value)
    elif isinstance(tree, list):
        for value in tree:
            _check_keys(value)


def _where(error: yaml.YAMLError) -> str:
    mark = getattr(error, "problem_mark", None)
    return f"line {mark.line + 1}: " if mark else ""
