"""Programs as people write them: YAML rules and templates, read into the domain's words."""
