"""Devices, invitations, lock and wipe, and what a phone should hold."""
