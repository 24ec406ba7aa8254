"""A running gateway, as commands name and ask it."""
