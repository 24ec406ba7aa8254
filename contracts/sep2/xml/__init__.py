"""Plans made once per resource class that carry it to and from XML."""
