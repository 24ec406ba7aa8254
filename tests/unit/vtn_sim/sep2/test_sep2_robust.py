"""Whatever is sent wherever: an answer, never a crash, and everything can still be read."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contracts.sep2 import codec
from contracts.sep2.resources import Resource
from contracts.testing import FakeClock
from support import sep2_samples, sep2_samples_more
from support.sep2_world import DIALECT, SETTINGS, World
from vtn_sim.sep2.routing import MAX_BODY_BYTES

EVERYTHING = {
    **SETTINGS,
    "in_band": "any",
    "load_programs": [{"name": "loads", "primacy": 1}],
    "tariffs": [{"name": "tou", "prices": [{"at": "00:00", "price": 1, "export_price": 1}]}],
    "flow_reservation": {},
    "fsas": [
        {
            "name": "wide",
            "programs": ["wide"],
            "load_programs": ["loads"],
            "tariffs": ["tou"],
        },
        {"name": "narrow", "programs": ["narrow"]},
    ],
}
SAMPLES = [
    sample
    for module in (sep2_samples, sep2_samples_more)
    for sample in vars(module).values()
    if isinstance(sample, Resource)
]
ANSWERS = {200, 201, 204, 400, 403, 404, 405, 409, 413}


def full_world() -> World:
    world = World(FakeClock(), **EVERYTHING)
    world.act("add-control", program="wide", start_in_s=0, duration_s=60, modes={"opModImpLimW": 1})
    world.act("add-load-control", program="loads", start_in_s=0, duration_s=60, device_category=1)
    return world


def everything(world: World) -> list[str]:
    """Every path that links lead to."""
    found: dict[str, None] = {}
    queue = deque([world.utility.hrefs.entry])
    while queue:
        path = queue.popleft()
        if path not in found:
            found[path] = None
            answer = world.answer("GET", path + "?l=255")
            assert answer.status in (200, 404), path
            links = re.findall(rb'(?:href|replyTo)="([^"]+)"', answer.body)
            queue.extend(link.decode() for link in links)
    return list(found)


def test_every_resource_sent_everywhere() -> None:
    world = full_world()
    assert len(SAMPLES) > 30
    bodies = [codec.encode(sample, DIALECT) for sample in SAMPLES]
    for path in everything(world):
        for body in bodies:
            for method in ("PUT", "POST"):
                answer = world.answer(method, path, body)
                assert answer.status in ANSWERS, (method, path)
    assert len(everything(world)) > 50


def test_deleting_everything() -> None:
    world = full_world()
    for path in everything(world):
        assert world.answer("DELETE", path).status in ANSWERS
    assert len(everything(world)) > 50


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), body=st.binary(max_size=300))
def test_nonsense(make_world: Callable[..., World], data: st.DataObject, body: bytes) -> None:
    world = make_world()
    paths = [world.utility.hrefs.entry, world.utility.hrefs.devices, world.utility.hrefs.mirrors]
    tail = data.draw(st.text(alphabet="/0123edvrslpa.%{}é", max_size=20))
    path = data.draw(st.sampled_from(paths)) + tail
    method = data.draw(st.sampled_from(["GET", "HEAD", "PUT", "POST", "DELETE", "PATCH", ""]))
    assert world.answer(method, path.replace("?", ""), body).status in ANSWERS


def test_a_body_that_is_too_large_is_refused(world: World) -> None:
    body = b"<x>" + b" " * MAX_BODY_BYTES + b"</x>"
    assert world.answer("POST", world.utility.hrefs.devices, body).status == 400


@pytest.mark.parametrize("number", ["99999999999999999999", "٣", "-1", "1e3", "1.0", " 1"])
def test_numbers_that_are_none(world: World, number: str) -> None:
    assert world.status("GET", f"{world.utility.hrefs.devices}/{number}") == 404
