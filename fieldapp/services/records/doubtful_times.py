"""Records whose time cannot be right, because of a phone's clock or a typed day.

They are stored and counted like others; somebody at the centre is asked to look, since a record of another year would
else be missing from this quarter's numbers without anybody knowing.
"""

import datetime as dt

DOUBTFUL = "clock"  # the value is stored as the record's review
AHEAD = dt.timedelta(days=1)  # room for a phone that is set to another time zone
# A clock or a typed day that is wrong by a whole year is the likeliest of all, and a phone that lay in a drawer for so long
# is rare: then somebody looks, and nothing else.
LONG_AGO = dt.timedelta(days=330)
FIRST_DAY = dt.date(2024, 1, 1)  # before this program was written: a clock that was set back to its factory's day
MOST_OFF = 12 * 60  # minutes that a phone's clock may differ from the centre's


def is_doubtful(finished_at: dt.datetime, occurred_on: dt.date, received_at: dt.datetime, minutes_off: int) -> bool:
    """Say whether somebody should look at the time of a record.

    `finished_at` has the offset of the phone's clock. `minutes_off`: how far that was ahead of the centre's when they last
    spoke; 0 when that is not known.
    """
    # By the phone's own zone: tomorrow is tomorrow there too.
    today = received_at.astimezone(finished_at.tzinfo).date()
    is_ahead = finished_at > received_at + AHEAD or occurred_on > today
    is_behind = min(finished_at.date(), occurred_on) < FIRST_DAY
    is_long_ago = today - min(finished_at.date(), occurred_on) >= LONG_AGO
    return is_ahead or is_behind or is_long_ago or abs(minutes_off) >= MOST_OFF
