"""From an event and what is known to plans and instructions, once a minute anew."""
