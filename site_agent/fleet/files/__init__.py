"""Vehicles and trips from CSV files: read with patience, refused as a whole, by line."""
