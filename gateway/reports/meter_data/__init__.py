"""What a site measured, as files and as a Green Button feed."""
