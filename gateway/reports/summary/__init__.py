"""A program over a month or season, as a page and files."""
