"""Nominations: hours written down, proposals made before each gate, decided, and counted."""
