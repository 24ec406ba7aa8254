"""Every relative link in the documentation leads to a file, and to a heading where it names one."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
_LINK = re.compile(r"\[[^\]]*\]\(([^()\s]+)\)")
_FENCE = re.compile(r"^```.*?^```", re.DOTALL | re.MULTILINE)
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


def _pages() -> list[str]:
    kept = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.md"]
    listed = subprocess.run(kept, cwd=ROOT, capture_output=True, text=True, check=True)
    return sorted(name for name in listed.stdout.splitlines() if (ROOT / name).exists())


def _prose(page: Path) -> str:
    return _FENCE.sub("", page.read_text(encoding="utf-8"))


def _anchors(page: Path) -> set[str]:
    """The anchors that GitHub gives a page's headings; doubled ones are numbered."""
    found: list[str] = []
    for heading in _HEADING.findall(_prose(page)):
        words = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).strip().lower()
        slug = re.sub(r"[^\w\- ]", "", words).replace(" ", "-")
        found.append(f"{slug}-{found.count(slug)}" if slug in found else slug)
    return set(found)


def _broken(page: Path, root: Path = ROOT) -> list[str]:
    wrong = []
    for link in _LINK.findall(_prose(page)):
        if re.match(r"[a-z][a-z0-9+.-]*:", link):
            continue
        name, _, anchor = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        missing = not target.exists() or not target.is_relative_to(root)
        if missing or (anchor and anchor not in _anchors(target)):
            wrong.append(link)
    return wrong


@pytest.mark.parametrize("name", _pages())
def test_relative_links_resolve(name: str) -> None:
    assert _broken(ROOT / name) == []


def test_broken_links_are_found(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# A `b`, c\n[x](gone.md) [y](#a-b-c) [z](#d)\n```\n[w](no.md)\n```\n")
    assert _broken(page, tmp_path) == ["gone.md", "#d"]


def test_the_index_leads_to_every_page() -> None:
    docs = ROOT / "docs"
    linked = {
        (docs / link.partition("#")[0]).resolve()
        for link in _LINK.findall(_prose(docs / "index.md"))
    }
    listed = {path.resolve() for path in docs.rglob("*.md") if path.name != "index.md"}
    assert listed - linked == set()


_PATH = re.compile(
    r"`((?:contracts|certs|gateway|site_agent|vtn_sim|depot_sim|gridyard)/[\w./-]+)`"
)


@pytest.mark.parametrize("name", _pages())
def test_files_that_are_named_exist(name: str) -> None:
    named = _PATH.findall((ROOT / name).read_text(encoding="utf-8"))
    assert [path for path in named if not (ROOT / path).exists()] == []
