"""`gridyard statement`: what programs owe and sites get."""
