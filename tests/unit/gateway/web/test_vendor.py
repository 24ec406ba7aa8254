"""Nothing is fetched from elsewhere: what we ship is what the manifest says, with its licence."""

import hashlib
import json

from contracts.web.files import SHARED as STATIC

VENDOR = STATIC / "vendor"
FILES = json.loads((VENDOR / "manifest.json").read_text())["files"]


def test_every_vendored_file_is_the_one_its_package_holds() -> None:
    for entry in FILES:
        content = (VENDOR / entry["file"]).read_bytes()
        assert hashlib.sha256(content).hexdigest() == entry["sha256"], entry["file"]
        for licence in entry["licence_files"]:
            assert (VENDOR / licence).stat().st_size > 100


def test_nothing_else_lies_there() -> None:
    known = {entry["file"] for entry in FILES}
    known |= {licence for entry in FILES for licence in entry["licence_files"]}
    there = {str(path.relative_to(VENDOR)) for path in VENDOR.rglob("*") if path.is_file()}
    assert there - known == {"manifest.json"}


def test_our_own_files_name_no_other_host() -> None:
    for path in STATIC.glob("*.*"):
        text = path.read_text().replace("http://www.w3.org/2000/svg", "")
        assert "://" not in text.replace("path://", ""), path.name
