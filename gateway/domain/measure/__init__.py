"""What was delivered: past days, baselines, performance, and the report's data."""
