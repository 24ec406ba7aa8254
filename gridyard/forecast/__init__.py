"""`gridyard forecast`: what forecasts say, how good they are, and past data in and out."""
