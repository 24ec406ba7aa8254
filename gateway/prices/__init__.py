"""Where prices come from: market platforms, files, and the price events of utilities."""
