from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from contracts.openadr.payloads import (
    CancelReport,
    CreatedReport,
    CreateReport,
    EiResponse,
    RegisteredReport,
    Report,
    ReportInterval,
    ReportPayload,
    ResourceStatus,
    Response,
    UpdatedReport,
    UpdateReport,
)
from contracts.testing import FakeClock
from vtn_sim.config import ReportWish
from vtn_sim.openadr.refusal import Refusal
from vtn_sim.openadr.vtn import Vtn

SECOND = timedelta(seconds=1)


def asked_of(ven: Any) -> CreateReport:
    message = ven.poll()
    assert isinstance(message, CreateReport)
    return message


def usage(clock: FakeClock, request_id: str, *values: float, **content: Any) -> Report:
    """A report of consecutive minutes up to now."""
    start = clock.now() - len(values) * 60 * SECOND
    return Report(
        report_request_id=request_id,
        report_specifier_id="usage",
        created_at=clock.now(),
        start=start,
        intervals=tuple(
            ReportInterval(
                start=start + n * 60 * SECOND,
                duration=60 * SECOND,
                payloads=(ReportPayload(r_id="power", value=value),),
            )
            for n, value in enumerate(values)
        ),
        **content,
    )


def send(ven: Any, *reports: Report) -> EiResponse:
    message = UpdateReport(request_id="u", reports=reports, ven_id=ven.ven_id)
    answer = ven.vtn.handle("EiReport", message)
    assert isinstance(answer, UpdatedReport)
    assert answer.response.request_id == "u"
    return answer.response


def test_offered_usage_is_asked_for_with_the_next_poll(vtn: Vtn, ven: Any) -> None:
    answer = ven.offer("power", "energy")
    assert isinstance(answer, RegisteredReport)
    assert answer.response == EiResponse(request_id="m")
    (request,) = asked_of(ven).requests
    assert request.specifier.report_specifier_id == "usage"
    assert (request.specifier.granularity, request.specifier.report_back_duration) == (
        60 * SECOND,
        300 * SECOND,
    )
    assert [p.r_id for p in request.specifier.payloads] == ["power", "energy"]
    assert request.specifier.window is not None
    assert isinstance(ven.poll(), Response)
    created = CreatedReport(
        response=EiResponse(), pending=(request.report_request_id,), ven_id="ven-1"
    )
    assert not vtn.reports.asked("ven-1")[0].acknowledged
    vtn.handle("EiReport", created)
    assert vtn.reports.asked("ven-1")[0].acknowledged


def test_a_utility_that_wants_no_reports_asks_for_none(
    make_vtn: Callable[..., Vtn], make_ven: Callable[..., Any]
) -> None:
    ven = make_ven(make_vtn(report=None))
    ven.register()
    ven.offer("power")
    assert isinstance(ven.poll(), Response)


def test_an_empty_offer_is_fine(ven: Any) -> None:
    assert isinstance(ven.offer(), RegisteredReport)
    assert isinstance(ven.poll(), Response)


def test_the_same_offer_again_repeats_the_same_request(ven: Any) -> None:
    ven.offer("power")
    first = asked_of(ven)
    ven.register(registration_id=ven.registration_id)
    ven.offer("power")
    assert asked_of(ven).requests == first.requests


def test_another_offer_cancels_the_old_request_first(vtn: Vtn, ven: Any) -> None:
    ven.offer("power")
    (old,) = asked_of(ven).requests
    ven.offer("power", "more")
    cancel = ven.poll()
    assert isinstance(cancel, CancelReport)
    assert cancel.report_request_ids == (old.report_request_id,)
    (new,) = asked_of(ven).requests
    assert [p.r_id for p in new.specifier.payloads] == ["power", "more"]
    assert [a.request for a in vtn.reports.asked("ven-1")] == [new]


def test_a_new_registration_forgets_offers_and_requests(vtn: Vtn, ven: Any) -> None:
    ven.offer("power")
    ven.register()
    assert not vtn.reports.offers("ven-1")
    assert not vtn.reports.asked("ven-1")
    assert isinstance(ven.poll(), Response)


