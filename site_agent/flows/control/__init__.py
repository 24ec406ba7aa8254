"""Snapshot, decide, apply: the one writer of setpoints, and what it asks at every cycle."""
