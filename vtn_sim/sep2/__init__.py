"""An IEEE 2030.5-2018 / CSIP(-AUS) server to test against: a whole utility in memory."""
