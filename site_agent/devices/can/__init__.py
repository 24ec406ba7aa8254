"""Battery management systems on CAN, described by DBC files."""
