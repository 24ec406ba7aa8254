"""What electricity costs: energy by time of use, demand by the highest average, export credit."""
