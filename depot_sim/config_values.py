"""What settings of a depot are made of."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

Id = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,25}$")]
"""Safe in a URL, an MQTT topic and an OCPP serial number."""
Port = Annotated[int, Field(ge=0, le=65_535)]
"""0: the system chooses."""
Positive = Annotated[float, Field(gt=0, le=1e8, allow_inf_nan=False)]
NotNegative = Annotated[float, Field(ge=0, le=1e8, allow_inf_nan=False)]
Percent = Annotated[float, Field(ge=0, le=100, allow_inf_nan=False)]
Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Celsius = Annotated[float, Field(ge=-40, le=60)]
