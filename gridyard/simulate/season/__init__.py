"""A year of events of three programs on a virtual clock, with a ledger that must balance."""
