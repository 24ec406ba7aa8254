"""One running system for the tests of a module; each test finds it whole."""

from collections.abc import Iterator

import pytest

from support.broken_utility import BrokenUtility, broken_utility
from support.system import System, running_system
from support.system_layout import make_pki, make_system_layout


@pytest.fixture(scope="module")
def nonsense(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[System, BrokenUtility]]:
    """The system, and the second utility it has to live with, which only talks nonsense."""
    folder = tmp_path_factory.mktemp("system")
    pki = make_pki(folder / "pki")
    with broken_utility(pki) as broken:
        layout = make_system_layout(folder, broken.port, pki)
        with running_system(layout) as system:
            yield system, broken


@pytest.fixture
def system(nonsense: tuple[System, BrokenUtility]) -> System:
    """Everything runs and is in touch."""
    nonsense[0].heal()
    return nonsense[0]


@pytest.fixture
def rested(system: System) -> System:
    """And every depot charges undisturbed."""
    system.rest()
    return system


@pytest.fixture
def broken(nonsense: tuple[System, BrokenUtility]) -> BrokenUtility:
    return nonsense[1]
