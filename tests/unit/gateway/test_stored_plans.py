"""Plans in the store, also those written before a step's limit had its present name."""

from typing import Any

import pytest

from contracts.errors import PermanentError
from gateway.store.documents import PLAN
from support.gateway_store import dispatch_plan


def of_before() -> dict[str, Any]:
    document = PLAN.dump(dispatch_plan(1))
    for allocation in document["allocations"]:
        for step in allocation["steps"]:
            step["import_limit_w"] = step.pop("limit_w")
    return document


def test_a_plan_of_before_reads_as_the_same_plan_and_stays_as_it_is_stored() -> None:
    document = of_before()
    kept = repr(document)
    assert PLAN.load(document) == dispatch_plan(1)
    assert repr(document) == kept
    assert PLAN.load(PLAN.dump(dispatch_plan(2))) == dispatch_plan(2)


@pytest.mark.parametrize(
    "document",
    [
        {},
        [],
        {"allocations": "x"},
        {"allocations": [None, {"steps": "x"}]},
        {"allocations": [{"steps": [{"import_limit_w": 1}]}, 7]},
    ],
)
def test_what_is_no_plan_is_told_as_such(document: object) -> None:
    with pytest.raises(PermanentError, match="stored DispatchPlan unreadable"):
        PLAN.load(document)
