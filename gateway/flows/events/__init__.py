"""Events come in, are judged and answered, and run their course."""
