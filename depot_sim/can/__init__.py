"""Battery management of the plant's batteries on CAN, behind an adapter that speaks SLCAN."""
