"""The field hardware of a depot on real protocol sockets, with personalities and faults."""
