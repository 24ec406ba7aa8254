"""How the parts of one gateway are put together: sites, what decides, utilities, people."""
