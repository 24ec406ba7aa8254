"""Prices of energy in time: what is published, what holds, what a site pays, how it answers."""
