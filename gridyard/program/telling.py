"""What `gridyard program` answers about templates and program files, as data and as lines."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from contracts.config import load
from contracts.errors import ConfigError
from gateway.config import GatewaySettings
from gateway.domain.program import Program
from gateway.programs import library
from gateway.programs.explain import explained as explained_rules
from gateway.programs.explain import warnings

Answer = dict[str, Any]


def listed() -> list[Answer]:
    """Every template."""
    return [
        {"template": one.template, "title": one.title, "time_zone": str(one.time_zone)}
        for one in library.every()
    ]


def listed_lines(answer: Sequence[Answer]) -> Iterator[str]:
    """For people."""
    width = max(len(one["template"]) for one in answer)
    for one in answer:
        yield f"{one['template']:{width}}  {one['title']}"


def shown(name: str) -> Answer:
    """A file as data.

    Raises:
        ConfigError: there is no such template or file, or it is wrong.
    """
    return library.found(name).model_dump(mode="json")


def shown_lines(answer: Answer) -> Iterator[str]:
    """As YAML."""
    yield yaml.safe_dump(answer, sort_keys=False, allow_unicode=True).rstrip()


def explained(name: str, config: Path | None) -> Answer:
    """The rules of a template, a file, or a program of a gateway's settings.

    Raises:
        ConfigError: there is none of that name, or a file is wrong.
    """
    about = ""
    if config is None:
        file = library.found(name)
        program, about = library.program(file), file.about
    else:
        program = chosen(load(config, GatewaySettings), name)[0]
    return {
        "program": program.template or program.program_id,
        "title": program.name,
        "about": about,
        "time_zone": str(program.zone),
        "rules": [
            {"kind": one.kind, "text": one.text, "source": one.source, "words": one.words}
            for one in explained_rules(program)
        ],
        "warnings": list(warnings(program)),
    }


def explained_lines(answer: Answer) -> Iterator[str]:
    """For people."""
    yield f"{answer['title']} ({answer['program']}), times in {answer['time_zone']}"
    if answer["about"]:
        yield answer["about"]
    yield ""
    yield from (f"- {rule['words']}" for rule in answer["rules"])
    yield from _warned(answer)


def checked(name: str) -> Answer:
    """Whether a file can be used.

    Raises:
        ConfigError: it cannot; the message names file, line and field.
    """
    program = library.program(library.found(name))
    rules = explained_rules(program)
    return {"program": name, "rules": len(rules), "warnings": list(warnings(program))}


def checked_lines(answer: Answer) -> Iterator[str]:
    """For people."""
    yield f"{answer['program']}: {answer['rules']} rules, can be used"
    yield from _warned(answer)


def chosen(settings: GatewaySettings, name: str | None) -> list[Program]:
    """The programs of settings, or the versions of one of them.

    Raises:
        ConfigError: there is none of that name.
    """
    programs = settings.portfolio().programs
    found = [one for one in programs if name in (None, one.program_id, one.name)]
    if name is not None and not found:
        known = ", ".join(sorted({one.name for one in programs})) or "none"
        raise ConfigError(f"the settings have no program {name!r}; they have: {known}")
    return found


def counted_lines(answer: Sequence[Answer]) -> Iterator[str]:
    """For people."""
    if not answer:
        yield "no program has a limit"
    for one in answer:
        of = f" of {one['of']}" if one["of"] else ""
        yield (
            f"{one['program']}{of}: {one['used']:g} of {one['limit']:g} {one['unit']} "
            f"a {one['per']} ({one['first']} to {one['last']}), {one['left']:g} left"
        )


def eligible_lines(answer: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """For people."""
    for entry in answer:
        yield f"{entry['site_id']} in {entry['program']}:"
        for one in entry["conditions"]:
            yield f"  {one['answer']:7}  {one['about']}: {one['text']}"


def _warned(answer: Answer) -> Iterator[str]:
    if answer["warnings"]:
        yield ""
    yield from (f"! {text}" for text in answer["warnings"])
