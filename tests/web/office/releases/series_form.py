"""A filled-in form of a release series."""

from typing import Any

GOOD: dict[str, Any] = {
    "recipient": "Institute A",
    "title_en": "Monthly", "title_fr": "Mensuel",
    "purpose_en": "To study the programme.", "purpose_fr": "Étudier le programme.",
    "audience": "evaluator", "cadence": "month", "first_period": "2026-10", "threshold": "20", "keep_days": "30",
    "use": ["encounters"], "column:encounters": ["month", "area", "referral_made", "risk_now"], "level:encounters:area": "2",
    "table": ["encounters_by_type"], "is_active": "yes", "reference": "DSA-7", "approvals": "A. One, 1 Nov\nB. Two, 2 Nov",
}  # fmt: skip
