"""A Modbus server of our own: it can be late, silent, cut short and wrong, which others cannot.

Framing (`framing`), the application protocol (`pdu`), sockets and serial lines (`server`), and what
every device on it has in common (`device`).
"""
