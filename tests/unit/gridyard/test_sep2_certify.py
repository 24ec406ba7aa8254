"""`gridyard sep2 certify`: its catalogue, its words, and the command against the simulator."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner, Result

from certs.pki import Pki
from contracts.errors import ConfigError
from gridyard.cli import app
from gridyard.sep2.certify import report
from gridyard.sep2.certify.bench import Exchanged
from gridyard.sep2.certify.impossible import IMPOSSIBLE
from gridyard.sep2.certify.judging import Judgement, judge
from gridyard.sep2.certify.unattended import READING, WRITING
from gridyard.sep2.certify.watch_list import WATCHED
from gridyard.sep2.certify.witness import Answer, Seen, Sight
from support.sep2_acting import der_control
from support.sep2_client import client_settings
from support.sep2_server import RunningSep2, made_pki, running_sep2
from vtn_sim.sep2.procedures import catalogue

RUN = CliRunner()
LATER = datetime(2026, 3, 4, 15, tzinfo=UTC)


@pytest.fixture(scope="session")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Pki:
    return made_pki(tmp_path_factory.mktemp("pki"))


# --- the catalogue -----------------------------------------------------------------------------


def test_every_procedure_of_the_simulator_has_a_form_or_a_reason() -> None:
    unattended = {one.id for one in (*READING, *WRITING)}
    forms = unattended | WATCHED.keys() | IMPOSSIBLE.keys()
    assert {one for one in catalogue() if one not in forms and one.rstrip("ABC") not in forms} == (
        set()
    )
    assert not IMPOSSIBLE.keys() & (unattended | WATCHED.keys())


def test_operators_are_told_what_to_do_and_what_is_wanted() -> None:
    for one in WATCHED.values():
        assert one.operator
        assert all(want.text for want in one.wants)


@pytest.mark.parametrize(("text", "seconds"), [("90s", 90), ("30m", 1800), ("24h", 86_400)])
def test_spans(text: str, seconds: int) -> None:
    assert report.span(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize("text", ["", "0s", "30", "-1m", "25h", "1.5h", "m"])
def test_what_is_no_span(text: str) -> None:
    with pytest.raises(ConfigError, match="--for"):
        report.span(text)


def test_what_cannot_be_watched_is_told_why() -> None:
    assert report.chosen("basic-017").id == "BASIC-017"
    with pytest.raises(ConfigError, match="301 and 302"):
        report.chosen("ERR-001")
    with pytest.raises(ConfigError, match="there are: CORE-018"):
        report.chosen("BASIC-999")


# --- the judge ---------------------------------------------------------------------------------


class Record:
    """A witness of what a test says."""

    keeps_what_is_unlisted, knew_controls = True, False

    def __init__(self, *controls: Seen, sights: Sequence[Sight] = ()) -> None:
        self.controls, self.sights = controls, sights

    def lists(self, lfdi: str) -> bool:
        return lfdi != "gone"


def seen(number: int, *codes: int, primacy: int = 1, lfdi: str = "A", **more: Any) -> Seen:
    control = der_control(number, 0, 10, {"opModMaxLimW": 5000}, **more)
    key = (primacy, str(primacy))
    found = Seen(
        lfdi=lfdi, site="depot-1", program="p", key=key, control=control, at=control.creation_time
    )
    found.answers = [answer(code) for code in codes]
    return found


def answer(code: int, status: int = 201, location: str | None = "/rsp/1") -> Answer:
    exchange = Exchanged(
        at=LATER, method="POST", path="/rsp", body=b"", status=status, location=location
    )
    return Answer(code=code, exchange=exchange)


def judged(procedure: str, *controls: Seen, sights: Sequence[Sight] = ()) -> Judgement:
    record = Record(*controls, sights=sights)
    return judge(WATCHED[procedure], record, LATER)  # type: ignore[arg-type] # a stand-in


def test_both_of_one_mode_at_one_time_must_not_run() -> None:
    found = judged("BASIC-021", seen(1, 1, 2, 3, primacy=1), seen(2, 1, 2, 3, primacy=5))
    assert found.outcome == "FAIL"
    assert "control 2 at depot-1 ran to its end, though control 1" in found.reasons[0]


@pytest.mark.parametrize("code", [7, 14])
def test_either_code_for_what_is_displaced_will_do(code: int) -> None:
    found = judged("BASIC-021", seen(1, 1, 2, 3, primacy=1), seen(2, 1, code, primacy=5))
    assert found.outcome == "PASS"


def test_what_is_displaced_or_cancelled_without_a_cause_fails() -> None:
    assert "no better control overlaps" in judged("BASIC-021", seen(2, 1, 7)).reasons[0]
    assert "answered 6, but is listed" in judged("CORE-022", seen(2, 1, 6)).reasons[0]


def test_a_response_needs_201_and_a_location() -> None:
    control = seen(1, 1, 2)
    control.answers.append(answer(3, location=None))
    found = judged("BASIC-017", control)
    assert found.outcome == "FAIL"
    assert "Location missing, not 201 with a Location" in found.reasons[0]


def test_answers_in_a_wrong_order_fail() -> None:
    assert judged("BASIC-017", seen(1, 1, 3)).reasons == ["control 1 at depot-1 was answered 1, 3"]


def test_what_is_overdue_fails_but_not_for_a_device_that_is_gone() -> None:
    assert "no Response 3" in judged("BASIC-017", seen(1, 1, 2)).reasons[0]
    found = judged(
        "MAINT-001",
        seen(1, 1, 2, lfdi="gone"),
        sights=[Sight(kind="gone", what="no longer listed", at=LATER)],
    )
    assert found.outcome == "PASS"


def test_a_mode_no_device_has_may_be_answered_252() -> None:
    curve = der_control(1, 0, 10, {"opModVoltVar": True})
    control = seen(1, 1, 252)
    control.control = curve
    assert judged("BASIC-006", control).outcome == "PASS"
    assert judged("BASIC-010", seen(1, 1, 252)).outcome == "NOT SEEN"


# --- the command -------------------------------------------------------------------------------


def gateway_file(server: RunningSep2, folder: Path) -> Path:
    """Settings of a gateway that is this server's aggregator."""
    sep2 = json.loads(client_settings(server, poll_s=0.3).model_dump_json(exclude_none=True))
    del sep2["response_codes"]
    link = dict.fromkeys(("ca", "broker_cert", "broker_key", "cert", "key", "nats"), "unused")
    site = {"name": "depot", "time_zone": "UTC", "import_limit_w": 100_000}
    sites = [{"site_id": f"depot-{number}", **site} for number in (1, 2)]
    file = folder / "gateway.yaml"
    file.write_text(yaml.safe_dump({"data": "d", "sites": sites, "link": link, "sep2": [sep2]}))
    return file


