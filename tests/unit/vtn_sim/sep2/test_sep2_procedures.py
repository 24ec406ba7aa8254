"""The CSIP procedures: complete, playable, and strict about what must come of them."""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

import conformance
from contracts.errors import PermanentError
from contracts.sep2 import codec
from contracts.sep2.resources import (
    DERCapability,
    DERControlResponse,
    DERSettings,
    LogEvent,
    MirrorMeterReading,
    MirrorUsagePoint,
    Reading,
    ReadingType,
    Resource,
    Scaled,
    Subscription,
)
from contracts.testing import FakeClock
from support.sep2_world import AGGREGATOR, FILES, FakeNotifier
from vtn_sim.sep2.actions import AddControl
from vtn_sim.sep2.assessment import shortcomings
from vtn_sim.sep2.director import Director
from vtn_sim.sep2.exchanges import Exchanges
from vtn_sim.sep2.paging import Page
from vtn_sim.sep2.procedures import Procedure, catalogue, lfdi_of, procedure
from vtn_sim.sep2.settings import Sep2ServerSettings
from vtn_sim.sep2.tree import Tree
from vtn_sim.sep2.utility import Utility

BASE = Sep2ServerSettings.model_validate(
    {**FILES, "aggregators": [{"name": "aggregator", "lfdi": AGGREGATOR}]}
)
CONTROL = {
    "action": "add-control",
    "program": "system",
    "name": "ev",
    "start_in_s": 2,
    "duration_s": 3,
    "modes": {"opModMaxLimW": 50},
}
SMALL: dict[str, Any] = {
    "id": "BASIC-999",
    "title": "an example",
    "sep2": {
        "devices": [{"label": "A", "fsas": ["system"]}, {"label": "B", "fsas": ["system"]}],
        "fsas": [{"name": "system", "programs": ["system"]}],
        "programs": [{"name": "system", "primacy": 7}],
        "scenario": [{"after_s": 1, "do": CONTROL}],
    },
    "expect": {"responses": {"ev": {"A": [1, 2, 3]}}},
}


def example(**changes: Any) -> Procedure:
    return Procedure.model_validate({**SMALL, **changes})


class Stage:
    """A utility without sockets that has done everything a procedure wants."""

    def __init__(self, of: Procedure) -> None:
        self.procedure = of
        self.utility = Utility(of.settings(BASE), FakeClock())
        self.tree = Tree(self.utility)
        self.exchanges = Exchanges(100)
        director = Director(self.utility, FakeNotifier())  # type: ignore[arg-type]
        for step in sorted(of.steps(), key=lambda one: (one.relative_to != "start", one.after_s)):
            director.perform(step.do)
        self.saw("GET", "DeviceCapability")

    def saw(self, method: str, kind: str, status: int = 200) -> None:
        now = self.utility.now()
        self.exchanges.add(
            at=now, lfdi=AGGREGATOR, method=method, path=f"/{kind}", kind=kind, status=status
        )

    def send(self, method: str, href: str, resource: Resource) -> str:
        client = self.utility.devices.client(AGGREGATOR)
        assert client is not None
        answer = self.tree.answer(client, method, href, Page(), codec.encode(resource))
        assert answer.status in (201, 204), answer
        return dict(answer.headers).get("Location", "")

    def says(self, label: str, *codes: int, event: str = "ev") -> None:
        hrefs = self.utility.hrefs
        subject = self.utility.controls.get(event).mrid
        for code in codes:
            told = DERControlResponse(end_device_lfdi=lfdi_of(label), status=code, subject=subject)
            self.send("POST", hrefs.responses(hrefs.prefix, "der"), told)

    def href(self, label: str) -> str:
        return self.utility.hrefs.device(self.utility.devices.get(label).number)

    def shortcomings(self, *, refused: Collection[str] = ()) -> list[str]:
        return shortcomings(self.procedure, self.utility, self.exchanges, refused=refused)


# --- the catalogue -------------------------------------------------------------------------------


def test_every_test_of_the_conformance_table_has_a_procedure() -> None:
    tables = yaml.safe_load((conformance.DOCS / "conformance" / "sep2.yaml").read_text())["tables"]
    rows = next(table["rows"] for table in tables if table["name"] == "csip-test")
    assert {row[0] for row in rows} == {one.row for one in catalogue().values()}


def test_every_procedure_names_what_it_rests_on_and_expects_something() -> None:
    for one in catalogue().values():
        assert one.clauses, one.id
        assert one.expect.model_fields_set, one.id
        assert one.lasts_s() < 20, one.id


def test_every_step_is_possible() -> None:
    for name, one in catalogue().items():
        stage = Stage(one)
        listed = {device.lfdi for device in stage.utility.devices.managed}
        deleted = {getattr(step.do, "device", None) for step in one.steps()}
        kept = {lfdi for label, lfdi in one.lfdis.items() if label not in deleted}
        assert kept <= listed, name
        for event in stage.utility.controls.all():
            assert one.expect.answers(event.name), f"{name}: nothing is expected of {event.name}"


