"""Which extensions of the standard a peer speaks."""

from __future__ import annotations

from dataclasses import dataclass

CSIPAUS_V1_2 = "https://csipaus.org/ns"
CSIPAUS_V1_3 = "https://csipaus.org/ns/v1.3"
CSIPAUS_V1_3_STORAGE = "https://csipaus.org/ns/v1.3-beta/storage"
CSIPAUS_NAMESPACES = (CSIPAUS_V1_2, CSIPAUS_V1_3, CSIPAUS_V1_3_STORAGE)
"""Namespaces of CSIP-AUS: all are read, as one."""

_STORAGE = frozenset({"opModStorageTargetW", "vppModesSupported", "vppModesEnabled", "setMinWh"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """What may be written for a peer; `csipaus` None refuses the Australian elements."""

    csipaus: str | None = None

    def check(self, name: str) -> None:
        """Whether the CSIP-AUS element `name` may be written.

        Raises:
            ValueError: the peer's schema does not have it.
        """
        if self.csipaus is None:
            raise ValueError(f"{name} is CSIP-AUS, which the peer does not speak")
        if self.csipaus == CSIPAUS_V1_2 and name in _STORAGE:
            raise ValueError(f"{name} is not in CSIP-AUS v1.2")


PLAIN = Dialect()
"""IEEE 2030.5-2018 and nothing else."""