async def run(server: RunningSep2, folder: Path, *options: str) -> Result:
    """The command in a thread, so that the server goes on."""
    words = ["sep2", "certify", "--config", str(gateway_file(server, folder)), *options]
    return await asyncio.to_thread(lambda: RUN.invoke(app, words))


async def test_the_command_announces_what_it_writes_and_lists_the_rest(
    pki: Pki, tmp_path: Path
) -> None:
    async with running_sep2(pki) as server:
        answer_ = await run(server, tmp_path)
    assert answer_.exit_code == 0, answer_.output
    said = answer_.stdout
    assert said.index("These write on the server") < said.index("pass  COMM-002")
    assert "pass  BASIC-029  mirror usage point of a device" in said
    assert "n/a   CORE-018   a Notification on a change: the settings have no listener" in said
    assert "  BASIC-017  a single event" in said
    assert "  ERR-001    the server would have to answer 301 and 302" in said


async def test_a_failure_ends_with_1_and_json_holds_everything(pki: Pki, tmp_path: Path) -> None:
    async with running_sep2(pki) as server:
        await server.act("set-pin", device="depot-1", pin=222_227)
        answer_ = await run(server, tmp_path, "--read-only", "--json")
    assert answer_.exit_code == 1
    shown = json.loads(answer_.stdout)
    failed = [one["title"] for one in shown["verdicts"] if one["passed"] is False]
    assert failed == ["devices and PINs"]
    assert {one["id"] for one in shown["watch"]} == WATCHED.keys()
    assert "COMM-004D" in shown["impossible"]


async def test_a_watch_that_sees_nothing_ends_with_1(pki: Pki, tmp_path: Path) -> None:
    async with running_sep2(pki) as server:
        answer_ = await run(server, tmp_path, "--watch", "BASIC-016", "--for", "6s", "--json")
    assert answer_.exit_code == 1
    shown = json.loads(answer_.stdout)
    assert shown["outcome"] == "NOT SEEN"
    assert shown["reasons"] == ["0 of 1 seen: a DefaultDERControl that has changed"]
    assert "1. change the DefaultDERControl" in answer_.stderr


async def test_an_unknown_watch_is_a_plain_sentence(pki: Pki, tmp_path: Path) -> None:
    async with running_sep2(pki) as server:
        answer_ = await run(server, tmp_path, "--watch", "NOTHING")
    assert answer_.exit_code == 3
    assert "--watch NOTHING is no watch procedure" in answer_.stderr
