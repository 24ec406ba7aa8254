"""The gateway's database: what was asked, decided, sent, measured and settled."""
