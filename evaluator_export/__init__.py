"""Make data safe to share. Pure: no database, clock or network.

A release goes through these packages in this order:

1. `policy`: how a table is made safe: roles, hierarchies, what a class must have.
2. `datasets`: which answers become rows, whose consent they need, who gets which columns.
3. `search`: the levels at which a table loses least while nobody stands out.
4. `series`: releases that follow each other: the ledger, batches, pseudonyms.
5. `tables`: counts that give away no small number.
6. `formats` and `summary`: files for programs and for readers.
7. `package`: one signed file of all that, and the check of it.

`products` computes what the City and the public see, from protected tables only.
"""
