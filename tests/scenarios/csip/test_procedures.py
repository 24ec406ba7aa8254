"""The CSIP test procedures by id: `procedures.yaml` says how our client goes through each."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import pytest
import yaml

from support.sep2_cases import Case
from support.sep2_procedure_run import Result
from support.sep2_procedures import outcomes
from vtn_sim.sep2.procedures import catalogue

TABLE = Path(__file__).with_name("procedures.yaml")
CASES = {one["name"]: Case.model_validate(one) for one in yaml.safe_load(TABLE.read_text())}
BATCHES = 4
"""Played one after the other, or in as many processes as there are."""
BATCH = {name: place % BATCHES for place, name in enumerate(CASES)}


class Played:
    """Outcomes; a batch is played when one of it is asked for first."""

    def __init__(self, wanted: Collection[str], folder: Path) -> None:
        self._wanted = wanted
        self._folder = folder
        self._results: dict[str, Result] = {}

    def of(self, name: str) -> Result:
        if name not in self._results:
            batch = [CASES[one] for one in self._wanted if BATCH[one] == BATCH[name]]
            self._results |= outcomes(batch, self._folder)
        return self._results[name]


@pytest.fixture(scope="module")
def played(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Played:
    """Of everything that was selected for this run of the tests."""
    specs = (getattr(item, "callspec", None) for item in request.session.items)
    chosen = {spec.params["procedure"] for spec in specs if spec and "procedure" in spec.params}
    return Played([name for name in CASES if name in chosen], tmp_path_factory.mktemp("sep2"))


def _marked(name: str, case: Case) -> object:
    group = pytest.mark.xdist_group(f"sep2-procedures-{BATCH[name]}")
    return pytest.param(name, marks=(group, pytest.mark.row(*case.rows)))


@pytest.mark.timeout(180)
@pytest.mark.parametrize("procedure", [_marked(name, case) for name, case in CASES.items()])
def test_our_client_passes(procedure: str, played: Played) -> None:
    faults = played.of(procedure).faults
    assert not faults, "\n".join(faults)


def test_our_client_goes_through_every_procedure() -> None:
    assert {case.procedure.id for case in CASES.values()} == catalogue().keys()
    optional = {name for name, one in catalogue().items() if one.optional_modes}
    assert {case.procedure.id for case in CASES.values() if case.inverters} == optional
    assert {case.procedure.id for case in CASES.values() if case.refused} <= optional
