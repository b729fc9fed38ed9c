"""Step 3: releases that follow each other. The ledger of what was published, and batches."""
