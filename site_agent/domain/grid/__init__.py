"""What the public grid does to the site: outage, island, return, and its frequency."""
