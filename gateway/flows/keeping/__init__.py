"""What becomes of data as it grows old."""
