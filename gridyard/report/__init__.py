"""`gridyard report`: participation reports and meter data as files, one or many."""
