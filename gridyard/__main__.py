"""`python -m gridyard`."""

from gridyard.cli import main

main()
