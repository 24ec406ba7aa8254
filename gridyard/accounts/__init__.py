"""`gridyard accounts`: a site's month in energy, money and carbon."""
