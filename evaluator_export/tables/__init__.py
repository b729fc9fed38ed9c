"""Step 4: tables of counts that give away no small number."""
