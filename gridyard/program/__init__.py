"""`gridyard program`: templates, rules in words, counters of use, who may join."""
