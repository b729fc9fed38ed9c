"""What is stored: one folder per subject, each module a table with its queries.

No other part of the product speaks SQL.
"""
