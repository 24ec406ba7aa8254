"""Payloads of commands: text or JSON in which words such as `$value` stand for values."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

NAMES = frozenset({"value", "id", "now", "expires_at", "valid_for_s"})
_MOST_PARTS = 50
_MOST_DEPTH = 8


def check_template(template: object) -> object:
    """The template itself.

    Raises:
        ValueError: a variable that does not exist, a dollar elsewhere, too many parts.
    """
    parts = list(_texts(template))
    if len(parts) > _MOST_PARTS:
        raise ValueError(f"a payload of more than {_MOST_PARTS} parts")
    for text in parts:
        if "$" in text and text[1:] not in NAMES:
            raise ValueError(f"{text!r}: variables are {', '.join(f'${n}' for n in sorted(NAMES))}")
    return template


def variables(template: object) -> frozenset[str]:
    """The variables it uses."""
    return frozenset(text[1:] for text in _texts(template) if text.startswith("$"))


def render(template: object, values: Mapping[str, float | int | str]) -> str:
    """The payload: text stays text, everything else becomes JSON."""
    if isinstance(template, str):
        value = _filled(template, values)
        return value if isinstance(value, str) else json.dumps(value)
    return json.dumps(_filled(template, values), separators=(",", ":"))


def _filled(part: object, values: Mapping[str, float | int | str]) -> object:
    if isinstance(part, dict):
        return {key: _filled(value, values) for key, value in part.items()}
    if isinstance(part, list):
        return [_filled(value, values) for value in part]
    if isinstance(part, str) and part.startswith("$"):
        return values[part[1:]]
    return part


def _texts(part: object, depth: int = 0) -> Iterator[str]:
    """Every text that is no key; raises ValueError for what JSON has not, or what is too deep."""
    if depth > _MOST_DEPTH:
        raise ValueError(f"a payload nested deeper than {_MOST_DEPTH}")
    if isinstance(part, str):
        yield part
    elif isinstance(part, dict | list):
        for value in _members(part):
            yield from _texts(value, depth + 1)
    elif part is not None and not isinstance(part, bool | int | float):
        raise ValueError(f"{part!r} is not JSON")


def _members(part: dict[object, object] | list[object]) -> list[object]:
    if isinstance(part, list):
        return part
    if not all(isinstance(key, str) for key in part):
        raise ValueError("a payload whose keys are not all text (YAML takes `on` for true)")
    return list(part.values())
