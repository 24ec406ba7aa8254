"""Adapters to field devices, one folder per wire; `registry` makes them from settings."""
