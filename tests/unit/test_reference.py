"""The reference says what the code says: docs/generate.py would write the pages as they are."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import pytest

import conformance

GENERATOR = Path(__file__).parents[2] / "docs" / "generate.py"
PAGES = (
    "cli.md",
    "conformance-field.md",
    "conformance-ocpp.md",
    "conformance-openadr.md",
    "conformance-mv.md",
    "conformance-portfolio.md",
    "conformance-sep2.md",
    "conformance-site.md",
    "fleet-api.md",
    "ocpp-messages.md",
    "points.md",
    "profile-format.md",
    "profiles.md",
    "scada-registers.md",
    "settings.md",
    "topic-maps.md",
)


@pytest.fixture(scope="module")
def generator() -> Any:
    spec = importlib.util.spec_from_file_location("generate_reference", GENERATOR)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def pages(generator: Any) -> dict[Path, str]:
    made: dict[Path, str] = generator.pages()
    return made


@pytest.mark.xdist_group("reference")
@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_what_the_code_says(generator: Any, pages: dict[Path, str], name: str) -> None:
    path = generator.REFERENCE / name
    made = pages[path]
    assert path.read_text(encoding="utf-8") == made, (
        "run: ./dev run python docs/generate.py, and commit what it writes"
    )


@pytest.mark.xdist_group("reference")
def test_every_page_is_checked(pages: dict[Path, str]) -> None:
    assert {path.name for path in pages} == set(PAGES)


def test_every_row_has_a_test_or_a_reason_and_no_claim_is_of_no_row() -> None:
    assert conformance.faults() == []
