"""What is wrong with meters, chargers and sites, seen in what they have told."""
