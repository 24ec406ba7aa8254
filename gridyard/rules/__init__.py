"""`gridyard rules`: check a site's rules, and say what they mean and what they would do."""
