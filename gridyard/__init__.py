"""The command: every program of Gridyard, the demo that runs them all, and tools to check them."""
