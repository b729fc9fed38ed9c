"""Find or propose the privacy class of each question.

A question without one cannot be published, so its answers can never leave.
"""

import re
import unicodedata
from typing import TYPE_CHECKING

from forms.privacy_classes import PrivacyClass
from forms.problems import N_
from forms.question_type import EXACT_PLACE, AnswerKind
from forms.types import TYPES

if TYPE_CHECKING:
    from forms.workbook import Row


EXPORTS = ("keep", "generalise", "count", "drop")  # the most that may leave of a question, from much to nothing
MAX_QUASI_IDENTIFIERS = 6  # that may leave from one form (programme, refuse-to-collect list)

# Words are matched in names of questions only: labels say "name" and "unit" in many senses.
# What this programme does not collect (governance: refuse-to-collect list), as words in the name of a question.
REFUSED: dict[str, str] = {
    N_("name"): r"(first|last|full|given|family|middle)_?names?|names?|surname|nick_?name|alias|street_name|initials"
    r"|nom|prenom|nom_de_famille|surnom|nombre|apellido",
    N_("birth date"): r"dob|date_of_birth|birth_?(date|day)|date_de_naissance|naissance",
    N_(
        "address"
    ): r"(home_|street_|mailing_)?address|street|street_number|house_number|unit|apartment|postal_?code|zip(_?code)?"
    r"|adresse|rue|code_postal|appartement",
    N_("phone, e-mail or account"): r"(cell_?|mobile_?|tele)?phone(_?(number|no|num))?|contact_number|e_?mail(_address)?"
    r"|social_media(_handle)?|handle|instagram|facebook|snapchat|tiktok|courriel|telephone|numero_de_telephone",
    N_("group name"): r"gang(_name)?|group_name|crew|nom_du_groupe",
    N_("plate"): r"(licen[cs]e_)?plate|plaque|vehicle_plate",
    N_("health card"): r"health_card|ohip|carte_sante|health_number",
    N_("who did what"): r"suspects?|witness(es)?|perpetrator|accused|offender|weapon_(owner|place|serial)|temoin|suspecte?",
    N_(
        "court or police file"
    ): r"charges?|convictions?|bail|criminal_record|probation_officer|casier_judiciaire|accusations?",
    N_("immigration status"): r"immigration(_status)?|citizenship|statut_d?_?immigration|visa_status",
    EXACT_PLACE: r"latitude|longitude|gps|coordinates|lat|lon|lng|coordonnees",
    N_("sexual orientation"): r"sexual_orientation|orientation_sexuelle",
    N_("identity number"): r"sin|ssn|passport(_number)?|id_number|national_id|driver_?s?_licen[cs]e",
}
_REFUSED = [(what, re.compile(pattern)) for what, pattern in REFUSED.items()]
# Asked with an approval, these still point to one person, so they are identifiers and never leave.
DIRECT = {
    "name",
    "birth date",
    "address",
    "phone, e-mail or account",
    "plate",
    "health card",
    "identity number",
    EXACT_PLACE,
}

