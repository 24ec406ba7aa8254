from __future__ import annotations

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.errors import ProtocolError
from gateway.utility.sep2.hrefs import Server, with_page

SERVER = Server("https://Utility.example/sep2/dcap")


@pytest.mark.row("sep2:8")
@pytest.mark.parametrize(
    ("href", "path"),
    [
        ("/edev", "/edev"),
        ("/edev/1/derp/2/derc", "/edev/1/derp/2/derc"),
        ("/edev/1/rc/2026-11-20/1/tti/17:00", "/edev/1/rc/2026-11-20/1/tti/17:00"),
        ("tti/17:00", "/sep2/tti/17:00"),
        ("17:00", "/sep2/17:00"),
        ("edev", "/sep2/edev"),
        ("../tm", "/tm"),
        ("/a/../b", "/b"),
        ("/a?x=1", "/a?x=1"),
        ("/a#part", "/a"),
        (" /a ", "/a"),
        ("https://utility.example/a", "/a"),
        ("https://utility.example:443/a", "/a"),
        ("HTTPS://UTILITY.example/a/17:00", "/a/17:00"),
        ("https://utility.example", "/"),
    ],
)
def test_hrefs_of_every_form_lead_to_a_path(href: str, path: str) -> None:
    assert SERVER.resolve(href) == path


@pytest.mark.row("csip:P6")
@pytest.mark.parametrize(
    "href",
    [
        "http://utility.example/a",
        "https://other.example/a",
        "https://utility.example:8443/a",
        "https://utility.example@other.example/a",
        "https://someone@utility.example/a",
        "//other.example/a",
        "coaps://utility.example/a",
        "javascript:alert(1)",
        "file:///etc/passwd",
        "https://[broken/a",
        "https://utility.example:port/a",
        "",
        "   ",
        "/a b",
        "/a\x00",
        "/ä",
        "/" + "a" * 5000,
    ],
)
def test_hrefs_to_elsewhere_are_refused(href: str) -> None:
    with pytest.raises(ProtocolError, match="href"):
        SERVER.resolve(href)


def test_a_relative_href_is_read_in_the_document_it_stands_in() -> None:
    assert SERVER.resolve("derc", "/edev/1/derp/2") == "/edev/1/derp/derc"
    assert SERVER.resolve("17:00", "/tp/tti/") == "/tp/tti/17:00"


def test_the_entry_is_the_path_of_the_configured_url() -> None:
    assert SERVER.entry == "/sep2/dcap"
    assert Server("https://u.example").entry == "/"
    assert Server("https://u.example:8443/d").absolute("/tm") == "https://u.example:8443/tm"


@given(st.text(max_size=60) | st.text(st.characters(codec="ascii"), max_size=30))
def test_no_text_leads_elsewhere(href: str) -> None:
    try:
        path = SERVER.resolve(href)
    except ProtocolError:
        return
    assert path.startswith("/")
    assert SERVER.resolve(path) == path
    assert httpx.URL(SERVER.absolute(path)).host == "utility.example"


def test_pages_are_asked_for_with_both_numbers() -> None:
    assert with_page("/edev", 0, 50) == "/edev?s=0&l=50"
    assert with_page("/edev?x=1", 50, 50) == "/edev?x=1&s=50&l=50"
