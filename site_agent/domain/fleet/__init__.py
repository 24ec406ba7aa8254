"""Vehicles and people: who may charge, who is plugged in, what they need, who will be ready."""
