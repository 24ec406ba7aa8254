"""A site opts out of a utility's control and in again: page and API do the same."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx
import pytest

from contracts.errors import PermanentError
from contracts.time import Interval
from gateway.ports import SiteControl
from gridyard.sep2 import choices
from support.gateway_web import NOW, World

ID = "0000007A0000000000000000ABCDEF01"
API = f"/api/v1/controls/pacific-der/{ID}"
PAGE = f"/controls/pacific-der/{ID}"
BODY = {"site_id": "harbor", "reason": "early departures"}


def control(site_id: str = "harbor", binding: str = "") -> SiteControl:
    return SiteControl(
        utility_id="pacific-der",
        control_id=ID,
        site_id=site_id,
        window=Interval.lasting(NOW - timedelta(minutes=5), timedelta(minutes=30)),
        running=True,
        asks="opModLoadLimW 60000 W",
        opted_out=False,
        binding=binding,
    )


@pytest.fixture(autouse=True)
def _listed(world: World) -> None:
    world.controls.listed = [control(), control("east", binding="opModImpLimW binds")]


async def test_the_api_says_who_takes_part(client: httpx.AsyncClient) -> None:
    (harbor,) = (await client.get("/api/v1/sites/harbor/controls")).json()
    (east,) = (await client.get("/api/v1/sites/east/controls")).json()
    assert (harbor["control_id"], harbor["asks"]) == (ID, "opModLoadLimW 60000 W")
    assert (harbor["may_opt_out"], harbor["opted_out"], harbor["running"]) == (True, False, True)
    assert (east["may_opt_out"], east["binding"]) == (False, "opModImpLimW binds")
    assert (await client.get("/api/v1/sites/nowhere/controls")).status_code == 404


async def test_opting_out_and_in_is_repeatable(client: httpx.AsyncClient, world: World) -> None:
    answers = [
        await client.post(f"{API}/{way}", json=BODY)
        for way in ("opt-outs", "opt-outs", "opt-ins", "opt-ins")
    ]
    assert [one.status_code for one in answers] == [201, 200, 201, 200]
    assert [one.json()["opted_out"] for one in answers] == [True, True, False, False]
    assert [(cause, out) for *_, cause, out in world.controls.done] == [
        ("opted out by a person at the gateway: early departures", True),
        ("opted in by a person at the gateway: early departures", False),
    ]


async def test_a_key_stands_for_one_choice(client: httpx.AsyncClient, world: World) -> None:
    key = {"Idempotency-Key": "k1"}
    first = await client.post(f"{API}/opt-outs", json=BODY, headers=key)
    other = await client.post(f"{API}/opt-ins", json=BODY, headers=key)
    assert (first.status_code, other.status_code) == (201, 422)
    assert len(world.controls.done) == 1


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        (API, {"site_id": "east"}, 409),
        (API, {"site_id": "north-yard"}, 404),
        (API, {"site_id": "nowhere"}, 404),
        (API, {}, 422),
        (API, {"site_id": "harbor", "force": True}, 422),
        (API.replace("7A", "7B"), {"site_id": "harbor"}, 404),
        (API.replace("pacific", "other"), {"site_id": "harbor"}, 404),
    ],
)
async def test_what_cannot_be_done_is_told(
    client: httpx.AsyncClient, world: World, path: str, body: object, status: int
) -> None:
    answer = await client.post(f"{path}/opt-outs", json=body)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert world.controls.done == []


async def test_the_site_page_leads_to_the_choice(client: httpx.AsyncClient, world: World) -> None:
    page = (await client.get("/sites/harbor")).text
    assert f'href="{PAGE}/opt-out?site=harbor"' in page
    assert "must take part" in (await client.get("/sites/east")).text
    question = (await client.get(f"{PAGE}/opt-out?site=harbor")).text
    assert f'action="{PAGE}/opt-out"' in question
    assert "opModLoadLimW 60000 W" in question
    form = {"site": "harbor", "reason": "vans  leave early"}
    headers = {"Sec-Fetch-Site": "same-origin"}
    answer = await client.post(f"{PAGE}/opt-out", data=form, headers=headers)
    assert (answer.status_code, answer.headers["location"]) == (303, "/sites/harbor")
    assert [done[3] for done in world.controls.done] == [
        "opted out by a person at the gateway: vans leave early"
    ]
    after = (await client.get("/sites/harbor")).text
    assert "Opted out" in after
    assert f'href="{PAGE}/opt-in?site=harbor"' in after
    assert "takes part again" in (await client.get(f"{PAGE}/opt-in?site=harbor")).text
    await client.post(f"{PAGE}/opt-in", data={"site": "harbor"}, headers=headers)
    assert [out for *_, out in world.controls.done] == [True, False]


@pytest.mark.parametrize(
    ("path", "site", "status"),
    [("opt-out", "east", 409), ("opt-out", "nowhere", 404), ("opt-away", "harbor", 422)],
)
async def test_a_form_that_cannot_be_followed_is_refused(
    client: httpx.AsyncClient, world: World, path: str, site: str, status: int
) -> None:
    answer = await client.post(f"{PAGE}/{path}", data={"site": site})
    assert answer.status_code == status
    assert world.controls.done == []


async def test_another_sites_page_changes_nothing(client: httpx.AsyncClient, world: World) -> None:
    headers = {"Sec-Fetch-Site": "cross-site"}
    for path in (f"{PAGE}/opt-out", f"{API}/opt-outs"):
        assert (
            await client.post(path, data={"site": "harbor"}, headers=headers)
        ).status_code == 403
    assert world.controls.done == []


async def test_who_has_opted_out_may_come_back_whatever_the_rule(
    client: httpx.AsyncClient, world: World
) -> None:
    """The settings may have become stricter in the meantime."""
    world.controls.listed = [replace(control(binding="none"), opted_out=True)]
    assert f'href="{PAGE}/opt-in?site=harbor"' in (await client.get("/sites/harbor")).text
    assert (await client.post(f"{API}/opt-ins", json=BODY)).status_code == 201


async def test_the_command_line_does_the_same(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def client(**fields: Any) -> httpx.AsyncClient:
        return real(transport=httpx.ASGITransport(app=world.app), base_url=fields["base_url"])

    real = httpx.AsyncClient
    monkeypatch.setattr(httpx, "AsyncClient", client)
    api = "http://localhost"
    (line, part) = choices.described("harbor", await choices.controls(api, "harbor"))
    assert "opModLoadLimW 60000 W" in line
    assert part.endswith("takes part")
    for way, out in (("out", True), ("in", False)):
        done = await choices.choose(api, "harbor", ID.lower(), way, utility=None, reason="why")  # type: ignore[arg-type]
        assert done["opted_out"] is out
    assert [out for *_, out in world.controls.done] == [True, False]
    with pytest.raises(PermanentError, match="opModImpLimW binds"):
        await choices.choose(api, "east", ID, "out", utility="pacific-der", reason="")
    with pytest.raises(PermanentError, match="no such control"):
        await choices.choose(api, "harbor", "00", "out", utility=None, reason="")
    with pytest.raises(PermanentError, match="There is no site"):
        await choices.controls(api, "nowhere")
