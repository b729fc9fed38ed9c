"""The only place that speaks SQL: each module is a table with its queries."""
