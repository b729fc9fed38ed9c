"""How a table is made safe: roles, hierarchies, privacy models, thresholds."""
