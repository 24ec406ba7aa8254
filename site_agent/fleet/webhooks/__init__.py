"""Events out: signed, in order for each vehicle, again and again until they are heard."""
