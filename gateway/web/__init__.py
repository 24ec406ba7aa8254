"""Pages and API for people and programs: operators, utilities and site owners."""
