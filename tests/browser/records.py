"""Records that workers make, page by page: the names of choices, by the place of their question."""

YES = {"consent.said": "read_out", "consent.understood": "yes", "consent.tier_said": "1"}
TALK = {"talk.risk_now": "low", "talk.minutes": "5_15"}
STREET = {"when_where.setting": "street"}
MEDIATION = (
    {**STREET, "when_where.aware": "family"},
    {
        "conflict.cause": "money_debt",
        "conflict.parties_n": "2",
        "conflict.sides": "two_people",
        "conflict.age_mix": "16-24",
        "conflict.enrolled_any": "no",
    },
    {
        "danger.weapon": "none",
        "danger.prior": "no",
        "danger.retal": "no",
        "danger.online": "no",
        "danger.likelihood": "likely",
    },
    {"work.actions": "talked_each_side", "work.minutes": "30_60"},
    {"result.outcome": "temporary", "result.fu_plan": "d1 d3 d7", "result.safe_worker": "yes"},
)
STILL_CALM = {"how_now.still_cool": "cool", "how_now.fu_outcome": "temporary"}
INCIDENT = (
    {"alert.inc_type": "stabbing", "alert.setting": "street"},
    {"harm.harm": "injury", "harm.harmed_n": "1", "harm.youth": "no", "harm.retal_risk": "high"},
    {
        "response.alert_src": "resident",
        "response.level": "phone",
        "response.on_scene": "unknown",
        "response.acts": "none_yet",
    },
    {"after.supports": "none_yet", "after.debrief": "not_yet"},
)
REFERRAL = (
    {"need.has_card": "no", "need.need": "housing"},
    YES,
    {"service.service_type": "housing", "service.urgency": "week"},
    {"sharing.consent_share": "no", "sharing.warm": "called_together"},
    {},
)
INTAKE = (
    {"arrival.came_by": "outreach"},
    {"about.age_band": "16-19", "about.school_work": "school", "about.housing": "stable"},
    {"risks.risk_level": "high"},
    {"plan.needs": "housing"},
    {},
)
