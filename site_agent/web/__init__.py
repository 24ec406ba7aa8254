"""The agent's own pages and API, for people and programs at the depot."""
