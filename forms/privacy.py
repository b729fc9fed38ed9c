"""The privacy class of each question. Whatever has none cannot be published, so it can never leave."""

from enum import StrEnum


class PrivacyClass(StrEnum):
    """What a question says about a person (shared terms of disclosure control)."""

    IDENTIFIER = "identifier"  # points to one person: a card code
    QUASI_IDENTIFIER = "quasi-identifier"  # points to few people when put together: day, place, age
    SENSITIVE = "sensitive"  # could hurt a person if known: risk, consent, topics
    FREE_TEXT = "free-text"  # anything may be in it
    OPERATIONAL = "operational"  # says what the programme did


NEVER_LEAVES = frozenset({PrivacyClass.IDENTIFIER, PrivacyClass.FREE_TEXT})

# Names of questions that programmes of this kind must not ask (governance: refuse-to-collect list).
REFUSED_NAMES = frozenset(
    [
        "name",
        "first_name",
        "last_name",
        "surname",
        "nickname",
        "street_name",
        "alias",
        "dob",
        "date_of_birth",
        "birth_date",
        "birthdate",
        "address",
        "street",
        "unit",
        "postal_code",
        "phone",
        "telephone",
        "phone_number",
        "email",
        "e_mail",
        "social_media",
        "handle",
        "instagram",
        "gang",
        "gang_name",
        "group_name",
        "plate",
        "licence_plate",
        "health_card",
        "ohip",
        "suspect",
        "witness",
        "charges",
        "conviction",
        "bail",
        "immigration_status",
        "sexual_orientation",
        "latitude",
        "longitude",
        "gps",
        "nom",
        "prenom",
        "adresse",
        "telephone",
        "courriel",
        "date_de_naissance",
        "surnom",
    ]
)
