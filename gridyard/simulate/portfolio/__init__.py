"""A portfolio of a thousand sites on a virtual clock, dispatched by the gateway's own decisions."""
