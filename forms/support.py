"""What an XLSForm can hold, and what becomes of it here.

docs/forms-support.md is written from this module.

What is about one type of question stands in its own module in forms/types, and is collected here.
"""

from collections.abc import Mapping

from forms.problems import N_
from forms.question_type import LOOK, WORKS, IncompleteType
from forms.types import TYPES

# XLSForm types that are refused, and why. A type that is taken in has a module in forms/types and no row here.
REFUSED_TYPES: dict[str, str] = {
    "select_one_external": N_("Use select_one_from_file with a choice_filter: it does the same and works in every app."),
    "xml-external": N_("Save the list as a CSV file and use csv-external or select_one_from_file."),
    "video": N_("Films show faces and places, and are too large to send from the street. Remove the row."),
    "geotrace": N_("A line on a map follows somebody; this program does not collect it. Ask for the neighbourhood."),
    "geoshape": N_("This app draws no shapes on a map. Ask for the neighbourhood."),
    "start-geopoint": N_("Nobody's place is recorded without asking. Use a question of type geopoint, or a neighbourhood."),
    "background-geopoint": N_("Nobody's place is recorded without asking. Ask for the neighbourhood."),
    "background-audio": N_("Nobody is recorded without asking. Remove the row."),
    "audit": N_("This app does not log how its workers work. Remove the row."),
    "phonenumber": N_("A browser does not know the phone's number, and the program does not collect it. Remove the row."),
    "email": N_("A browser does not know an e-mail address. Who filled in a form is stored with each record."),
    "simserial": N_("A browser does not know the SIM card. Which phone it was is stored with each record."),
    "subscriberid": N_("A browser does not know the subscriber. Which phone it was is stored with each record."),
    "osm": N_("This app shows no street map. Ask for the neighbourhood."),
}
REFUSED_ALIASES = {
    "add video prompt": "video",
    "q video": "video",
    "q geoshape": "geoshape",
    "q geotrace": "geotrace",
    "select one external": "select_one_external",
    "phone number": "phonenumber",
    "get phone number": "phonenumber",
    "sim id": "simserial",
    "get sim id": "simserial",
    "subscriber id": "subscriberid",
    "get subscriber id": "subscriberid",
}
# Rows of the survey sheet that are no questions: a list that came with the form as a file.
FILE_TYPES = {"csv-external": WORKS}


def _collect_names() -> dict[str, str]:
    """Return our type by each name that an XLSForm has for it."""
    names: dict[str, str] = {}
    for question_type in TYPES.values():
        names |= dict.fromkeys(question_type.xlsform_names, question_type.name)
    # A type that is both taken in and refused would be decided by the order of two dicts.
    twice = names.keys() & REFUSED_TYPES.keys()
    if twice:
        raise IncompleteType(f"Taken in and refused: {', '.join(sorted(twice))}. See REFUSED_TYPES.")
    return names


def _collect_aliases() -> dict[str, str]:
    """Return the standard name by each other spelling of a type."""
    aliases = dict(REFUSED_ALIASES)
    for question_type in TYPES.values():
        aliases |= question_type.aliases
    return aliases


QUESTION_TYPES = _collect_names()  # XLSForm type → our type
TYPE_VERDICTS: dict[str, str] = dict.fromkeys(QUESTION_TYPES, WORKS) | FILE_TYPES | REFUSED_TYPES
TYPE_ALIASES = _collect_aliases()
# XLSForm types whose cell also names a list of choices: “select_one places”.
LISTED = {name for name, type_name in QUESTION_TYPES.items() if TYPES[type_name].is_select} | {"select_one_external"}

