"""Past events and days measured again by other rules, asked of a running gateway."""
