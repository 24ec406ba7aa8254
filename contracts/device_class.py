"""Classes of devices that can be asked apart from one another."""

from __future__ import annotations

from enum import StrEnum


class DeviceClass(StrEnum):
    """What a request may be meant for, at every site it reaches."""

    EVSE = "evse"
    """Chargers of vehicles."""
    STORAGE = "storage"
    """Stationary batteries."""
    PV = "pv"
    """Solar inverters: they can be told to make less."""
