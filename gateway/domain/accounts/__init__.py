"""A site's month: whose energy it was, where it came from, what it cost, what it emitted."""
