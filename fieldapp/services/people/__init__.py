"""Accounts, roles, sign-in, passwords and second factors."""
