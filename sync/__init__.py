"""The conversation of phone and centre: what arrives, and what becomes of it.

In the order of a submission: `sealed` and `envelope` (read it), `bodies` and `openrosa` (its answers), `intake` (decide),
`receipts` (answer), `ancestors` and `fold` (its record). Beside them `notes` (the caseload), `manifest` and `cursor`
(what a phone fetches).
"""
