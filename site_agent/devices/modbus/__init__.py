"""Modbus register links: one per socket or bus, one request in flight, never a stale answer."""
