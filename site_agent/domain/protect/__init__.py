"""The limits of a site, where they come from, and what they leave chargers and batteries."""
