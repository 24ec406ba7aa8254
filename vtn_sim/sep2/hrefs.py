"""Addresses: below a prefix that is new at every start, so that only links lead anywhere."""

from __future__ import annotations

import secrets

RESPONSE_SETS = ("der", "load", "price", "flow")


class Hrefs:
    """Where each resource is. `base` is the prefix, or an EndDevice with resources of its own."""

    def __init__(self, entry: str) -> None:
        self.entry = entry
        """DeviceCapability, the only address that is agreed on."""
        self.prefix = f"/{secrets.token_hex(3)}"
        self.time = f"{self.prefix}/tm"
        self.devices = f"{self.prefix}/edev"
        self.mirrors = f"{self.prefix}/mup"

    def device(self, number: int | str) -> str:
        """An EndDevice."""
        return f"{self.devices}/{number}"

    def base(self, device: str | None) -> str:
        """Where a device's own programs are, or everybody's."""
        return self.prefix if device is None else self.device(device)

    def der(self, device: int | str, der: int | str) -> str:
        """One DER of an EndDevice."""
        return f"{self.device(device)}/der/{der}"

    def program(self, base: str, number: int | str) -> str:
        """A DERProgram."""
        return f"{base}/derp/{number}"

    def load_program(self, base: str, number: int | str) -> str:
        """A DemandResponseProgram."""
        return f"{base}/drp/{number}"

    def tariff(self, base: str, number: int | str) -> str:
        """A TariffProfile."""
        return f"{base}/tp/{number}"

    def fsa(self, base: str, number: int | str) -> str:
        """What is common to the function set assignments of a group."""
        return f"{base}/fsa/{number}"

    def responses(self, base: str, response_set: str) -> str:
        """Where events want their Responses: `replyTo`."""
        return f"{base}/rsps/{response_set}/rsp"
