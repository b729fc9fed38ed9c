"""What is kept: one folder per subject, each module a table with its queries. The only place that speaks SQL."""
