"""`gridyard nominations`: what is promised to programs."""
