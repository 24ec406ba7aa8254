"""A past event or day again by another rule, and what would have come out otherwise.

Nothing is stored: a settled report stays what it is.
"""
