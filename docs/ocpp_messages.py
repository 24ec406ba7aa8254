"""Which OCPP messages are served, sent or refused: from the schemas and the dialects' own words."""
# ruff: noqa: INP001 (a script's part, not of a package)

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from importlib.resources import files

from site_agent.devices.ocpp.central import DIALECTS
from site_agent.devices.ocpp.settings import Version
from site_agent.devices.ocpp.versions.dialect import Dialect
from site_agent.devices.ocpp.versions.hearing import Handler

_ABOUT = """\
Every action of the published schemas, by version. A charger's message with a wrong payload is
answered with CALLERROR and counted; an action that is not listed gets `NotImplemented`. What is
sent "by name" has no wording of ours: `Station.command` sends any message that fits its schema.
"""
_FOLDERS = {Version.V16: "v16", Version.V201: "v201", Version.V21: "v21"}
_UNCONFIRMED = "Ignored and counted: it wants no answer, and we open no stream."


def page(made: str) -> str:
    """The page; `made` says that nobody writes it by hand."""
    lines = ["# OCPP messages", "", made, "", *_ABOUT.splitlines()]
    for version, dialect in DIALECTS.items():
        lines += ["", f"## {version.value}", "", "| action | from | what we do |", "|---|---|---|"]
        lines += [f"| `{action}` | {who} | {what} |" for action, who, what in _rows(dialect)]
    return "\n".join(lines) + "\n"


def actions(version: Version) -> list[str]:
    """Every action that has a schema."""
    folder = files("ocpp") / _FOLDERS[version] / "schemas"
    names = {path.name.removesuffix(".json") for path in folder.iterdir()}
    requests = {name for name in names if not name.endswith("Response")}
    return sorted({name.removesuffix("Request") for name in requests})


def _rows(dialect: Dialect) -> Iterator[tuple[str, str, str]]:
    makers = _makers(dialect)
    for action in actions(dialect.version):
        if action in dialect.served:
            yield action, "charger", _first_sentence(dialect.handlers[action])
        elif action == "NotifyPeriodicEventStream":
            yield action, "charger", _UNCONFIRMED
        if action in dialect.requests:
            yield action, "us", "Sent by " + ", ".join(f"`{name}`" for name in makers[action])
        elif action not in dialect.served and action != "NotifyPeriodicEventStream":
            yield action, "us", "Sent by name only"


def _makers(dialect: Dialect) -> dict[str, list[str]]:
    """The makers that name an action in their docstring, by action."""
    found: dict[str, list[str]] = {action: [] for action in dialect.requests}
    for name, method in inspect.getmembers(type(dialect), inspect.isfunction):
        if inspect.get_annotations(method).get("return") != "Request":
            continue
        for word in re.findall(r"\w+", method.__doc__ or ""):
            if word in found and name not in found[word]:
                found[word].append(name)
    return found


def _first_sentence(handler: Handler) -> str:
    text = " ".join((handler.__doc__ or "").split())
    sentence = re.split(r"(?<=\.) (?=[A-Z])", text)[0]
    return sentence.replace("|", "\\|").rstrip(".") + "."
