"""The VTN itself: what it knows and what it answers (`vtn`), and its way over https (`service`)."""
