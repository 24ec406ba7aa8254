"""M-Bus meters (EN 13757), read over a serial line or a transparent gateway."""
