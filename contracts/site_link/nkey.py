"""NATS keys (Ed25519): what signs user JWTs and proves who a client is."""

from __future__ import annotations

import os
from enum import IntEnum

import nkeys

from contracts.errors import ConfigError


class Role(IntEnum):
    """What a key stands for; its public form begins with the role's letter."""

    OPERATOR = nkeys.PREFIX_BYTE_OPERATOR
    ACCOUNT = nkeys.PREFIX_BYTE_ACCOUNT
    USER = nkeys.PREFIX_BYTE_USER


class Nkey:
    """A key pair, from its seed.

    Raises:
        ConfigError: not a seed.
    """

    def __init__(self, seed: str) -> None:
        try:
            self._pair: nkeys.KeyPair = nkeys.from_seed(seed.encode())  # type: ignore[no-untyped-call]  # nkeys has no types
        except (nkeys.NkeysError, ValueError) as error:
            raise ConfigError(f"not an nkey seed: {error}") from error
        self.seed = seed
        self.public: str = self._pair.public_key.decode()  # its name everywhere

    @classmethod
    def make(cls, role: Role) -> Nkey:
        """A new key."""
        seed: bytes = nkeys.encode_seed(os.urandom(32), role)  # type: ignore[no-untyped-call]  # nkeys has no types
        return cls(seed.decode())

    def sign(self, data: bytes) -> bytes:
        """The raw signature."""
        signature: bytes = self._pair.sign(data)  # type: ignore[no-untyped-call]  # nkeys has no types
        return signature

    def __repr__(self) -> str:
        return f"Nkey({self.public})"
