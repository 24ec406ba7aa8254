"""Frames as they may be shown and saved: passwords are hidden, id tags shortened on request."""

from __future__ import annotations

import json
import re

_HIDDEN = "********"
_SECRET = ("AuthorizationKey", "BasicAuthPassword")
_VALUES = ("value", "attributeValue")
_TAGS = ("idTag", "parentIdTag", "idToken")
_SHOWN = 4
_ANY_PASSWORD = re.compile(r'("(?:value|attributeValue)"\s*:\s*)"[^"]*"?')


def shown(name: str, value: str | None) -> str | None:
    """The value of a setting, unless it is a password."""
    return _HIDDEN if value and name.rpartition(".")[2] in _SECRET else value


def without_passwords(text: str) -> str:
    """The frame with every password in it hidden; untouched when there is none."""
    if not any(name in text for name in _SECRET):
        return text
    try:
        return json.dumps(_hide(json.loads(text)), separators=(",", ":"))
    except (ValueError, RecursionError):  # cut off or no JSON: rather too much than too little
        return _ANY_PASSWORD.sub(rf'\1"{_HIDDEN}"', text)


def short_tag(tag: str) -> str:
    """Enough of an id tag to know it again, too little to use it."""
    return tag if len(tag) <= _SHOWN else f"{tag[:_SHOWN]}…"


def with_short_tags(value: object) -> object:
    """A payload with its id tags shortened."""
    if isinstance(value, dict):
        return {
            key: short_tag(entry)
            if key in _TAGS and isinstance(entry, str)
            else with_short_tags(entry)
            for key, entry in value.items()
        }
    return [with_short_tags(entry) for entry in value] if isinstance(value, list) else value


def _hide(value: object) -> object:
    if isinstance(value, list):
        return [_hide(entry) for entry in value]
    if not isinstance(value, dict):
        return value
    hidden = {key: _hide(entry) for key, entry in value.items()}
    if _named(value) in _SECRET:
        hidden |= {key: _HIDDEN for key in _VALUES if key in value}
    return hidden


def _named(value: dict[str, object]) -> object:
    """Of which setting an object tells: 1.6 `key`, 2.0.1 `variable.name`."""
    variable = value.get("variable")
    return variable.get("name") if isinstance(variable, dict) else value.get("key")
