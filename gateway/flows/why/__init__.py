"""Gathers what is known, for `gateway.domain.why`."""
