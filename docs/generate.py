"""Make docs/reference from the code: `./dev run python docs/generate.py`.

Types, ranges and defaults come from the settings models, meanings from the docstrings under their
fields; the command line from typer; the points of the site link from `contracts.site_link.points`.
`tests/unit/test_reference.py` fails while the committed pages differ from what this makes.
"""
# ruff: noqa: INP001 (a script, not part of a package)

from __future__ import annotations

import ast
import inspect
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import is_dataclass
from pathlib import Path
from textwrap import dedent
from types import ModuleType
from typing import Any, get_args, get_type_hints

import command_line
import fleet_api
import ocpp_messages
import profiles
import scada_registers
import topic_maps
from command_line import default_text
from pydantic import BaseModel

import conformance
from contracts.config import Settings
from contracts.site_link import points
from depot_sim.config import DepotSettings
from gateway.config import GatewaySettings, SiteEntry
from gateway.domain.enrolment import Enrolment, OwnerLimits
from gateway.domain.portfolio import Site
from gateway.domain.program import BaselineMethod, Program
from gateway.programs.entry import EnrolmentEntry, OwnerEntry, ProgramEntry
from gateway.programs.schema import BaselineEntry
from gridyard.simulate.scenario import ScenarioSettings
from site_agent.config import SiteSettings
from site_agent.config.devices import ChargerSettings
from site_agent.devices.mqtt.topic_map import TopicMap
from site_agent.devices.profiles.schema import Profile
from site_agent.domain.device import ChargerSpec
from vtn_sim.config import VtnSettings

REFERENCE = Path(__file__).parent / "reference"
PROGRAMS: Mapping[str, type[Settings]] = {
    "gateway": GatewaySettings,
    "site": SiteSettings,
    "utility-sim": VtnSettings,
    "depot-sim": DepotSettings,
    "simulate": ScenarioSettings,
}
DOMAIN: Mapping[type, type] = {
    SiteEntry: Site,
    BaselineEntry: BaselineMethod,
    ProgramEntry: Program,
    EnrolmentEntry: Enrolment,
    OwnerEntry: OwnerLimits,
    ChargerSettings: ChargerSpec,
}
"""Where a field's meaning is written when the settings leave it to the domain."""
UNITS = {
    "_w": "W",
    "_wh": "Wh",
    "_a": "A",
    "_s": "s",
    "_v": "V",
    "_pct": "%",
    "_h": "h",
    "_hours": "h",
}
FORMATS = {
    "path": "path",
    "duration": "duration",
    "date": "date",
    "date-time": "instant (RFC 3339)",
    "uri": "address (URL)",
    "zoneinfo": "time zone (IANA name)",
}
NAMES = {"number": "number", "integer": "whole number", "boolean": "true or false"}
_INTRODUCTION = """\
One YAML file a program; `gridyard PROGRAM --config FILE` reads it. An unknown key or a value out of
range ends the program with exit code 3 and names file, line and key. Relative paths start at the
folder the program is started in. A duration is a number of seconds, or ISO 8601 such as `PT15M`.
Units end the names of powers, currents and times;
[import and charging are positive](../explanation/signs-and-units.md).
"""
_POINTS = """\
Names under which a site sends measurements to the gateway; the unit is the end of the name. A value
always comes with its time and its quality; without a usable value it is null, never a guess.
"""
_FORMAT = """\
A profile is a YAML file: which registers of a Modbus device say what, and how setpoints are
written.
Points and controls are those of the [vocabulary](#vocabulary) below, with their unit and sign.
Unknown keys, numbers in quotes, keys that come twice, anchors, aliases and tags are mistakes.
[The profiles that come with the agent](profiles.md) are examples.
"""
_MADE = "<!-- Made by docs/generate.py; change the code's docstrings instead. -->"


def pages() -> dict[Path, str]:
    """Every page of the reference and what it should hold."""
    return {
        REFERENCE / "settings.md": _settings(),
        REFERENCE / "cli.md": command_line.page(_MADE),
        REFERENCE / "points.md": _points(),
        REFERENCE / "ocpp-messages.md": ocpp_messages.page(_MADE),
        REFERENCE / "profiles.md": profiles.page(_MADE),
        REFERENCE / "profile-format.md": _profile_format(),
        REFERENCE / "topic-maps.md": topic_maps.page(_MADE, _format(TopicMap, "map", "###")),
        REFERENCE / "scada-registers.md": scada_registers.page(_MADE),
        REFERENCE / "fleet-api.md": fleet_api.page(_MADE, _format),
        **conformance.pages(_MADE),
    }


