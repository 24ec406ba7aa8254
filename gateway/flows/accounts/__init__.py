"""Energy accounts of a site's month, from what is stored."""
