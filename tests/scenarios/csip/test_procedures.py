"""The CSIP test procedures by id: `procedures.yaml` says how our client goes through each."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
import yaml

from support.sep2_cases import Case
from support.sep2_procedure_run import Result
from support.sep2_procedures import outcomes
from vtn_sim.sep2.procedures import catalogue

TABLE = Path(__file__).with_name("procedures.yaml")
CASES = {one["name"]: Case.model_validate(one) for one in yaml.safe_load(TABLE.read_text())}


@pytest.fixture(scope="module")
def results(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Mapping[str, Result]:
    """All that were asked for, played beside each other."""
    specs = (getattr(item, "callspec", None) for item in request.session.items)
    wanted = {spec.params["name"] for spec in specs if spec and "name" in spec.params}
    chosen = [case for name, case in CASES.items() if name in wanted]
    return outcomes(chosen, tmp_path_factory.mktemp("sep2"))


@pytest.mark.xdist_group("sep2-procedures")
@pytest.mark.timeout(180)
@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.row(*case.rows)) for name, case in CASES.items()]
)
def test_our_client_passes(name: str, results: Mapping[str, Result]) -> None:
    faults = results[name].faults
    assert not faults, "\n".join(faults)


def test_our_client_goes_through_every_procedure() -> None:
    assert CASES.keys() == catalogue().keys()
    assert {name for name, case in CASES.items() if case.refused} == {
        name for name, procedure in catalogue().items() if procedure.optional_modes
    }