# --- docstrings ----------------------------------------------------------------------------------


def _documented(body: list[ast.stmt]) -> Iterator[tuple[str, str]]:
    """(name, docstring) of each assignment that a bare string follows."""
    for statement, after in zip(body, [*body[1:], ast.Pass()], strict=True):
        if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
            text = after.value if isinstance(after, ast.Expr) else None
            if isinstance(text, ast.Constant) and isinstance(text.value, str):
                yield statement.target.id, _one_line(text.value)


def _meanings(model: type) -> dict[str, str]:
    """What a class and those it inherits from say about their fields."""
    found = _meanings(DOMAIN[model]) if model in DOMAIN else {}
    for parent in reversed(model.__mro__):
        if parent.__module__.split(".")[0] in ("builtins", "pydantic"):
            continue
        tree = ast.parse(dedent(inspect.getsource(parent))).body[0]
        found |= _documented(tree.body if isinstance(tree, ast.ClassDef) else [])
    return found


def _one_line(text: str) -> str:
    return " ".join(text.split())


# --- settings ------------------------------------------------------------------------------------


def _settings() -> str:
    lines = ["# Settings", "", _MADE, "", *_INTRODUCTION.splitlines()]
    for program, model in PROGRAMS.items():
        lines += ["", f"## {program}", "", _prose(model), ""]
        sections = dict(_sections(program, model, ""))
        schemas = _schemas(model)
        titles = {one.__name__: title for title, one in sections.items()}
        for title, one in sections.items():
            if one is not model:
                lines += ["", f"### {title}", "", _prose(one), ""]
            lines += _table(one, schemas[one.__name__], schemas, titles)
    return "\n".join(lines) + "\n"


def _profile_format() -> str:
    """What a device profile may say."""
    lines = ["# Device profile format", "", _MADE, "", *_FORMAT.splitlines()]
    lines += [*_format(Profile, "profile", "##"), "", *profiles.vocabulary()]
    return "\n".join(lines) + "\n"


def _format(model: type[BaseModel], name: str, level: str) -> Iterator[str]:
    """What a document may say: each part of it once, wherever it stands."""
    found = [*_sections(name, model, "")][::-1]
    sections = {one: title if one is not model else f"{name}: `whole`" for title, one in found}
    schemas = _schemas(model)
    titles = {one.__name__: title for one, title in sections.items()}
    for one, title in [*sections.items()][::-1]:
        yield from ("", f"{level} {title}", "", _prose(one), "")
        yield from _table(one, schemas[one.__name__], schemas, titles)


def _prose(model: type) -> str:
    return inspect.cleandoc(model.__doc__ or "")


def _sections(program: str, model: type[BaseModel], path: str) -> Iterator[tuple[str, Any]]:
    """(heading, model) of a model and everything inside it, by the keys that lead there."""
    yield f"{program}: `{path}`{_which(model)}", model
    for name, annotation in _annotations(model).items():
        many = "[]" if "tuple" in str(annotation) else ""
        for inner in _models_in(annotation):
            yield from _sections(program, inner, f"{path}.{name}{many}".lstrip("."))


def _which(model: type[BaseModel]) -> str:
    """The one kind a model stands for, where several stand at one place."""
    if is_dataclass(model):
        return f" ({model.__name__})"
    kinds = (model.model_fields.get(name) for name in ("action", "kind", "by"))
    only = next((get_args(k.annotation) for k in kinds if k and k.is_required()), ())
    return f" ({only[0]})" if only else ""


def _annotations(model: type[BaseModel]) -> Mapping[str, Any]:
    """The types of the fields; rules of programs are the domain's own dataclasses."""
    if is_dataclass(model):
        return get_type_hints(model)
    return {name: field.annotation for name, field in model.model_fields.items()}


def _models_in(annotation: Any) -> Iterator[Any]:  # noqa: ANN401 (annotations are anything)
    if isinstance(annotation, type) and (
        issubclass(annotation, BaseModel) or is_dataclass(annotation)
    ):
        yield annotation
    for part in get_args(annotation):
        yield from _models_in(part)


def _schemas(model: type[BaseModel]) -> dict[str, Any]:
    schema = model.model_json_schema()
    return {**schema.pop("$defs", {}), model.__name__: schema}


