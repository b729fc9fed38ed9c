"""Step 1: what may leave. Policies, thresholds, hierarchies, datasets, recipes, eligibility."""
