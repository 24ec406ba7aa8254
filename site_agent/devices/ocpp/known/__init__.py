"""What a charging station has told about itself, bounded whatever it says."""
