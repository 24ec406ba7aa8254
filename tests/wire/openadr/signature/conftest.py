"""Whose key signs."""

from __future__ import annotations

import pytest

from support.openadr_keys import PemPair, ec_pair, rsa_pair


@pytest.fixture(params=[rsa_pair, ec_pair], ids=["RSA", "EC"])
def pair(request: pytest.FixtureRequest) -> PemPair:
    made: PemPair = request.param()
    return made
