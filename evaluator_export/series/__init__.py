"""Releases that follow each other: the ledger, batches, pseudonyms."""
