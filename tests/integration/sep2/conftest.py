"""One PKI for all tests of this folder."""

from __future__ import annotations

import pytest

from certs.pki import Pki
from support.sep2_server import made_pki


@pytest.fixture(scope="session")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Pki:
    return made_pki(tmp_path_factory.mktemp("pki"))
