"""What goes into a release.

`gather.py` says in which order, the other modules do the steps.

assembly (what a build knows) → ledger_state (what was published, which rows are new) and table_counts
(counts of periods), both fed by answers (records with their standing consent) → gather (the contents).
"""
