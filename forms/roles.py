"""Roles: which questions and choices of a form have a meaning for the program.

No code names a question of a form. A workbook gives roles in columns `app_role`: on the survey sheet to
questions, on the choices sheet to choices, on the settings sheet to the form itself. This module is the closed
list of them; docs/forms-support.md is written from it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from forms.question_type import AnswerKind

ROLE_COLUMN = "app_role"  # on all three sheets
MINUTES_COLUMN = "app_minutes"  # on the choices sheet: how many minutes a choice stands for


class Reader(StrEnum):
    """A product or part of the app that reads roles."""

    LISTS = "lists"
    CONSENT = "consent"
    CASELOAD = "caseload"
    PHONE = "phone"
    REVIEW = "review"
    BOARD = "board"
    MAPS = "maps"
    RELEASES = "releases"


class FormRole(StrEnum):
    """What a form is for. At most one form of a centre has each role."""

    ENCOUNTER = "encounter"
    PARTICIPANT = "participant"
    REFERRAL = "referral"
    INCIDENT = "incident"
    INCIDENT_FOLLOW_UP = "incident_follow_up"
    SHIFT = "shift"
    MEDIATION = "mediation"
    MEDIATION_FOLLOW_UP = "mediation_follow_up"
    EVENT = "event"


class QuestionRole(StrEnum):
    """What the answer to a question means. At most one question of a form has each role."""

    DAY = "day"
    AREA = "area"
    KIND = "kind"
    PERSON = "person"
    DUE = "due"
    PLAN = "plan"
    FOLLOWS = "follows"
    FOLLOWED_DAY = "followed_day"
    MINUTES = "minutes"
    TIER = "tier"
    STATUS = "status"
    CONSENT_ASKED = "consent_asked"
    CONSENT_UNDERSTOOD = "consent_understood"
    CONSENT_STANDING = "consent_standing"
    CONSENT_CONTACT = "consent_contact"
    CONSENT_SHARING = "consent_sharing"
    INTAKE_DAY = "intake_day"
    REFERRAL_MADE = "referral_made"
    ALERTED_AT = "alerted_at"
    FIRST_RESPONSE_AT = "first_response_at"
    RETALIATION_RISK = "retaliation_risk"
    INCIDENT_STATUS = "incident_status"
    WORST_HARM = "worst_harm"
    RESPONSE = "response"
    DEBRIEF = "debrief"
    SHIFT_START = "shift_start"
    SHIFT_END = "shift_end"
    SHIFT_AREAS = "shift_areas"
    CLOCK_MOVED = "clock_moved"


class ChoiceRole(StrEnum):
    """What a choice means where the question that offers it has a role."""

    YES = "yes"
    CONVERSATION = "conversation"
    CONSENT_TIER = "consent_tier"
    STANDING = "standing"
    NOTHING_TODAY = "nothing_today"
    NO_MORE = "no_more"
    REVIEW = "review"
    ENDS_WORK = "ends_work"
    ENDS_REFERRAL = "ends_referral"
    ENDS_INCIDENT = "ends_incident"
    WATCH = "watch"
    CALL_FOR_HELP = "call_for_help"
    FOLLOW_UP_VISIT = "follow_up_visit"
    CHECK_IN = "check_in"
    ENDS_FOLLOW_UPS = "ends_follow_ups"
    STANDS_ALONE = "stands_alone"
    SAYS_WHO = "says_who"
    SAYS_WHERE_OR_WHEN = "says_where_or_when"


# Computed answers may stand for any kind: what they hold is seen only when they are computed.
_CHOICE = frozenset({AnswerKind.CHOICE, AnswerKind.COMPUTED})
_CHOICES = frozenset({AnswerKind.CHOICE, AnswerKind.CHOICES, AnswerKind.COMPUTED})
_DATE = frozenset({AnswerKind.DATE, AnswerKind.COMPUTED})
_TEXT = frozenset({AnswerKind.TEXT, AnswerKind.COMPUTED})
_CODE = frozenset({AnswerKind.TEXT, AnswerKind.CODE, AnswerKind.COMPUTED})


@dataclass(frozen=True)
class QuestionRoleRule:
    """What a question role means, which answers it may have, and who reads it."""

    meaning: str
    answers: frozenset[AnswerKind]
    readers: tuple[Reader, ...]


QUESTION_ROLES: Mapping[QuestionRole, QuestionRoleRule] = {
    QuestionRole.DAY: QuestionRoleRule(
        "the day of what is recorded; without it, the day on which the record was finished",
        _DATE,
        (Reader.LISTS, Reader.CASELOAD, Reader.BOARD),
    ),
    QuestionRole.AREA: QuestionRoleRule(
        "the neighbourhood; outlines belong to the list of its choices",
        _CHOICE,
        (Reader.LISTS, Reader.BOARD, Reader.MAPS),
    ),
    QuestionRole.KIND: QuestionRoleRule(
        "what lists call the record",
        _CHOICES | {AnswerKind.TEXT},
        (Reader.LISTS, Reader.CASELOAD, Reader.REVIEW, Reader.BOARD, Reader.PHONE),
    ),
    QuestionRole.PERSON: QuestionRoleRule(
        "the card code of the person", _CODE, (Reader.LISTS, Reader.CONSENT, Reader.CASELOAD, Reader.PHONE)
    ),
    QuestionRole.DUE: QuestionRoleRule("the day of the next contact", _DATE, (Reader.CASELOAD, Reader.PHONE)),
    QuestionRole.PLAN: QuestionRoleRule(
        "follow-ups, as days after the day: d1 d7 …",
        _CHOICES | {AnswerKind.TEXT},
        (Reader.CASELOAD, Reader.PHONE),
    ),
    QuestionRole.FOLLOWS: QuestionRoleRule(
        "the record that is followed up, by its id: phones fill it in, from what is due",
        _TEXT,
        (Reader.LISTS, Reader.CASELOAD, Reader.PHONE, Reader.RELEASES),
    ),
    QuestionRole.FOLLOWED_DAY: QuestionRoleRule(
        "the day of the record that is followed up: phones fill it in, from what is due",
        _TEXT | {AnswerKind.DATE},
        (Reader.PHONE,),
    ),
    QuestionRole.MINUTES: QuestionRoleRule(
        "the time spent; each choice says in app_minutes how many minutes it stands for",
        _CHOICE,
        (Reader.PHONE,),
    ),
    QuestionRole.TIER: QuestionRoleRule(
        "how far consent reaches, 0 to 3", _CHOICE | {AnswerKind.NUMBER}, (Reader.CONSENT, Reader.CASELOAD)
    ),
    QuestionRole.STATUS: QuestionRoleRule("the state of a referral", _CHOICE, (Reader.CASELOAD, Reader.PHONE)),
    QuestionRole.CONSENT_ASKED: QuestionRoleRule("how the person was asked for consent", _CHOICE, (Reader.CONSENT,)),
    QuestionRole.CONSENT_UNDERSTOOD: QuestionRoleRule(
        "whether the person understood what they were asked", _CHOICE, (Reader.CONSENT,)
    ),
    QuestionRole.CONSENT_STANDING: QuestionRoleRule(
        "how far consent reached, as far as the phone knows: it fills this in, ODK Collect and browsers never do",
        frozenset({AnswerKind.COMPUTED}),
        (Reader.CONSENT, Reader.PHONE),
    ),
    QuestionRole.CONSENT_CONTACT: QuestionRoleRule(
        "whether the person may be contacted later: what `consent::keep` +4 needs", _CHOICE, (Reader.CONSENT,)
    ),
    QuestionRole.CONSENT_SHARING: QuestionRoleRule(
        "whether a service may be told, this one time: what `consent::keep` +5 needs", _CHOICE, (Reader.CONSENT,)
    ),
    QuestionRole.INTAKE_DAY: QuestionRoleRule(
        "the day of an intake that the card has already, as far as the phone knows: it fills this in",
        _TEXT,
        (Reader.PHONE,),
    ),
    QuestionRole.REFERRAL_MADE: QuestionRoleRule(
        "whether a referral was made, which has a form of its own", _CHOICE, (Reader.PHONE,)
    ),
    QuestionRole.ALERTED_AT: QuestionRoleRule("when the team was told", _DATE, (Reader.BOARD,)),
    QuestionRole.FIRST_RESPONSE_AT: QuestionRoleRule("when the team first did something", _DATE, (Reader.BOARD,)),
    QuestionRole.RETALIATION_RISK: QuestionRoleRule("the risk of retaliation", _CHOICE, (Reader.BOARD,)),
    QuestionRole.INCIDENT_STATUS: QuestionRoleRule(
        "the state of an incident", _CHOICE, (Reader.BOARD, Reader.CASELOAD, Reader.PHONE)
    ),
    QuestionRole.WORST_HARM: QuestionRoleRule("the worst harm known; shown only", _CHOICES, (Reader.BOARD,)),
    QuestionRole.RESPONSE: QuestionRoleRule("what the team did; shown only", _CHOICES, (Reader.BOARD,)),
    QuestionRole.DEBRIEF: QuestionRoleRule("whether the team talked it over; shown only", _CHOICES, (Reader.BOARD,)),
    QuestionRole.SHIFT_START: QuestionRoleRule("when a shift began", _DATE, (Reader.BOARD,)),
    QuestionRole.SHIFT_END: QuestionRoleRule("when a shift ended", _DATE, (Reader.BOARD,)),
    QuestionRole.SHIFT_AREAS: QuestionRoleRule("where the worker was", _CHOICES, (Reader.BOARD,)),
    QuestionRole.CLOCK_MOVED: QuestionRoleRule(
        "by how many minutes the clock was put on during a shift, or between an alert and what was first done; back: less"
        " than 0; the phone fills this in",
        _TEXT,
        (Reader.PHONE,),
    ),
}

FORM_ROLES: Mapping[FormRole, str] = {
    FormRole.ENCOUNTER: "a contact, the form that workers fill most: the large button of the phone",
    FormRole.PARTICIPANT: "the start, review or end of the work with a person",
    FormRole.REFERRAL: "sending a person to a service, and how it goes",
    FormRole.INCIDENT: "a critical incident: what the board shows",
    FormRole.INCIDENT_FOLLOW_UP: "what is new of a critical incident: what opens when its follow-up is due",
    FormRole.SHIFT: "a worker's shift: who is out, on the board",
    FormRole.MEDIATION: "a conflict that was mediated; phones have words for it",
    FormRole.MEDIATION_FOLLOW_UP: "how it went on after a mediation: what opens when its follow-up is due",
    FormRole.EVENT: "an event for many; phones have words for it",
}

CHOICE_ROLES: Mapping[ChoiceRole, str] = {
    ChoiceRole.YES: "a yes to `consent_understood`, `consent_contact`, `consent_sharing` or `referral_made`",
    ChoiceRole.CONVERSATION: "a way of `consent_asked` that is a conversation about consent",
    ChoiceRole.STANDING: "an answer to `consent_asked` by the phone: nobody was asked, and what they said before goes on",
    ChoiceRole.CONSENT_TIER: "how far consent reaches; on each choice of the list",
    ChoiceRole.NOTHING_TODAY: "a `tier` of this record only, named 0: what the person said before goes on",
    ChoiceRole.NO_MORE: "a `tier`, named -1, that takes everything back and ends the card",
    ChoiceRole.REVIEW: "a `kind` that is a review: what opens when its day is due",
    ChoiceRole.ENDS_WORK: "a `kind` that ends the work with a card",
    ChoiceRole.ENDS_REFERRAL: "a `status` that ends a referral",
    ChoiceRole.ENDS_INCIDENT: "an `incident_status` that takes an incident off the board and off phones",
    ChoiceRole.WATCH: "a `retaliation_risk` that puts an incident on the watch list",
    ChoiceRole.CALL_FOR_HELP: "a `kind` by which a worker asks for a talk; the record goes to the review queue",
    ChoiceRole.FOLLOW_UP_VISIT: "the `kind` of contact that a follow-up without a card asks for",
    ChoiceRole.CHECK_IN: "the `kind` of contact with somebody who has a card: what a person's page begins with",
    ChoiceRole.ENDS_FOLLOW_UPS: "a `plan` of a follow-up after which nothing of that record is due any more",
    ChoiceRole.STANDS_ALONE: "a choice such as “none”, which cannot be chosen together with others",
    ChoiceRole.SAYS_WHO: "a choice of a list that says who somebody is: in no dataset of events",
    ChoiceRole.SAYS_WHERE_OR_WHEN: "a choice of a list that says where or when: in no dataset about people",
}

# Which records a form follows up. What is due of a record, the form that opens then, and the numbers that count
# follow-ups all read this.
FOLLOWED: Mapping[FormRole, FormRole] = {
    FormRole.MEDIATION_FOLLOW_UP: FormRole.MEDIATION,
    FormRole.INCIDENT_FOLLOW_UP: FormRole.INCIDENT,
}


# Forms whose planned days only another of their own records does: a talk in between is no review.
REVIEWED: frozenset[FormRole] = frozenset({FormRole.PARTICIPANT})


@dataclass(frozen=True)
class ReaderNeeds:
    """What a reader needs of a form: questions, and choices that these must offer."""

    form: FormRole | None  # None: of any form that has the questions
    reader: Reader
    questions: tuple[QuestionRole, ...]
    choices: tuple[tuple[QuestionRole, ChoiceRole], ...] = ()


NEEDS = (
    # Else nobody would count as asked, and a no to “did they understand?” would be overlooked.
    ReaderNeeds(
        None,
        Reader.CONSENT,
        (),
        (
            (QuestionRole.CONSENT_ASKED, ChoiceRole.CONVERSATION),
            (QuestionRole.CONSENT_UNDERSTOOD, ChoiceRole.YES),
            (QuestionRole.CONSENT_CONTACT, ChoiceRole.YES),
            (QuestionRole.CONSENT_SHARING, ChoiceRole.YES),
        ),
    ),
    ReaderNeeds(FormRole.ENCOUNTER, Reader.PHONE, (QuestionRole.KIND, QuestionRole.PERSON)),
    ReaderNeeds(FormRole.ENCOUNTER, Reader.MAPS, (QuestionRole.AREA,)),
    ReaderNeeds(
        FormRole.PARTICIPANT,
        Reader.CASELOAD,
        (QuestionRole.KIND, QuestionRole.PERSON),
        ((QuestionRole.KIND, ChoiceRole.ENDS_WORK),),
    ),
    ReaderNeeds(
        FormRole.REFERRAL,
        Reader.CASELOAD,
        (QuestionRole.KIND, QuestionRole.STATUS),
        ((QuestionRole.STATUS, ChoiceRole.ENDS_REFERRAL),),
    ),
    ReaderNeeds(FormRole.MEDIATION_FOLLOW_UP, Reader.CASELOAD, (QuestionRole.FOLLOWS, QuestionRole.DAY)),
    ReaderNeeds(
        FormRole.INCIDENT,
        Reader.BOARD,
        (
            QuestionRole.DAY,
            QuestionRole.AREA,
            QuestionRole.KIND,
            QuestionRole.ALERTED_AT,
            QuestionRole.FIRST_RESPONSE_AT,
            QuestionRole.RETALIATION_RISK,
            QuestionRole.INCIDENT_STATUS,
        ),
        (
            (QuestionRole.RETALIATION_RISK, ChoiceRole.WATCH),
            (QuestionRole.INCIDENT_STATUS, ChoiceRole.ENDS_INCIDENT),
        ),
    ),
    ReaderNeeds(
        FormRole.INCIDENT_FOLLOW_UP,
        Reader.CASELOAD,
        (QuestionRole.FOLLOWS, QuestionRole.DAY, QuestionRole.INCIDENT_STATUS),
        ((QuestionRole.INCIDENT_STATUS, ChoiceRole.ENDS_INCIDENT),),
    ),
    ReaderNeeds(
        FormRole.SHIFT,
        Reader.BOARD,
        (QuestionRole.DAY, QuestionRole.SHIFT_START, QuestionRole.SHIFT_END, QuestionRole.SHIFT_AREAS),
    ),
)