# Columns of the survey sheet, by their standard name.
COLUMNS: dict[str, str] = {
    "type": WORKS,
    "name": WORKS,
    "label": WORKS,
    "hint": WORKS,
    "guidance_hint": WORKS,
    "appearance": WORKS,
    "default": WORKS,
    "calculation": WORKS,
    "relevant": WORKS,
    "required": WORKS,
    "required_message": WORKS,
    "constraint": WORKS,
    "constraint_message": WORKS,
    "read_only": WORKS,
    "choice_filter": WORKS,
    "repeat_count": WORKS,
    "trigger": WORKS,
    "parameters": WORKS,
    "note": LOOK,
    "autoplay": LOOK,
    "rows": LOOK,
    "privacy::class": WORKS,
    "privacy::hierarchy": WORKS,
    "privacy::export": WORKS,
    "privacy::approval": WORKS,
    "consent::keep": WORKS,
    "consent::why": WORKS,
    "retain::months": WORKS,
    "app_role": WORKS,
    "media::image": N_("Pictures in question texts are not shown on phones yet. Say it in words, or remove the picture."),
    "media::big-image": N_(
        "Pictures in question texts are not shown on phones yet. Say it in words, or remove the picture."
    ),
    "media::audio": N_(
        "Recordings in question texts are not played on phones yet. Say it in words, or remove the recording."
    ),
    "media::video": N_("Films in question texts are not shown on phones yet. Say it in words, or remove the film."),
    "save_to": N_("Entities are not stored here. Remove the column."),
    "intent": N_("A browser cannot open another app. Remove the column."),
    "bind": N_("Raw XForm attributes are not read, apart from bind::type. Use the columns of an XLSForm."),
    "body": N_("Raw XForm attributes are not read. Use the columns of an XLSForm."),
    "instance": N_("Raw XForm attributes are not read. Use the columns of an XLSForm."),
    "sms_field": N_("Forms are not sent as text messages. Remove the column."),
    "sms_option": N_("Forms are not sent as text messages. Remove the column."),
    "compact_tag": N_("Forms are not sent as text messages. Remove the column."),
    "hxl": LOOK,
    "disabled": N_("pyxform no longer reads “disabled”. Remove the row and the column."),
    "no_app_error_string": LOOK,
}

COLUMN_ALIASES = {
    "caption": "label",
    "command": "type",
    "tag": "name",
    "value": "name",
    "relevance": "relevant",
    "calculate": "calculation",
    "readonly": "read_only",
    "constraining_message": "constraint_message",
    "requiredmsg": "required_message",
    "count": "repeat_count",
    "jr:count": "repeat_count",
    "image": "media::image",
    "big-image": "media::big-image",
    "audio": "media::audio",
    "video": "media::video",
    "media": "media::image",
    "noapperrorstring": "no_app_error_string",
    "privacy": "privacy::class",
    "bind::relevant": "relevant",
    "bind::required": "required",
    "bind::constraint": "constraint",
    "bind::calculate": "calculation",
    "bind::readonly": "read_only",
    "bind::jr:constraintmsg": "constraint_message",
    "bind::jr:requiredmsg": "required_message",
    "control::appearance": "appearance",
    "body::appearance": "appearance",
    "bind::relevance": "relevant",
    "bind::calculation": "calculation",
    "bind::read_only": "read_only",
    "bind::jr:noapperrorstring": "no_app_error_string",
    "control::jr:count": "repeat_count",
    "body::jr:count": "repeat_count",
    "control::autoplay": "autoplay",
    "body::autoplay": "autoplay",
    "control::rows": "rows",
    "body::rows": "rows",
}
RAW_COLUMNS = {"bind", "body", "control", "instance"}  # attributes of the XForm itself: bind::foo
TRANSLATED = {"label", "hint", "guidance_hint", "required_message", "constraint_message", "media"}

SETTINGS: dict[str, str] = {
    "form_title": WORKS,
    "form_id": WORKS,
    "version": WORKS,
    "default_language": WORKS,
    "style": WORKS,
    "app_role": WORKS,
    "consent_why": WORKS,
    "retain_months": WORKS,
    "name": LOOK,
    "allow_choice_duplicates": WORKS,
    "clean_text_values": WORKS,
    "omit_instanceid": LOOK,
    "instance_name": N_("Records are listed by day, place and kind (summary_day, summary_area, summary_kind)."),
    "public_key": N_("The app encrypts answers on the phone; a key in the form is not used."),
    "submission_url": N_("Phones send to the centre that gave them the form, and nowhere else."),
    "auto_send": N_("Phones send automatically as soon as there is a signal."),
    "auto_delete": N_("Phones automatically delete what the centre has."),
    "client_editable": N_("A finished record is corrected at the centre."),
    "sms_keyword": N_("Forms are not sent as text messages."),
    "sms_separator": N_("Forms are not sent as text messages."),
    "sms_allow_media": N_("Forms are not sent as text messages."),
    "sms_date_format": N_("Forms are not sent as text messages."),
    "sms_datetime_format": N_("Forms are not sent as text messages."),
    "sms_response": N_("Forms are not sent as text messages."),
    "namespaces": LOOK,
    "prefix": LOOK,
    "delimiter": N_("Forms are not sent as text messages."),
}
SETTING_ALIASES = {"title": "form_title", "set_form_title": "form_title", "id_string": "form_id", "set_form_id": "form_id"}

