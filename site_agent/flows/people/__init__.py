"""What people are told: the decision journal, answers to why, leases."""