def _table(
    model: type[BaseModel],
    schema: dict[str, Any],
    schemas: dict[str, Any],
    titles: dict[str, str],
) -> list[str]:
    meanings, required = _meanings(model), schema.get("required", [])
    rows = ["| key | type and range | default | meaning |", "|---|---|---|---|"]
    for name, wanted in schema["properties"].items():
        kind = _kind(wanted, schemas, titles) + _unit(name)
        default = "required" if name in required else default_text(wanted.get("default"))
        rows.append(f"| `{name}` | {kind} | {default} | {_cell(meanings.get(name, ''))} |")
    return rows


def _kind(wanted: dict[str, Any], schemas: dict[str, Any], titles: dict[str, str]) -> str:
    """A JSON schema in words; models are links to their sections."""
    if "$ref" in wanted:
        name = wanted["$ref"].rpartition("/")[2]
        inner = schemas[name]
        return _kind(inner, schemas, titles) if "enum" in inner else _link(titles[name])
    for union in ("anyOf", "oneOf"):
        if union in wanted:
            known = [one for one in wanted[union] if one.get("type") != "null"]
            return " or ".join(dict.fromkeys(_kind(one, schemas, titles) for one in known))
    if "const" in wanted or "enum" in wanted:
        return " or ".join(f"`{value}`" for value in wanted.get("enum", [wanted.get("const")]))
    if wanted["type"] == "object":
        named = [*wanted.get("patternProperties", {}).values(), wanted.get("additionalProperties")]
        inner = named[0] if isinstance(named[0], dict) else {}
        if inner.get("$ref", "").rpartition("/")[2] in titles:
            return "names to " + _kind(inner, schemas, titles)
    if wanted["type"] == "array":
        items = wanted.get("items") or wanted["prefixItems"][0]
        count = f"{wanted['minItems']} of: " if "prefixItems" in wanted else "list of "
        return count + _kind(items, schemas, titles)
    return _scalar(wanted)


def _scalar(wanted: dict[str, Any]) -> str:
    if "pattern" in wanted:
        return f"text like `{wanted['pattern']}`"
    name = FORMATS.get(wanted.get("format", ""), NAMES.get(wanted["type"], "text"))
    low = wanted.get("minimum", wanted.get("exclusiveMinimum"))
    bounds = []
    if low is not None:
        bounds.append(f"{'from' if 'minimum' in wanted else 'above'} {low:g}")
    if "maximum" in wanted:
        bounds.append(f"to {wanted['maximum']:.10g}")
    if "maxLength" in wanted and wanted.get("format") != "uri":
        bounds.append(f"of {wanted.get('minLength', 0)} to {wanted['maxLength']} characters")
    return f"{name} {' '.join(bounds)}".rstrip()


def _unit(name: str) -> str:
    unit = UNITS.get("_" + name.rpartition("_")[2])
    return f", {unit}" if unit else ""


def slug(heading: str) -> str:
    """The anchor that GitHub gives a heading."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def _link(title: str) -> str:
    return f"[{title.partition(': ')[2]}](#{slug(title)})"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


# --- points --------------------------------------------------------------------------------------


def _points() -> str:
    lines = [
        "# Points of the site link",
        "",
        _MADE,
        "",
        inspect.cleandoc(points.__doc__ or ""),
        "",
        *_POINTS.splitlines(),
        "",
        "| point | unit | meaning |",
        "|---|---|---|",
    ]
    lines += [
        f"| `{name}` | {_point_unit(name)} | {_cell(meaning)} |" for name, meaning in _named(points)
    ]
    return "\n".join(lines) + "\n"


def _named(module: ModuleType) -> Iterator[tuple[str, str]]:
    for constant, meaning in _documented(ast.parse(inspect.getsource(module)).body):
        yield getattr(module, constant), meaning
    for _, function in inspect.getmembers(module, inspect.isfunction):
        names = [f"<{one.removesuffix('_id')}>" for one in inspect.signature(function).parameters]
        yield function(*names), _one_line(function.__doc__ or "")


def _point_unit(name: str) -> str:
    return UNITS.get("_" + name.rpartition("_")[2], "count")


def main() -> None:
    """Write every page."""
    REFERENCE.mkdir(exist_ok=True)
    for path, text in pages().items():
        path.write_text(text, encoding="utf-8")
        sys.stdout.write(f"{path.relative_to(REFERENCE.parent.parent)}\n")


if __name__ == "__main__":
    main()
