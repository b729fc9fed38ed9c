"""How many persons a class must have: the thresholds of Ontario's guidelines.

Sources: IPC Ontario, De-Identification Guidelines for Structured Data, 2016; the class sizes 11, 15
and 20 for the 2025 guideline, as secondary sources quote them. Never under 3: Government of Canada.
"""

from collections.abc import Mapping

HARD_FLOOR = 3  # no setting can go lower

# By name: persons per class, and the highest risk of re-identification that it stands for (0 to 1).
PRESETS: Mapping[str, tuple[int, float]] = {
    "ipc2025-low": (11, 0.09),
    "ipc2025-medium": (15, 0.075),
    "ipc2025-high": (20, 0.05),
    "ipc2016-low": (10, 0.1),
    "ipc2016-medium": (15, 0.075),
    "ipc2016-high": (20, 0.05),
}