def test_data_is_stored_once_however_often_it_comes(vtn: Vtn, ven: Any, clock: FakeClock) -> None:
    ven.offer("power")
    key = asked_of(ven).requests[0].report_request_id
    for _ in range(2):
        assert send(ven, usage(clock, key, 10.0, 20.0)).ok
    assert send(ven, usage(clock, key, 21.0)).ok
    samples = vtn.telemetry.series("ven-1", "power")
    assert [s.value for s in samples] == [10.0, 21.0]
    assert samples[-1].end == clock.now()
    assert vtn.telemetry.points("ven-1") == ("power",)


def test_data_nobody_asked_for_is_refused_and_the_rest_stored(
    vtn: Vtn, ven: Any, other_ven: Any, clock: FakeClock
) -> None:
    ven.offer("power")
    key = asked_of(ven).requests[0].report_request_id
    assert send(other_ven, usage(clock, key, 1.0)).code == 452
    answer = send(ven, usage(clock, "made-up", 1.0), usage(clock, key, 2.0))
    assert (answer.code, "made-up" in (answer.description or "")) == (452, True)
    assert [s.value for s in vtn.telemetry.series("ven-1", "power")] == [2.0]
    assert not vtn.telemetry.points("ven-2")


def test_intervals_without_times_follow_each_other(vtn: Vtn, ven: Any, clock: FakeClock) -> None:
    ven.offer("power")
    key = asked_of(ven).requests[0].report_request_id
    status = ResourceStatus(online=True, manual_override=False)
    values: tuple[float | ResourceStatus, ...] = (1.0, 2.0, status)
    intervals = tuple(
        ReportInterval(payloads=(ReportPayload(r_id="power", value=v),)) for v in values
    )
    report = Report(
        report_request_id=key,
        report_specifier_id="usage",
        created_at=clock.now(),
        start=clock.now() - timedelta(minutes=3),
        intervals=intervals,
    )
    assert send(ven, report).ok
    samples = vtn.telemetry.series("ven-1", "power")
    assert [s.value for s in samples] == list(values)
    assert [s.start for s in samples[1:]] == [s.end for s in samples[:-1]]
    assert samples[-1].end == clock.now()


async def test_only_the_newest_samples_are_kept(
    make_vtn: Callable[..., Vtn], make_ven: Callable[..., Any], clock: FakeClock
) -> None:
    vtn = make_vtn(keep_samples=2)
    ven = make_ven(vtn)
    ven.register()
    ven.offer("power")
    key = asked_of(ven).requests[0].report_request_id
    send(ven, usage(clock, key, 1.0, 2.0, 3.0))
    assert [s.value for s in vtn.telemetry.series("ven-1", "power")] == [2.0, 3.0]


def test_the_utility_may_ask_for_single_points(vtn: Vtn, ven: Any) -> None:
    ven.offer("power", "energy")
    ven.poll()
    vtn.ask_reports("ven-1", ReportWish(granularity_s=5, report_back_s=0), ["energy"])
    (request,) = asked_of(ven).requests
    assert [p.r_id for p in request.specifier.payloads] == ["energy"]
    assert request.specifier.granularity == 5 * SECOND
    assert len(vtn.reports.asked("ven-1")) == 2


@pytest.mark.parametrize("r_ids", [["nothing"], ["power", "nothing"]])
def test_points_not_offered_are_not_asked_for(vtn: Vtn, ven: Any, r_ids: list[str]) -> None:
    ven.offer("power")
    with pytest.raises(Refusal, match="nothing"):
        vtn.ask_reports("ven-1", ReportWish(), r_ids)
    assert len(vtn.reports.asked("ven-1")) == 1


def test_a_ven_that_offers_nothing_cannot_be_asked(vtn: Vtn, ven: Any) -> None:
    with pytest.raises(Refusal, match="not offered"):
        vtn.ask_reports("ven-1", ReportWish(), [])


def test_a_ven_cannot_ask_the_utility_for_reports(vtn: Vtn, ven: Any) -> None:
    ven.offer("power")
    request = asked_of(ven)
    answer = vtn.handle("EiReport", request)
    assert isinstance(answer, CreatedReport)
    assert answer.response.code == 461
