"""One module per hop: each carries a domain decision from one port to the next."""
