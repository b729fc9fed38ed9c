"""An invented year of outreach, skewed towards few places, summers, week-ends and nights.

The same seed gives the same year.
"""

import datetime as dt
import random
from collections.abc import Iterator
from typing import Any

AREAS = {"002": 30, "001": 18, "005": 14, "003": 12, "006": 9, "004": 8, "022": 6, "021": 3}
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
SEASON = (0.7, 0.7, 0.85, 1.0, 1.15, 1.35, 1.5, 1.4, 1.15, 0.95, 0.8, 0.75)
WEEKDAY = (0.9, 0.85, 0.9, 1.0, 1.3, 1.45, 1.1)
# On Fridays and Saturdays after six, people of some places gather in another, though no worker is there longer: a hot spot.
GATHERING = {"002": "001", "003": "001", "004": "001", "006": "001"}
AFTER = dt.timedelta(hours=3)  # a shift ends so long after a talk, that talks lie within shifts
HOURS = {14: 6, 15: 8, 16: 9, 17: 10, 18: 11, 19: 12, 20: 12, 21: 11, 22: 9, 23: 7, 0: 4, 1: 2, 12: 4, 13: 5, 11: 3, 10: 2}


def card_code(value: int) -> str:
    """Return a card code: eight characters of Crockford's base 32 and a check symbol.

    The check symbol is the value mod 37. Source: https://www.crockford.com/base32.html.
    Example: card_code(0) is "0000-00000".
    """
    characters = ""
    rest = value
    for _ in range(8):
        characters = ALPHABET[rest % 32] + characters
        rest //= 32
    check = (ALPHABET + "*~$=U")[value % 37]
    return f"{characters[:4]}-{characters[4:]}{check}"


# How often a choice is made of a hundred, or so: only the ratios count.
WHO = {
    "enrolled": 46,
    "known_not_enrolled": 10,
    "new_person": 12,
    "group": 18,
    "family": 7,
    "partner_agency": 7,
}
KINDS = {
    "check_in": 30,
    "presence": 18,
    "support": 12,
    "deesc": 9,
    "canvass": 7,
    "accompany": 6,
    "family": 5,
    "school": 4,
    "med_followup": 4,
    "group_session": 3,
    "crisis": 3,
    "hospital": 2,
    "court_support": 2,
    "online_watch": 2,
}
RISKS = {"none": 30, "low": 34, "raised": 18, "high": 10, "imminent": 2, "cannot_say": 6}
MODES = {"in_person": 78, "phone_call": 10, "text_message": 8, "social_media": 4}
SETTINGS = {
    "street": 26,
    "housing_common_area": 20,
    "park": 13,
    "plaza_mall": 11,
    "community_centre": 9,
    "school": 7,
    "home": 6,
    "transit": 4,
    "hospital": 2,
    "online": 2,
}
MINUTES = {"lt5": 12, "5_15": 32, "15_30": 30, "30_60": 18, "gt60": 8}
TOPICS = "conflict safety family school work housing money mental_health recreation"
SUPPORT = "listened advice ride food transit_fare form_help appointment"
OPEN = {"sent": 30, "accepted": 20, "waitlist": 20, "connected": 20, "completed": 10}  # states of a young referral
ENDED = {"completed": 70, "refused_by_service": 15, "declined_by_person": 15}


