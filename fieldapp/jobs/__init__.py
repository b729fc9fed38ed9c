"""The clock's door: what runs when (timetable) and how (runner)."""
