"""Prices on their way: from their sources into the store, to the sites, and their answer back."""
