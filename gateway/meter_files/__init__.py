"""Files of meter data as their sources write them: JSON, CSV and Green Button."""
