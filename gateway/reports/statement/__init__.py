"""Statements as a page, PDF and files."""
