"""Conformance tables: the rows of `docs/conformance/*.yaml` beside the tests that prove them.

A test proves a row by its mark, `@pytest.mark.row("<table>:<id>")`, or, in a decision table under
`tests/scenarios`, by `rows: ["<table>:<id>", ...]` of a case. Nothing else counts, so a row cannot
be claimed without a test.
"""
# ruff: noqa: INP001 (a script, not part of a package)

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

DOCS = Path(__file__).parent
TESTS = DOCS.parent / "tests"
Proofs = Mapping[str, Sequence[str]]
"""Row id to the tests that carry it, as links."""
_MARK = "mark.row"


def pages(made_by: str) -> dict[Path, str]:
    """Every conformance page and what it should hold."""
    found = proofs()
    return {
        DOCS / "reference" / f"conformance-{source.stem}.md": _page(_load(source), found, made_by)
        for source in sorted((DOCS / "conformance").glob("*.yaml"))
    }


def faults() -> list[str]:
    """Rows with neither a test nor a reason, and marks or reasons of rows that are not there."""
    found, known, problems = proofs(), set(), []
    for source in sorted((DOCS / "conformance").glob("*.yaml")):
        tables = _load(source)
        rows = [f"{table['name']}:{row[0]}" for table in tables["tables"] for row in table["rows"]]
        known.update(rows)
        for row in rows:
            if (row in found) == (row in tables["reasons"]):
                what = "a test and a reason" if row in found else "neither a test nor a reason"
                problems.append(f"{row}: {what}")
        problems += [f"{row}: a reason for no row" for row in set(tables["reasons"]) - set(rows)]
    return problems + [
        f"{row}: marked by {found[row][0]}, no such row" for row in found.keys() - known
    ]


def proofs() -> Proofs:
    """What the tests claim to prove."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    for path in sorted(TESTS.rglob("test_*.py")):
        text = path.read_text(encoding="utf-8")
        for name, row in _marks(ast.parse(text)) if _MARK in text else ():
            _add(found[row], path, name)
    for path in sorted((TESTS / "scenarios").rglob("*.yaml")):
        for name, row in _cases(yaml.safe_load(path.read_text(encoding="utf-8"))):
            _add(found[row], path, name)
    return found


def _add(into: list[str], path: Path, name: str) -> None:
    place = path.relative_to(DOCS.parent)
    link = f"[{name.removeprefix('test_').replace('_', ' ')}](../../{place})"
    if link not in into:
        into.append(link)


def _marks(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """(test, row id) of every mark; one on the module or a class counts for all its tests."""
    for scope in ast.walk(tree):
        if isinstance(scope, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            for decorator in scope.decorator_list:
                yield from ((scope.name, row) for row in _rows(decorator))
    for statement in tree.body:
        if isinstance(statement, ast.Assign):
            yield from (("all tests of the module", row) for row in _rows(statement.value))


def _rows(expression: ast.expr) -> Iterator[str]:
    for node in ast.walk(expression):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "pytest.mark.row":
            yield from (str(a.value) for a in node.args if isinstance(a, ast.Constant))


def _cases(document: Any) -> Iterator[tuple[str, str]]:  # noqa: ANN401 (whatever YAML holds)
    """(case, row id) wherever something with a name has rows."""
    parts = document if isinstance(document, list) else [document]
    for part in parts:
        if isinstance(part, dict):
            name = part.get("name") or part.get("case")
            rows = part.get("rows", ())
            if name and isinstance(rows, list):
                yield from ((str(name), str(row)) for row in rows)
            for inner in part.values():
                if isinstance(inner, list | dict):
                    yield from _cases(inner)


def _page(source: Mapping[str, Any], found: Proofs, made_by: str) -> str:
    lines = [f"# Conformance: {source['title']}", "", made_by, "", source["about"]]
    for table in source["tables"]:
        rows = [(f"{table['name']}:{row[0]}", row) for row in table["rows"]]
        proved = sum(1 for key, _ in rows if key in found)
        lines += ["", f"## {table['title']}", "", f"{proved} of {len(rows)} rows have a test.", ""]
        lines += ["| row | what | source | shown by |", "|---|---|---|---|"]
        for key, (number, what, origin) in rows:
            shown = "; ".join(found[key]) if key in found else source["reasons"].get(key, "")
            lines.append(f"| {number} | {what} | {origin} | {shown or '**nothing yet**'} |")
    return "\n".join(lines) + "\n"


def _load(source: Path) -> Any:  # noqa: ANN401 (whatever YAML holds)
    return yaml.safe_load(source.read_text(encoding="utf-8"))
