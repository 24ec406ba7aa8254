"""The flexibility book over the API."""

import httpx

from support.gateway_web import PROGRAM

BOOK = "/api/v1/book"


async def test_every_site_is_summed_up_or_counted_out_with_the_reason(
    reader: httpx.AsyncClient,
) -> None:
    (page,) = (await reader.get(BOOK, params={"program": PROGRAM, "hours": 4})).json()
    offer = (await reader.get("/api/v1/sites/north-yard/offer")).json()
    assert (page["program_id"], page["group"], len(page["lines"])) == (PROGRAM, "", 4)
    first = page["lines"][0]
    inside = [s for s in offer["slots"] if first["start"] <= s["start"] < first["end"]]
    assert first["sites"] == 1
    assert first["down_w"] == min(slot["down_w"] for slot in inside) > 0
    assert 0 < first["sure_w"] <= first["down_w"]
    assert {"site_id": "harbor", "why": "it has told no offer"} in page["out"]


async def test_an_unknown_program_is_a_problem_in_words(reader: httpx.AsyncClient) -> None:
    answer = await reader.get(BOOK, params={"program": "x"})
    assert (answer.status_code, answer.json()["title"]) == (404, "There is no program 'x'")
    assert (await reader.get(BOOK, params={"hours": 0})).status_code == 422
