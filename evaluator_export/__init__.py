"""Safe data for others: select, generalise, suppress, protect, write, seal. Pure: no database, clock or network."""
