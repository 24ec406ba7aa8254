"""What utilities may be told of the portfolio."""
