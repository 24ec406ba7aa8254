"""Looks for anomalies in what is stored, before they reach a bill."""
