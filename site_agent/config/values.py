"""Values that many settings have."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field


def _resolvable(host: str) -> str:
    """The resolver would raise in the middle of a connect."""
    try:
        host.encode("idna")
    except UnicodeError as error:
        raise ValueError("no host name: its parts have 1 to 63 characters") from error
    return host


Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,60}$")]
Host = Annotated[str, Field(min_length=1, max_length=253), AfterValidator(_resolvable)]
Port = Annotated[int, Field(ge=0, le=65535)]
"""0 takes any free one, where it is ours to choose."""
PeerPort = Annotated[int, Field(ge=1, le=65535)]
SerialDevice = Annotated[str, Field(pattern=r"^(/[A-Za-z0-9._/:+-]{1,200}|COM[0-9]{1,3})$")]
Parity = Literal["N", "E", "O"]
Positive = Annotated[float, Field(gt=0)]
Amps = Annotated[float, Field(ge=0, le=5000)]
Percent = Annotated[float, Field(ge=0, le=100)]
