"""Meter data from their sources into the store, and out of it."""
