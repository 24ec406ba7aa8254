"""Wishes for the hours ahead: the plan, and the rules of the site."""
