"""M-Bus meters of the plant, on a serial line (a pty) or behind a transparent gateway."""
