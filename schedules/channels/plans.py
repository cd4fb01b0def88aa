"""When a carrier is asked how far a post is: waits between questions, the last one for ever."""

from datetime import timedelta

_MINUTE, _HOUR, _DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)

# Employees take their time: after 1, 5, 15 and 60 minutes, then hourly to day 3, then daily.
STAFF_POLLS = (_MINUTE, 4 * _MINUTE, 10 * _MINUTE, 45 * _MINUTE, *[_HOUR] * 71, _DAY)

# A carrier that only needs a moment: within seconds at first, hourly when it does not come.
CARRIER_POLLS = (
    *(timedelta(seconds=seconds) for seconds in (3, 5, 10, 20, 30)),
    _MINUTE,
    2 * _MINUTE,
    5 * _MINUTE,
    15 * _MINUTE,
    _HOUR,
)