def test_times_may_be_stretched_all_of_them() -> None:
    quick, slow = procedure("CORE-021"), procedure("CORE-021").settings(BASE, stretch=60)
    assert [step.after_s for step in slow.scenario] == [150.0] * 3
    controls = [step.do for step in slow.scenario if isinstance(step.do, AddControl)]
    assert [control.start_in_s for control in controls] == [240.0, 240.0, 300.0]
    assert [control.duration_s for control in controls] == [180, 180, 240]
    assert [control.randomize_start_s for control in controls] == [0, 120, -120]
    assert [control.randomize_duration_s for control in controls] == [0, 120, -120]
    polled = procedure("CORE-003").settings(BASE, stretch=60)
    assert polled.poll_rates == {"DERProgramList": 120}
    assert (polled.cert_file, polled.ciphers) == (BASE.cert_file, BASE.ciphers)
    assert procedure("COMM-003").settings(BASE).ciphers.startswith("ECDHE-ECDSA-AES128-CCM8:@")
    assert quick.lasts_s(60) == quick.lasts_s() * 60


def test_repeated_events_have_numbers() -> None:
    steps = procedure("BASIC-015").steps()
    names = [getattr(step.do, "name", None) or getattr(step.do, "event", None) for step in steps]
    assert len(set(names)) == 24
    assert names[:3] == ["first", "queued-1", "queued-2"]
    starts = [step.do.start_in_s for step in steps[1:24] if isinstance(step.do, AddControl)]
    assert starts == [3600.0 + 120.0 * number for number in range(23)]


@pytest.mark.parametrize(
    ("expect", "fault"),
    [
        ({"responses": {"nothing": {"A": [1]}}}, "no event 'nothing'"),
        ({"responses": {"ev": {"C": [1]}}}, "no device"),
        ({"in_force": {"C": [{"after_s": 1, "modes": {"opModMaxLimW": 1}}]}}, "no device"),
        ({"in_force": {"A": [{"event": "x", "after_s": 1, "modes": {"m": 1}}]}}, "no event 'x'"),
        ({"responses": {"ev": {"A": [300]}}}, "255"),
        ({"told": {"DERCapability": ["rtg_max"]}}, "rtg_max"),
        ({"told": {"Capability": []}}, "Capability"),
        ({"notified": ["LogEventList"]}, "LogEventList"),
        ({"something": 1}, "something"),
    ],
)
def test_what_cannot_be_expected_is_refused(expect: dict[str, Any], fault: str) -> None:
    with pytest.raises(ValidationError, match=fault):
        example(expect=expect)


def test_an_unknown_procedure_is_named_with_those_there_are() -> None:
    with pytest.raises(PermanentError, match=r"no procedure 'BASIC-0'.*BASIC-001"):
        procedure("BASIC-0")


# --- what came of it -----------------------------------------------------------------------------


def test_each_answer_once_in_order_and_silence_of_the_others() -> None:
    stage = Stage(example())
    assert stage.shortcomings() == ["ev: A answered [], not [1, 2, 3]"]
    stage.says("A", 1, 2)
    assert stage.shortcomings() == ["ev: A answered [1, 2], not [1, 2, 3]"]
    stage.says("A", 3)
    assert stage.shortcomings() == []
    stage.says("B", 1)
    assert stage.shortcomings() == ["ev: B answered [1], not []"]


@pytest.mark.parametrize("codes", [(1, 3, 2), (1, 2, 3, 3), (2, 3), (1, 2, 7)])
def test_wrong_answers(codes: tuple[int, ...]) -> None:
    stage = Stage(example())
    stage.says("A", *codes)
    assert stage.shortcomings() == [f"ev: A answered {list(codes)}, not [1, 2, 3]"]


def test_either_of_two_codes_may_do() -> None:
    stage = Stage(example(expect={"responses": {"e*": {"all": [1, [7, 14]]}}}))
    stage.says("A", 1, 7)
    stage.says("B", 1, 14)
    assert stage.shortcomings() == []


def test_modes_that_the_devices_lack() -> None:
    stage = Stage(example(optional_modes=True))
    stage.says("A", 1, 252)
    assert stage.shortcomings(refused=["*"]) == []
    assert stage.shortcomings(refused=["other"]) == stage.shortcomings()
    assert stage.shortcomings() == ["ev: A answered [1, 252], not [1, 2, 3]"]
    strict = Stage(example())
    strict.says("A", 1, 252)
    assert strict.shortcomings(refused=["*"]), "its modes are not optional"


def test_a_client_that_should_have_turned_away() -> None:
    stage = Stage(example(expect={"admitted": False}))
    assert stage.shortcomings() == ["1 requests, though the client should not go on"]