EVERY_TYPE = ("*",)
GROUPS = ("group", "repeat")
NO_OTHER_APP = N_("A browser cannot open another app. Remove the appearance.")
# Appearances of groups, and of every type of question. Those of one type stand in its module in forms/types.
SHARED_APPEARANCES: dict[str, tuple[tuple[str, ...], str]] = {
    "field-list": (GROUPS, WORKS),
    "table-list": (GROUPS, LOOK),
    "summary": (("group",), LOOK),
    "last-used": (EVERY_TYPE, WORKS),
    "hide-input": (EVERY_TYPE, LOOK),
    "w1": (EVERY_TYPE, LOOK),
    "wN": (EVERY_TYPE, LOOK),
    "ex:": (EVERY_TYPE, NO_OTHER_APP),
    "printer": (EVERY_TYPE, NO_OTHER_APP),
    "url": (EVERY_TYPE, N_("Nothing on the phone opens a web address. Remove the appearance.")),
    "theme-grid": (EVERY_TYPE, LOOK),
    "pages": (EVERY_TYPE, LOOK),
}


def _collect(part: str) -> dict[str, tuple[tuple[str, ...], str]]:
    """Return the appearances or parameters of all types.

    The types that know each, and the verdict on it.

    `part` is "appearances" or "parameters". Raises IncompleteType when two types judge the same one differently.
    """
    collected: dict[str, tuple[tuple[str, ...], str]] = {}
    for question_type in TYPES.values():
        verdicts: Mapping[str, str] = getattr(question_type, part)
        for name, verdict in verdicts.items():
            types, known_verdict = collected.get(name, ((), verdict))
            # An appearance that several types share is explained once; two opinions on it could not
            # both be shown.
            if known_verdict != verdict:
                raise IncompleteType(f"{question_type.name}: another type judges “{name}” differently.")
            collected[name] = ((*types, question_type.name), verdict)
    return collected


# appearance → (the types that know it, verdict)
APPEARANCES = SHARED_APPEARANCES | _collect("appearances")
PARAMETERS = _collect("parameters")  # parameter → the same


def standard_type(text: str) -> str:
    """Return the standard name of a type, without the list that it names.

    "" for one that nobody knows.

    Example: standard_type("Select one places or_other") is "select_one".
    """
    words = text.split()
    # Longest first: "select one from file" begins with "select one".
    for length in (5, 4, 3, 2, 1):
        name = " ".join(words[:length])
        for spelling in (name, name.lower()):
            if spelling in TYPE_VERDICTS:
                return spelling
            if spelling in TYPE_ALIASES:
                return TYPE_ALIASES[spelling]
    return ""


def list_of(text: str) -> str:
    """Return the list that a row's type names.

    Places for "select_one places", places.csv for a file.
    """
    words = [word for word in text.split() if word.lower() != "or_other"]
    if len(words) < 2 or standard_type(text) not in LISTED:
        return ""
    # "or specify" is an old spelling of "or other", so the last word is no list there.
    if words[-2:-1] != ["specify"]:
        return words[-1]
    return ""


def find_appearance(word: str) -> tuple[tuple[str, ...], str] | None:
    """Return the types that an appearance is for, and the verdict on it.

    None for one that nobody knows.
    """
    if word in APPEARANCES:
        return APPEARANCES[word]
    if word.startswith("ex:"):
        return APPEARANCES["ex:"]
    if word.startswith(("columns-", "compact-", "quickcompact-")):
        return APPEARANCES["columns-n"]
    if len(word) < 4 and word[0] == "w" and word[1:].isdecimal():
        return APPEARANCES["wN"]
    return None
