"""What the depot decides, as pure functions over frozen values: no I/O and no clock."""
