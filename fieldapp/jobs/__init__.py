"""Scheduled work: what runs when (timetable) and how (runner)."""
