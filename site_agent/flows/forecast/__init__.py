"""What the site has been like, and what is to be expected of it."""
