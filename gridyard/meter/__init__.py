"""Intervals of revenue meters, delivered to and shown by a running gateway."""
