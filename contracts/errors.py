"""What went wrong, said as what the caller should do about it.

::

    GridyardError
    ├── TransientError      try again later; nothing was wrong with the request
    │   └── LinkDownError   the peer cannot be reached now
    ├── PermanentError      never retry; tell whoever asked
    │   └── ConfigError     a setting is wrong; the message names the file, the key and the line
    └── ProtocolError       the peer spoke nonsense: log it, answer it, carry on

Workers catch `TransientError` only. Any other exception ends the program for its supervisor.
"""


class GridyardError(Exception):
    """Root of every error raised on purpose."""


class TransientError(GridyardError):
    """Worth another try, unchanged, later."""


class LinkDownError(TransientError):
    """The peer cannot be reached at this moment."""


class PermanentError(GridyardError):
    """The same request will fail every time; the sender must be told."""


class ConfigError(PermanentError):
    """A configuration value is missing or wrong."""


class ProtocolError(GridyardError):
    """A peer sent something its protocol does not allow."""