class Year:
    """The year that ends today.

    `records` gives worker, form, local moment and answers, oldest first.
    """

    def __init__(
        self, seed: int, today: dt.date, workers: int, encounters: int = 1800, mediations: int = 220, incidents: int = 66
    ):
        self.random = random.Random(f"year {seed}")
        self.today = today
        self.workers = workers
        self.counts = {"encounter": encounters, "mediation": mediations, "incident": incidents}
        self.counts |= {"referral": encounters // 12, "event": encounters // 40, "shift": encounters // 4}
        self.counts |= {"participant": encounters // 8}
        self.cards = [card_code(self.random.getrandbits(40)) for _ in range(max(20, encounters // 12))]
        self.tiers = {card: self.pick({"0": 4, "1": 14, "2": 52, "3": 30}) for card in self.cards}

    def pick(self, weights: dict[str, int]) -> str:
        return self.random.choices(list(weights), list(weights.values()))[0]

    def some(self, names: str, most: int) -> str:
        listed = names.split()
        chosen = set(self.random.sample(listed, self.random.randint(1, most)))
        return " ".join(name for name in listed if name in chosen)

    def records(self) -> Iterator[tuple[int, str, dt.datetime, dict[str, Any]]]:
        days = [self.today - dt.timedelta(days=offset) for offset in range(365, 0, -1)]
        weights = [SEASON[day.month - 1] * WEEKDAY[day.weekday()] for day in days]
        records = []
        for form, count in self.counts.items():
            build = getattr(self, f"_{form}")
            for day in self.random.choices(days, weights, k=count):
                hour = self.random.choices(list(HOURS), list(HOURS.values()))[0]
                moment = dt.datetime(day.year, day.month, day.day, hour, self.random.randrange(60))
                if form == "shift":
                    moment = min(moment + AFTER, dt.datetime.combine(self.today, dt.time()) - dt.timedelta(minutes=1))
                records.append((self.random.randrange(self.workers), form, moment, build(moment)))
        records.sort(key=lambda record: (record[2], record[0], record[1]))
        # Two that a phone would not have let through: the centre keeps them and says why.
        encounters = [answers for _worker, form, _moment, answers in records if form == "encounter"]
        for answers in encounters[-2:]:
            answers["talk"] = {**answers["talk"], "people_n": "900"}
        yield from records

    def _where(self) -> dict[str, str]:
        return {"nbhd": self.pick(AREAS)}

    def _square(self, moment: dt.datetime) -> dict[str, str]:
        """Return a neighbourhood, and sometimes a square as phones may keep it."""
        where = self._where()
        if moment.weekday() in (4, 5) and moment.hour >= 18:
            where["nbhd"] = GATHERING.get(where["nbhd"], where["nbhd"])
        place = list(AREAS).index(where["nbhd"])
        near = min(3, int(self.random.expovariate(1)))
        if self.random.random() < 0.6:
            where["cell"] = f"c500:N{9736 + place % 3 * 4 + near}:W{12806 + place * 3}"
        return where

    def _encounter(self, moment: dt.datetime) -> dict[str, Any]:
        # The order of the draws is part of the year: another order gives the same seed other people.
        who = self.pick(WHO)
        kind = "outreach_new"
        if who != "new_person":
            kind = self.pick(KINDS)
        risk = self.pick(RISKS)
        card = self.random.choice(self.cards)
        people = 1
        if who in ("group", "family"):
            people = self.random.choice((2, 3, 3, 4, 5, 6, 9, 12))
        finished = moment + dt.timedelta(minutes=self.random.randint(2, 50))
        mode = self.pick(MODES)
        setting = self.pick(SETTINGS)
        answers: dict[str, Any] = {
            "what": {"contact_type": kind},
            "when_where": {
                "enc_date": f"{moment:%Y-%m-%d}",
                "enc_hour": f"{moment:%H}",
                "setting": setting,
                **self._square(moment),
            },
            "people": {"who": who},
            "talk": {
                "mode": mode,
                "people_n": str(people),
                "risk_now": risk,
                "minutes": self.pick(MINUTES),
                "topics": self.some(TOPICS, 3),
                "support": self.some(SUPPORT, 2),
            },
            "next": {"ref_made": self.pick({"no": 88, "yes": 12})},
        }
        if who == "enrolled":
            self._add_enrolled(answers, card, finished.date())
        elif who in ("new_person", "known_not_enrolled", "family"):
            self._add_consent(answers)
        if who != "enrolled":
            answers["talk"]["age_mix"] = self.some("12-15 16-19 20-24 25-29 30-39", 2)
        self._add_risk(answers, risk)
        if self.random.random() < 0.15:
            answers["next"]["note"] = "Calm today. Asked about the summer job list."
        return answers

    def _add_enrolled(self, answers: dict[str, Any], card: str, day: dt.date) -> None:
        """Add the card of a participant, their next contact, and the consent they gave once."""
        answers["people"]["code"] = card
        due = day + dt.timedelta(days=self.random.randint(2, 14))
        if due >= self.today - dt.timedelta(days=1):  # what was due before was done
            answers["next"]["next_due"] = due.isoformat()
        tier = self.tiers[card]
        answers["consent"] = {"said": "read_out", "understood": "yes", "tier_said": tier}

    def _add_consent(self, answers: dict[str, Any]) -> None:
        """Add what a person said who was asked for the first time."""
        answers["consent"] = {
            "said": "read_out",
            "understood": "yes",
            "tier_said": self.pick({"0": 12, "1": 25, "2": 40, "3": 23}),
            "lang_used": self.pick({"en": 80, "so": 10, "fr": 5, "es": 5}),
        }

    def _add_risk(self, answers: dict[str, Any], risk: str) -> None:
        """Add what a form asks for when somebody may come to harm."""
        if risk in ("high", "imminent"):
            answers["talk"]["safety_plan"] = self.pick({"yes": 6, "no": 3, "already": 1})
        if risk == "imminent":
            answers["talk"]["esc"] = "yes"

    def _mediation(self, moment: dt.datetime) -> dict[str, Any]:
        outcome = self.pick(
            {"resolved": 40, "resolved_conditions": 18, "temporary": 22, "ongoing": 12, "not_resolved": 6, "unknown": 2}
        )
        likelihood = self.pick({"very_unlikely": 10, "unlikely": 25, "likely": 42, "very_likely": 23})
        answers: dict[str, Any] = {
            "when_where": {
                "med_date": f"{moment:%Y-%m-%d}", "med_hour": f"{moment:%H}", **self._where(),
                "setting": self.pick({"street": 40, "park": 20, "school": 20, "plaza_mall": 20}),
                "aware": self.pick({"street_talk": 40, "participant": 25, "social_media": 20, "family": 15}),
            },
            "conflict": {
                "cause": self.pick({"disrespect": 24, "social_media_post": 20, "relationship_jealousy": 14, "money_debt": 12,
                                    "retaliation": 10, "group_rivalry": 10, "turf_area": 6, "unknown": 4}),
                "parties_n": self.pick({"2": 45, "3": 20, "4_6": 25, "7_10": 10}),
                "sides": self.pick({"two_people": 50, "person_group": 20, "two_groups": 30}),
                "age_mix": self.some("u16 16-24 25-29 30+", 2),
                "enrolled_any": self.pick({"yes": 50, "no": 40, "unknown": 10}),
            },
            "danger": {
                "weapon": self.pick({"none": 55, "other_weapon": 20, "firearm": 10, "unknown": 15}),
                "prior": self.pick({"no": 50, "yes_within_30d": 20, "yes_older": 20, "unknown": 10}),
                "retal": self.pick({"no": 65, "yes": 20, "unknown": 15}),
                "online": self.pick({"no": 40, "partly": 40, "mainly": 20}),
                "likelihood": likelihood,
            },
            "work": {
                "actions": self.some("talked_each_side talked_together bought_time_cool_off family_involved agreement_made", 3),
                "partners": self.some("own_team elder school youth_worker", 2),
                "sessions": str(self.random.randint(1, 5)),
                "minutes": self.pick({"15_30": 20, "30_60": 40, "gt60": 30, "gt180": 10}),
            },
            "result": {"outcome": outcome, "safe_worker": self.pick({"yes": 88, "tense": 10, "threatened": 2})},
        }  # fmt: skip
        if outcome != "resolved" or likelihood == "very_likely":
            answers["result"]["fu_plan"] = "d1 d3 d7 d14 d30"
        return answers

    def _incident(self, moment: dt.datetime) -> dict[str, Any]:
        stamp = f"{moment - dt.timedelta(hours=self.random.randint(3, 30)):%Y-%m-%dT%H:%M}"
        first = f"{moment - dt.timedelta(hours=self.random.randint(0, 2)):%Y-%m-%dT%H:%M}"
        answers: dict[str, Any] = {
            "alert": {
                "inc_alert_dt": stamp, **self._where(), "setting": self.pick({"street": 60, "park": 20, "plaza_mall": 20}),
                "inc_type": self.pick({"shooting_injury": 15, "shooting_no_injury": 25, "stabbing": 15, "assault": 25, "threat": 20}),
            },
            "harm": {
                "harm": self.pick({"fear": 45, "injury": 35, "serious_injury": 18, "death": 2}),
                "harmed_n": self.pick({"0": 45, "1": 40, "2_3": 15}), "youth": self.pick({"yes": 40, "no": 50, "unknown": 10}),
                "retal_risk": self.pick({"low": 30, "some": 40, "high": 20, "unknown": 10}),
            },
            "response": {
                "alert_src": self.pick({"resident": 40, "participant": 25, "partner": 20, "media": 15}),
                "level": self.pick({"monitor": 15, "phone": 25, "deploy_1": 25, "deploy_team": 35}), "first_dt": first,
                "on_scene": "police paramedics", "acts": self.some("scene_presence rumour_control family_support canvass", 3),
                "reached_n": self.pick({"1_5": 30, "6_20": 45, "21_50": 25}),
            },
            "after": {
                "supports": self.some("vigil community_meeting door_to_door grief_counselling food", 2),
                "debrief": self.pick({"yes": 70, "planned": 20, "no": 10}), "status": self.pick({"open": 20, "closed": 80}),
            },
        }  # fmt: skip
        # Both are drawn, as in years before, and made to agree as the form asks.
        harm = answers["harm"]
        if harm["harm"] == "fear":
            harm["harmed_n"] = "0"
        elif harm["harmed_n"] == "0":
            harm["harmed_n"] = "1"
        return answers

    def _referral(self, moment: dt.datetime) -> dict[str, Any]:
        states = ENDED
        if (self.today - moment.date()).days < 21:
            states = OPEN
        need = self.pick({"housing": 30, "employment": 25, "mental_health": 20, "food": 15, "legal": 10})
        return {
            "need": {"has_card": "no", "need": need},
            "consent": {"said": "read_out", "understood": "yes", "tier_said": self.pick({"1": 30, "2": 40, "3": 30})},
            "service": {"ref_date": f"{moment:%Y-%m-%d}", "service_type": need, "urgency": self.pick({"week": 60, "month": 30, "today": 10})},
            "sharing": {"consent_share": "yes_this_time", "what_shared": "need_only", "warm": self.pick({"called_together": 40, "went_together": 30, "form_sent": 30})},
            "progress": {"status": self.pick(states)},
        }  # fmt: skip

    def _event(self, moment: dt.datetime) -> dict[str, Any]:
        return {
            "what": {
                "ev_type": self.pick({"canvass": 30, "workshop": 25, "sport": 20, "peace_walk": 15, "vigil": 10}),
                "ev_date": f"{moment:%Y-%m-%d}", **self._where(),
                "attend": self.pick({"11_25": 35, "26_50": 35, "51_100": 20, "101_250": 10}),
            },
            "more": {"volunteers_n": str(self.random.randint(0, 12))},
        }  # fmt: skip

    def _shift(self, moment: dt.datetime) -> dict[str, Any]:
        hours = self.random.choice((3, 4, 5, 6, 6, 7, 8))
        areas = " ".join(sorted({self.pick(AREAS) for _ in range(3)}))
        shift = {
            "start": f"{moment - dt.timedelta(hours=hours):%Y-%m-%dT%H:%M}",
            "end": f"{moment:%Y-%m-%dT%H:%M}",
            "areas": areas,
            "hotspot_round": self.pick({"yes": 40, "no": 60}),
            "team_n": "2",
        }
        return {"shift": {**shift, "felt": self.pick({"fine": 60, "tired": 35, "shaken": 5})}}

    def _participant(self, moment: dt.datetime) -> dict[str, Any]:
        kind = self.pick({"intake": 60, "review": 40})
        answer = ""
        start: dict[str, Any] = {"kind": kind}
        arrival = {"month_in": f"{moment:%Y-%m-01}"}
        if kind == "intake":
            answer = self.pick({"accepted": 80, "thinking": 8, "declined": 12})
            arrival["came_by"] = self.pick({"outreach": 50, "family_friend": 20, "school": 15, "hospital": 15})
            start["offered_resp"] = answer
        if answer == "declined":
            return {"start": start, "arrival": arrival}
        card = self.random.choice([card for card in self.cards if self.tiers[card] in ("2", "3")])
        start["code"] = card
        tier = self.tiers[card]
        return {
            "start": start,
            "consent": {"said": "read_out", "understood": "yes", "tier_said": tier, "lang_used": "en"},
            "arrival": arrival,
            "about": {
                "age_band": self.pick({"16-19": 40, "20-24": 35, "25-29": 25}), "gender": self.pick({"man_boy": 70, "woman_girl": 30}),
                "race": self.pick({"black": 55, "south_asian": 25, "white": 20}), "school_work": "school",
                "housing": self.pick({"stable": 60, "unstable": 40}),
            },
            "risks": {"risk_level": self.pick({"moderate": 30, "high": 45, "very_high": 25}), "feel_safe": self.pick({"sometimes": 40, "mostly": 60})},
            "plan": {"needs": self.some("employment housing education mental_health", 2)},
        }  # fmt: skip


def list_follow_ups(
    mediation_id: str, answers: dict[str, Any], mediated: dt.datetime, today: dt.date, chance: random.Random
) -> Iterator[tuple[str, dt.datetime, dict[str, Any]]]:
    """Yield the planned follow-ups of a mediation that were done before today.

    Each as the day on which it was due, the moment when it was done, and its answers. A few are missed, as in life. The last that has passed is done, so that what is due is not long past.
    """
    plan = [int(name.removeprefix("d")) for name in answers.get("result", {}).get("fu_plan", "").split()]
    passed = [days for days in plan if (mediated + dt.timedelta(days=days)).date() < today]
    for days in passed:
        if chance.random() < 0.2 and days != passed[-1]:
            continue
        moment = mediated + dt.timedelta(days=days)
        calm = chance.choices(("cool", "heating", "violent", "unknown"), (80, 12, 4, 4))[0]
        outcome = "temporary" if calm != "cool" else chance.choices(("resolved", "temporary"), (70, 30))[0]
        visit = {
            "mediation": mediation_id,
            "still_cool": calm,
            "fu_outcome": outcome,
            "next_look": "planned",
            "fu_date": f"{moment:%Y-%m-%d}",
        }
        yield f"{moment:%Y-%m-%d}", moment, {"how_now": visit}
