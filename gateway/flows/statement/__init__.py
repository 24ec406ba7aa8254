"""Statements: made by the calendar or on request from reports, promises and told figures."""