def test_manners() -> None:
    stage = Stage(example(expect={}))
    assert stage.shortcomings() == []
    stage.exchanges = Exchanges(100)
    assert stage.shortcomings() == ["no request at all"]
    stage.saw("GET", "EndDeviceList")
    stage.saw("GET", "")
    assert stage.shortcomings() == [
        "the first request is for EndDeviceList",
        "GET /: not from a link",
    ]


def test_requests_are_counted() -> None:
    stage = Stage(example(expect={"requests": {"GET Time": 1, "GET DERList": [0, 1]}}))
    assert stage.shortcomings() == ["0 x GET Time, not at least 1"]
    stage.saw("GET", "Time")
    stage.saw("GET", "DERList")
    assert stage.shortcomings() == []
    stage.saw("GET", "DERList")
    assert stage.shortcomings() == ["2 x GET DERList, not 0 to 1"]


def test_subscriptions_and_notifications() -> None:
    expect = {"subscribed": ["EndDeviceList"], "notified": ["EndDeviceList"]}
    stage = Stage(example(expect=expect))
    assert len(stage.shortcomings()) == 2
    own = stage.href("aggregator")
    wish = Subscription(
        subscribed_resource=stage.utility.hrefs.devices,
        limit=1,
        notification_uri="https://client.example/here",
    )
    stage.send("POST", f"{own}/sub", wish)
    stage.saw("NOTIFY", "EndDeviceList", 201)
    assert stage.shortcomings() == []
    stage.saw("NOTIFY", "EndDeviceList", 400)
    assert stage.shortcomings() == ["a Notification of EndDeviceList was answered 400"]
    assert Stage(example(expect={"subscribed": []})).shortcomings() == []


def test_der_information() -> None:
    stage = Stage(example(expect={"told": {"DERCapability": ["rtg_max_wh"], "DERSettings": []}}))
    assert len(stage.shortcomings()) == 4
    for label in "AB":
        der = f"{stage.href(label)}/der/1"
        stage.send("PUT", f"{der}/dercap", _capability(rtg_max_wh=Scaled.of(5e4)))
        stage.send("PUT", f"{der}/derg", _settings(1e5))
    assert stage.shortcomings() == []
    stage.send("PUT", f"{stage.href('A')}/der/1/derg", _settings(2e5))
    stage.send("PUT", f"{stage.href('B')}/der/1/dercap", _capability())
    assert stage.shortcomings() == [
        "A: rtg_max_w is 100000, but set to 200000",
        "B: DERCapability without rtg_max_wh",
    ]


def _capability(**more: Any) -> DERCapability:
    return DERCapability(modes_supported=1, rtg_max_w=Scaled.of(1e5), type=83, **more)


def _settings(max_w: float) -> DERSettings:
    updated = FakeClock().now()
    return DERSettings(
        modes_enabled=1, set_grad_w=0, set_max_w=Scaled.of(max_w), updated_time=updated
    )


def test_log_events() -> None:
    stage = Stage(example(expect={"log_events": {"A": 2}}))
    for number in range(2):
        assert stage.shortcomings() == [f"{number} LogEvents of A, not 2"]
        event = LogEvent(
            created_date_time=stage.utility.now() + timedelta(seconds=number),
            function_set=0,
            log_event_code=1,
            log_event_id=number,
            log_event_pen=0,
            profile_id=2,
        )
        stage.send("POST", f"{stage.href('A')}/lel", event)
    assert stage.shortcomings() == []


def test_readings_and_their_sum() -> None:
    stage = Stage(example(expect={"readings": {"A": [38], "aggregator": [38]}}))
    assert len(stage.shortcomings()) == 2
    _measured(stage, lfdi_of("A"), 1, 50_000, flow=1, role=0x0049)
    _measured(stage, lfdi_of("B"), 2, 20_000, flow=19, role=0x0049)
    _measured(stage, lfdi_of("B"), 3, 77_000, flow=1, role=0x0003)
    _measured(stage, AGGREGATOR, 4, 30_000, flow=1, role=0x0009)
    assert stage.shortcomings() == [], "what the connection point measures is no DER"
    _measured(stage, AGGREGATOR, 4, 80_000, flow=1, role=0x0009)
    assert stage.shortcomings() == ["at 12:00:00 80000 W, but the DERs 30000 W"]


def _measured(stage: Stage, lfdi: str, number: int, watts: int, *, flow: int, role: int) -> None:
    reading = MirrorMeterReading(
        mrid=f"{number + 0x100:032X}",
        reading=Reading(value=watts),
        reading_type=ReadingType(power_of_ten_multiplier=0, uom=38, flow_direction=flow),
    )
    point = MirrorUsagePoint(
        mrid=f"{number:032X}",
        device_lfdi=lfdi,
        role_flags=role,
        service_category_kind=0,
        status=1,
        meter_readings=(reading,),
    )
    stage.send("POST", stage.utility.hrefs.mirrors, point)
