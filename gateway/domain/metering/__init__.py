"""Revenue meters: intervals of energy, what is wrong with them, and which are missing."""