# Words in names and labels by which a class is proposed, English and French, without accents.
PROPOSALS: list[tuple[PrivacyClass, str, str]] = [
    (
        PrivacyClass.IDENTIFIER,
        r"\b(card|participant|client|case) ?(code|id|number)\b|\bcode de (la )?carte\b|\bqr\b|\bbarcode\b",
        N_("It points to one person."),
    ),
    (
        PrivacyClass.SENSITIVE,
        r"risk|violen|weapon|hurt|injur|harm|retaliat|conflict|drug|substance|alcohol|mental|health|suicid|grief|trauma|abuse"
        r"|consent|safe|fear|police|arrest|gang|income|money|housing|pregnan|hiv|religio|immigr|orientation|disab|topic"
        r"|risque|arme|bless|represaill|conflit|drogue|sante|deuil|consentement|peur|logement|argent|revenu",
        N_("It could hurt somebody if it became known."),
    ),
    (
        PrivacyClass.QUASI_IDENTIFIER,
        r"\bage\b|\bages\b|\bdate\b|\bday\b|\bhour\b|\btime\b|neighbou?rhood|district|ward|city|town|village|place|location|area"
        r"|school|gender|sex\b|race|ethnic|indigen|language|country|born|occupation|job|marital|household|education|region"
        r"|\bjour\b|\bheure\b|quartier|arrondissement|ville|lieu|ecole|genre|sexe|langue|pays|metier|menage",
        N_("Together with other answers it can point to few people."),
    ),
    (
        PrivacyClass.OPERATIONAL,
        r"minutes|duration|how many|number of|contact type|kind of contact|activit|referral|referred|partner|staff|worker"
        r"|team|shift|session|event|status|mode|service|support|duree|combien|nombre|activite|equipe|partenaire|evenement|statut",
        N_("It says what the program did."),
    ),
]
CARD = (
    r"\b(card|participant|client|case|person|member) ?(code|id|number|no|num)\b"
    r"|\b(code|numero) (de )?(la |du |de l.)?(carte|client|participant\w*)\b"
)
_CARD = re.compile(CARD)
_PROPOSALS = [(privacy, re.compile(pattern), reason) for privacy, pattern, reason in PROPOSALS]


def read_written_class(row: "Row") -> str:
    """Return the class that the author wrote, in its standard spelling."""
    return "-".join(row.cells.get("privacy::class", "").lower().replace("_", " ").replace("-", " ").split())


def privacy_class(row: "Row", type_name: str) -> str:
    """Return the class written for a question, else what follows from its type, else ""."""
    written = read_written_class(row)
    question_type = TYPES[type_name]
    if written or question_type.answer == AnswerKind.NOTHING:
        return written
    if question_type.is_class_implied:
        return question_type.least_class_of(row.standard_type) or ""
    if row.number:
        return ""
    # Rows without a number are pyxform's own: the counts of repeats.
    return PrivacyClass.OPERATIONAL


def find_refused_topic(name: str) -> str:
    """Return what on the refuse-to-collect list a question's name asks for; "" when nothing."""
    plain = _normalize(name).replace(" ", "_").replace("-", "_").strip("_")
    # The whole name and not a part of it: "time_unit" is no unit of an address.
    return next((what for what, pattern in _REFUSED if pattern.fullmatch(plain)), "")


def propose_class(type_name: str, name: str, labels: list[str]) -> tuple[PrivacyClass, str]:
    """Return the class that fits a question best, and why.

    Never one below the least class of its type.

    What is not recognised counts as sensitive.
    """
    question_type = TYPES[type_name]
    if find_refused_topic(name) in DIRECT:
        return PrivacyClass.IDENTIFIER, N_("It points to one person.")
    by_words = _propose_by_words(name, labels)
    if question_type.proposal is None:
        return by_words or (
            PrivacyClass.SENSITIVE,
            N_("Nothing says what the question is about, so it counts as sensitive, to be safe."),
        )
    if by_words and question_type.may_be_raised_to(by_words[0]):
        return by_words
    return question_type.proposal.privacy, question_type.proposal.reason


def is_card_code(name: str, labels: list[str]) -> bool:
    """Say whether a question seems to ask for the code of a person's card."""
    text = " ".join(_normalize(part).replace("_", " ") for part in (name, *labels))
    return _CARD.search(text) is not None


def _propose_by_words(name: str, labels: list[str]) -> tuple[PrivacyClass, str] | None:
    text = " ".join(_normalize(part).replace("_", " ") for part in (name, *labels))
    # In the order of the list, from what points to one person down: the first that fits decides.
    for privacy, pattern, reason in _PROPOSALS:
        if pattern.search(text):
            return privacy, reason
    return None


def _normalize(text: str) -> str:
    # Accents are taken off, since names of questions are written without them.
    decomposed = unicodedata.normalize("NFD", text.lower())
    return "".join(character for character in decomposed if not unicodedata.combining(character))
