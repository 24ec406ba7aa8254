"""What an integrator needs to enrol with a utility's OpenADR VTN."""
