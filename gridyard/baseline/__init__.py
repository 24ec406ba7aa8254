"""Baselines from a file or of a running gateway's site, and whether a method is fair there."""
