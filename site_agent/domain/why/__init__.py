"""Why everything on the site is as it is: one sentence with what binds, and the way there."""
