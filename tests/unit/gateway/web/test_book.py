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


async def test_each_class_of_devices_has_a_book_of_its_own(reader: httpx.AsyncClient) -> None:
    async def first(device_class: str) -> dict[str, float]:
        query: dict[str, str | int] = {"program": PROGRAM, "hours": 1}
        query["device_class"] = device_class
        (page,) = (await reader.get(BOOK, params=query)).json()
        return dict(page["lines"][0])

    (whole,) = (await reader.get(BOOK, params={"program": PROGRAM, "hours": 1})).json()
    evse, storage, pv = [await first(name) for name in ("evse", "storage", "pv")]
    assert evse["down_w"] + storage["down_w"] + pv["down_w"] == whole["lines"][0]["down_w"]
    assert (storage["up_w"], pv["up_w"]) == (12_000.0, 8_000.0)
    (slot, *_) = (await reader.get("/api/v1/sites/north-yard/offer")).json()["slots"]
    assert [part["device_class"] for part in slot["parts"]] == ["evse", "storage", "pv"]
    assert (await reader.get(BOOK, params={"device_class": "kettle"})).status_code == 422
