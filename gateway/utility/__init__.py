"""Adapters to utilities, one folder per protocol."""
