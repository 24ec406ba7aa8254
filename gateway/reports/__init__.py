"""What people read and keep: participation reports; rooms for statements, summaries, meter data."""
