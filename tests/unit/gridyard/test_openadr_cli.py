"""The words of `gridyard openadr` on the command line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner, Result

from certs.pki import Pki, make_test_pki
from contracts.identity import certificate_der, openadr_fingerprint, server_context
from contracts.openadr import codec
from contracts.openadr.payloads import (
    CreateReport,
    EventStatus,
    Payload,
    Poll,
    ReportRequest,
    ReportSpecifier,
    Signal,
    SignalInterval,
    SpecifierPayload,
    Target,
)
from contracts.openadr.signature import Signer
from gridyard.cli import app
from support.openadr import START, distribution, oadr_event
from support.openadr_check import answer, capabilities
from support.openadr_keys import SIGNED_AT, ec_pair
from support.scripted_vtn import http, scripted_vtn

RUN = CliRunner()
BEFORE = "2026-01-05T12:00:00Z"
PROGRAM = "http://utility.example/peak"
ODD = Signal(
    name="x-odd",
    type="level",
    signal_id="s",
    intervals=(SignalInterval(uid="0", duration=timedelta(hours=1), value=1.0),),
)
GOLDEN = sorted((Path(__file__).parents[2] / "wire/openadr/golden").glob("*.xml"))


def run(*words: object, stdin: bytes | None = None) -> Result:
    return RUN.invoke(app, ["openadr", *map(str, words)], input=stdin)


def replayed(payload: Payload | bytes, *words: object) -> dict[str, Any]:
    data = payload if isinstance(payload, bytes) else codec.encode(payload)
    result = run("replay", "-", "--at", BEFORE, "--json", *words, stdin=data)
    assert result.exit_code == 0, result.stderr
    found: dict[str, Any] = json.loads(result.stdout)
    return found


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Pki:
    return make_test_pki(tmp_path_factory.mktemp("pki"), sites=[])


def gateway_file(folder: Path, pki: Pki, url: str, **more: Any) -> Path:
    """Settings of a gateway with one utility, two sites and one program."""
    utility = {
        "utility_id": "util",
        "url": url,
        "ven_name": "gridyard",
        "ven_id": "ven-1",
        "ca": str(pki.utility_ca),
        "cert": str(pki.ven.cert),
        "key": str(pki.ven.key),
    }
    site = {"time_zone": "UTC", "import_limit_w": 100_000}
    names = ("ca", "broker_cert", "broker_key", "cert", "key", "nats")
    settings = {
        "data": str(folder),
        "sites": [
            {"site_id": "depot-1", "name": "One", **site},
            {"site_id": "depot-2", "name": "Two", **site},
        ],
        "programs": [
            {
                "program_id": PROGRAM,
                "name": "Peak",
                "utility_id": "util",
                "enrolments": [{"site_id": "depot-1", "nominated_w": 20_000}],
            }
        ],
        "openadr": [utility],
        "link": {name: f"keys/{name}" for name in names},
        **more,
    }
    file = folder / "gateway.yaml"
    file.write_text(yaml.safe_dump(settings))
    return file


@pytest.fixture
def config(tmp_path: Path, pki: Pki) -> Path:
    return gateway_file(tmp_path, pki, "https://vtn.invalid/OpenADR2/Simple/2.0b")


def test_the_fingerprint_is_the_one_utilities_ask_for(pki: Pki) -> None:
    expected = openadr_fingerprint(certificate_der(pki.ven.cert))
    assert run("fingerprint", pki.ven.cert).stdout.strip() == expected
    shown = json.loads(run("fingerprint", pki.ven.cert, "--json").stdout)
    assert shown == {"fingerprint": expected}


@pytest.mark.parametrize("content", [None, b"", b"\xff\x00", b"-----BEGIN CERTIFICATE-----\nx"])
def test_what_is_no_certificate_is_named(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "odd.pem"
    if content is not None:
        file.write_bytes(content)
    result = run("fingerprint", file)
    assert result.exit_code == 3
    assert "odd.pem" in result.stderr


def test_check_prints_what_to_do_and_fails(config: Path) -> None:
    result = run("check", "-c", config)
    assert result.exit_code == 1
    assert "FAIL  name: vtn.invalid cannot be resolved" in result.stdout
    assert "      -> look at the host of `url`" in result.stdout
    assert "the connection is not ready" in result.stderr


def test_check_passes_over_real_tls(tmp_path: Path, pki: Pki) -> None:
    tls = server_context(pki.vtn.cert, pki.vtn.key, pki.utility_ca)
    with scripted_vtn(tls, http(answer(capabilities()))) as vtn:
        result = run("check", "--json", "-c", gateway_file(tmp_path, pki, vtn.url))
    assert result.exit_code == 0, result.stdout
    steps = {one["step"]: one for one in json.loads(result.stdout)}
    assert all(one["ok"] for one in steps.values())
    assert "vtnID VTN-1" in steps["QueryRegistration"]["detail"]


@pytest.mark.parametrize("words", [["-c", "nowhere.yaml"], ["-c", "{config}", "-u", "other"]])
def test_settings_that_do_not_fit_are_named(config: Path, words: list[str]) -> None:
    result = run("check", *(word.format(config=config) for word in words))
    assert result.exit_code == 3
    assert "nowhere.yaml" in result.stderr or "there are: util" in result.stderr


@pytest.mark.parametrize("file", GOLDEN, ids=lambda file: file.stem)
def test_every_message_of_the_profile_can_be_explained(file: Path) -> None:
    result = run("replay", file)
    assert result.exit_code == 0, result.stderr
    assert result.stdout.startswith(file.stem)
    assert "schema      valid" in result.stdout
    assert "signature   unsigned" in result.stdout
    assert json.loads(run("replay", file, "--json").stdout)["message"] == file.stem


def test_a_distribution_in_words() -> None:
    result = run("replay", "-", "--at", BEFORE, stdin=codec.encode(distribution(oadr_event())))
    lines = result.stdout.splitlines()
    assert lines[0] == "oadrDistributeEvent of VTN, request 'r1': 1 event"
    assert "  e1, modification 0, far: 2026-01-05 13:00:00 UTC until" in lines[1]
    assert "    LOAD_DISPATCH/delta in kW: -60 for 30 min, -30 for 30 min" in lines
    assert "answer      oadrCreatedEvent" in lines
    assert lines[-1].startswith("  e1, modification 0: optIn, 200: it can be followed")


def test_the_decision_is_the_one_of_the_mapping_and_of_the_program(config: Path) -> None:
    events = (
        oadr_event("good"),
        oadr_event("over", status=EventStatus.COMPLETED),
        oadr_event("others", target=Target(ven_ids=("somebody",))),
        oadr_event("depot-2", target=Target(resource_ids=("depot-2",))),
        oadr_event("odd", signals=(ODD,)),
    )
    found = replayed(distribution(*events), "--config", config)
    assert [(one["event_id"], one["code"], one["opt"]) for one in found["events"]] == [
        ("good", 200, "optIn"),
        ("over", 200, "optIn"),
        ("others", 462, "optOut"),
        ("depot-2", 200, "optOut"),
        ("odd", 460, "optOut"),
    ]
    assert "accepts events" in found["events"][0]["why"]
    assert "none of the sites" in found["events"][3]["why"]


def test_an_event_that_is_over_now_is_judged_as_of_now(config: Path) -> None:
    data = codec.encode(distribution(oadr_event()))
    result = run("replay", "-", "--config", config, "--at", "2027-01-01T00:00:00Z", stdin=data)
    assert "optOut" in result.stdout


def test_the_ven_named_in_a_message_is_taken_for_ours_unless_told() -> None:
    message = distribution(oadr_event(target=Target(ven_ids=("ven-9",))))
    assert replayed(message)["events"][0]["code"] == 200
    assert replayed(message, "--ven-id", "ven-1")["events"][0]["code"] == 462


def test_tolerances_and_schema_faults_are_named() -> None:
    data = codec.encode(distribution(oadr_event())).replace(b"<ei:eiTarget/>", b"")
    data = data.replace(b":00Z", b":00")
    found = replayed(data)
    assert "zoneless_instant" in found["tolerances"]
    broken = codec.encode(Poll(ven_id="v")).replace(b' ei:schemaVersion="2.0b"', b"")
    assert "schema_valid" in replayed(broken)


def test_what_other_messages_are_answered_with() -> None:
    asked = SpecifierPayload(r_id="portfolio/power_w", reading_type="Mean")
    specifier = ReportSpecifier(
        report_specifier_id="s",
        granularity=START - START,
        report_back_duration=START - START,
        payloads=(asked,),
    )
    wanted = ReportRequest(report_request_id="rr-1", specifier=specifier)
    message = CreateReport(request_id="r", requests=(wanted,), ven_id="v")
    assert replayed(message)["answer"].startswith("oadrCreatedReport")
    assert replayed(Poll(ven_id="v"))["answer"].startswith("nothing")


@pytest.fixture(scope="module")
def signed() -> bytes:
    return codec.encode_signed(distribution(oadr_event()), Signer(ec_pair().signing_key), SIGNED_AT)


def test_a_signature_is_judged(signed: bytes) -> None:
    mine, other = ec_pair().fingerprint, ec_pair(1).fingerprint
    unknown = replayed(signed)["signature"]
    assert (unknown["holds"], unknown["trusted"], unknown["signer"]) == (True, False, mine)
    assert replayed(signed, "--fingerprint", mine.lower())["signature"]["trusted"] is True
    result = run("replay", "-", "--fingerprint", other, stdin=signed)
    assert result.exit_code == 1
    assert "whom we do not trust" in result.stdout
    assert mine in result.stdout


def test_an_old_signature_holds_and_is_called_stale(signed: bytes) -> None:
    result = run("replay", "-", "--at", "2026-03-01T00:00:00Z", stdin=signed)
    assert "so refused as stale if it came now" in result.stdout


@pytest.mark.parametrize("words", [[], ["--fingerprint", ec_pair().fingerprint]])
def test_a_changed_message_is_refused_by_its_signature(signed: bytes, words: list[str]) -> None:
    result = run("replay", "-", *words, stdin=signed.replace(b">e1<", b">e2<"))
    assert "(tampered)" in result.stdout
    assert result.exit_code == (1 if words else 0)


def test_an_unsigned_message_is_not_what_a_fingerprint_asks_for() -> None:
    data = codec.encode(Poll(ven_id="v"))
    result = run("replay", "-", "--fingerprint", ec_pair().fingerprint, stdin=data)
    assert result.exit_code == 1
    assert "signature   unsigned" in result.stdout


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty"),
        (b"\x00\xff\xfe", "not UTF-8"),
        (b"hello", "not XML"),
        (b"HTTP/1.1 200 OK\r\n\r\n<x/>", "save the body alone"),
        (b"<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>", "DOCTYPE"),
        (b"<a>" * 200 + b"</a>" * 200, "nested deeper"),
        (b" " * (1 << 20) + b"<a/>", "the limit is"),
    ],
    ids=["empty", "binary", "text", "headers", "entities", "deep", "large"],
)
def test_hostile_files_end_in_a_sentence(data: bytes, reason: str) -> None:
    result = run("replay", "-", stdin=data)
    assert result.exit_code == 1
    assert reason in result.stderr
    assert result.exception is None or isinstance(result.exception, SystemExit)


@pytest.mark.parametrize(
    "words",
    [
        ["replay", "nowhere.xml"],
        ["replay", "/"],
        ["replay", "a\0b"],
        ["replay", "-", "--at", "soon"],
        ["replay", "-", "--fingerprint", "AB:CD"],
    ],
)
def test_wrong_words_end_in_a_sentence(words: list[str]) -> None:
    result = run(*words, stdin=b"")
    assert result.exit_code == 1
    assert result.stderr.startswith("gridyard: ")


def test_xml_of_something_else_is_judged_as_far_as_it_goes() -> None:
    result = run("replay", "-", stdin=b"<a\xc2\x9b xmlns='x'>\xc2\x9b[2J</a\xc2\x9b>")
    assert result.exit_code == 1
    result = run("replay", "-", stdin=b"<a xmlns='x'/>")
    assert result.stdout.startswith("unreadable  the root is")
    assert "schema      not valid" in result.stdout
    assert result.exit_code == 1


def _spoiled() -> Iterator[bytes]:
    for file in GOLDEN:
        yield file.read_bytes()


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    data=st.sampled_from(list(_spoiled())),
    cut=st.integers(0, 4000),
    length=st.integers(0, 60),
    put=st.binary(max_size=20) | st.text(max_size=20).map(str.encode),
)
def test_spoiled_messages_never_crash(data: bytes, cut: int, length: int, put: bytes) -> None:
    spoiled = data[: cut % len(data)] + put + data[cut % len(data) + length :]
    result = run("replay", "-", stdin=spoiled)
    assert result.exit_code in (0, 1)
    assert result.exception is None or isinstance(result.exception, SystemExit)
    assert all(c.isprintable() or c == "\n" for c in result.stdout)
