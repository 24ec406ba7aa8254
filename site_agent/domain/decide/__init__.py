"""What every device should do now, within the limits of `protect`: the control decision."""
