"""Values that a published OCPP schema allows, with the extremes a hostile peer would choose."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from functools import lru_cache
from importlib import resources
from typing import Any

from hypothesis import strategies as st

Json = dict[str, Any]
_MOMENTS = st.datetimes(
    min_value=datetime(1, 1, 2),  # noqa: DTZ001 (hypothesis adds the zone)
    max_value=datetime(9999, 12, 30),  # noqa: DTZ001
    timezones=st.just(UTC),
) | st.just(datetime(2026, 3, 2, 12, 0, 30, tzinfo=UTC))
_INTEGERS = st.integers(0, 3) | st.integers(-(2**70), 2**70)
_NUMBERS = st.integers(0, 32) | st.integers(-(10**15), 10**15)


_ANYTHING: st.SearchStrategy[Any] = st.one_of(st.integers(), st.text(max_size=5))
_PLAIN: dict[str, st.SearchStrategy[Any]] = {
    "integer": _INTEGERS,
    "number": _NUMBERS,
    "boolean": st.booleans(),
}


@lru_cache(maxsize=256)
def payloads(folder: str, name: str) -> st.SearchStrategy[Json]:
    """Payloads of one message; `folder` is `v16`, `v201` or `v21`, `name` the schema's."""
    path = resources.files("ocpp") / folder / "schemas" / f"{name}.json"
    schema = json.loads(path.read_text(encoding="utf-8-sig"))
    return _values(schema, schema.get("definitions", {}))


def _values(schema: Json, definitions: Json) -> st.SearchStrategy[Any]:
    if "$ref" in schema:
        return _values(definitions[schema["$ref"].rsplit("/", 1)[-1]], definitions)
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    match schema.get("type"):
        case "object":
            return _objects(schema, definitions)
        case "array":
            items = _values(schema["items"], definitions)
            return st.lists(items, min_size=schema.get("minItems", 0), max_size=3)
        case "string":
            return _texts(schema)
        case word:
            return _PLAIN.get(str(word), _ANYTHING)


def _objects(schema: Json, definitions: Json) -> st.SearchStrategy[Json]:
    """Objects without the vendor's own data, whose schema is open."""
    known = {k: v for k, v in schema.get("properties", {}).items() if k != "customData"}
    needed = set(schema.get("required", ()))
    made = {key: _values(part, definitions) for key, part in known.items()}
    return st.fixed_dictionaries(
        {key: value for key, value in made.items() if key in needed},
        optional={key: value for key, value in made.items() if key not in needed},
    )


def _texts(schema: Json) -> st.SearchStrategy[str]:
    if schema.get("format") == "date-time":
        return _MOMENTS.map(lambda at: at.isoformat())
    if schema.get("format") == "uri":
        return st.sampled_from(["ftp://files.invalid/a", "http://[::1]/a", "urn:a"])
    most = min(schema.get("maxLength", 30), 30)
    return st.sampled_from(["TAG1", "FLEET"]) | st.text(max_size=most)
