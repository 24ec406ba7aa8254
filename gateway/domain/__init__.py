"""What the aggregator decides, as pure functions over frozen values: no I/O and no clock."""
