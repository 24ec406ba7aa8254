"""`gridyard bench`: ours beside a peer or a floor, in the same run."""
