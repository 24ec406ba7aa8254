"""An IEEE 2030.5 / CSIP aggregator client: what one utility shows, asks and is told."""
