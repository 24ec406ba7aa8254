"""The participation report: one set of report data, written as HTML and as PDF."""
