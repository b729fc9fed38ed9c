"""Everything that an XLSForm can hold, and what becomes of it here. docs/forms-support.md is written from this page.

WORKS: does what the XLSForm standard says. LOOK: accepted; it only changes how other apps draw the question.
Anything else is the reason for which a row is refused at publish.
"""

from forms.problems import N_

WORKS, LOOK = "works", "look"

# type → (our type, verdict). Names and aliases as pyxform knows them.
TYPES: dict[str, tuple[str, str]] = {
    "text": ("text", WORKS),
    "integer": ("integer", WORKS),
    "decimal": ("decimal", WORKS),
    "range": ("range", WORKS),
    "date": ("date", WORKS),
    "time": ("time", WORKS),
    "dateTime": ("dateTime", WORKS),
    "select_one": ("select_one", WORKS),
    "select_multiple": ("select_multiple", WORKS),
    "select_one_from_file": ("select_one", WORKS),
    "select_multiple_from_file": ("select_multiple", WORKS),
    "rank": ("rank", WORKS),
    "note": ("note", WORKS),
    "acknowledge": ("acknowledge", WORKS),
    "barcode": ("barcode", WORKS),
    "geopoint": ("geopoint", WORKS),
    "calculate": ("calculate", WORKS),
    "hidden": ("hidden", WORKS),
    "start": ("metadata", WORKS),
    "end": ("metadata", WORKS),
    "today": ("metadata", WORKS),
    "username": ("metadata", WORKS),
    "deviceid": ("metadata", WORKS),
    "csv-external": ("", WORKS),
    "select_one_external": (
        "",
        N_("Use select_one_from_file with a choice_filter: it does the same and works in every app."),
    ),
    "xml-external": ("", N_("Save the list as a CSV file and use csv-external or select_one_from_file.")),
    "image": ("image", WORKS),
    "audio": ("audio", WORKS),
    "video": ("", N_("Films show faces and places, and are too large to send from the street. Take it out.")),
    "file": ("file", WORKS),
    "geotrace": ("", N_("A line on a map follows somebody; this programme does not collect it. Ask for the neighbourhood.")),
    "geoshape": ("", N_("This app draws no shapes on a map. Ask for the neighbourhood.")),
    "start-geopoint": (
        "",
        N_("Nobody's place is recorded without asking. Use a question of type geopoint, or a neighbourhood."),
    ),
    "background-geopoint": ("", N_("Nobody's place is recorded without asking. Ask for the neighbourhood.")),
    "background-audio": ("", N_("Nobody is recorded without asking. Take it out.")),
    "audit": ("", N_("This app keeps no log of how its workers work. Take it out.")),
    "phonenumber": (
        "",
        N_("A browser does not know the phone's number, and the programme does not collect it. Take it out."),
    ),
    "email": ("", N_("A browser does not know an e-mail address. Who filled a form in is kept with each record.")),
    "simserial": ("", N_("A browser does not know the SIM card. Which phone it was is kept with each record.")),
    "subscriberid": ("", N_("A browser does not know the subscriber. Which phone it was is kept with each record.")),
    "osm": ("", N_("This app shows no street map. Ask for the neighbourhood.")),
}

TYPE_ALIASES = {
    "string": "text",
    "int": "integer",
    "datetime": "dateTime",
    "date time": "dateTime",
    "trigger": "acknowledge",
    "photo": "image",
    "picture": "image",
    "gps": "geopoint",
    "location": "geopoint",
    "select1": "select_one",
    "select one": "select_one",
    "select one from": "select_one",
    "add select one prompt using": "select_one",
    "select all that apply": "select_multiple",
    "select all that apply from": "select_multiple",
    "add select multiple prompt using": "select_multiple",
    "select one from file": "select_one_from_file",
    "select multiple from file": "select_multiple_from_file",
    "select one external": "select_one_external",
    "start time": "start",
    "end time": "end",
    "device id": "deviceid",
    "imei": "deviceid",
    "phone number": "phonenumber",
    "sim id": "simserial",
    "subscriber id": "subscriberid",
    "get start time": "start",
    "get end time": "end",
    "get today": "today",
    "get device id": "deviceid",
    "get phone number": "phonenumber",
    "get sim id": "simserial",
    "get subscriber id": "subscriberid",
    "percentage": "integer",
    **{
        f"add {words} prompt": name
        for words, name in {
            **dict.fromkeys(("date time", "dateTime"), "dateTime"),
            **{one: one for one in ("acknowledge", "audio", "barcode", "calculate", "date", "decimal", "file", "image")},
            **{one: one for one in ("integer", "note", "text", "video")},
            "location": "geopoint",
        }.items()
    },
    **{
        f"q {words}": name
        for words, name in {
            **{
                one: one
                for one in ("acknowledge", "audio", "barcode", "calculate", "date", "decimal", "geopoint", "geoshape")
            },
            **{one: one for one in ("geotrace", "image", "note", "video")},
            **{"date time": "dateTime", "dateTime": "dateTime", "int": "integer", "location": "geopoint"},
            **{"picture": "image", "string": "text", "select1": "select_one", "select": "select_multiple"},
        }.items()
    },
}

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
    "media::image": N_("Pictures in labels are not shown on phones yet. Say it in words, or take the picture out."),
    "media::big-image": N_("Pictures in labels are not shown on phones yet. Say it in words, or take the picture out."),
    "media::audio": N_("Recordings in labels are not played on phones yet. Say it in words, or take the recording out."),
    "media::video": N_("Films in labels are not shown on phones yet. Say it in words, or take the film out."),
    "save_to": N_("Entities are not kept here. Take the column out."),
    "intent": N_("A browser cannot open another app. Take the column out."),
    "bind": N_("Raw XForm attributes are not read, apart from bind::type. Use the columns of an XLSForm."),
    "body": N_("Raw XForm attributes are not read. Use the columns of an XLSForm."),
    "instance": N_("Raw XForm attributes are not read. Use the columns of an XLSForm."),
    "sms_field": N_("Forms are not sent as text messages. Take the column out."),
    "sms_option": N_("Forms are not sent as text messages. Take the column out."),
    "compact_tag": N_("Forms are not sent as text messages. Take the column out."),
    "hxl": LOOK,
    "disabled": N_("pyxform no longer reads “disabled”. Take the row and the column out."),
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
    "name": LOOK,
    "allow_choice_duplicates": WORKS,
    "clean_text_values": WORKS,
    "omit_instanceid": LOOK,
    "instance_name": N_("Records are listed by day, place and kind (summary_day, summary_area, summary_kind)."),
    "public_key": N_("Answers are sealed on the phone by the app itself; a key in the form is not used."),
    "submission_url": N_("Phones send to the centre that gave them the form, and nowhere else."),
    "auto_send": N_("Phones send by themselves as soon as there is signal."),
    "auto_delete": N_("Phones drop what the centre holds by themselves."),
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

SELECT_LOOKS = ("select_one", "select_multiple", "rank")
# appearance → (types it is for, verdict). "*": every type.
APPEARANCES: dict[str, tuple[tuple[str, ...], str]] = {
    "field-list": (("group", "repeat"), WORKS),
    "minimal": (SELECT_LOOKS, WORKS),
    "autocomplete": (SELECT_LOOKS, WORKS),
    "search": (SELECT_LOOKS, WORKS),
    "quick": (("select_one",), LOOK),
    "likert": (("select_one",), LOOK),
    "columns": (SELECT_LOOKS, LOOK),
    "columns-1": (SELECT_LOOKS, WORKS),
    "columns-pack": (SELECT_LOOKS, LOOK),
    "columns-flex": (SELECT_LOOKS, LOOK),
    "columns-n": (SELECT_LOOKS, LOOK),
    "compact": (SELECT_LOOKS, LOOK),
    "horizontal": (SELECT_LOOKS, LOOK),
    "horizontal-compact": (SELECT_LOOKS, LOOK),
    "quickcompact": (SELECT_LOOKS, LOOK),
    "no-buttons": ((*SELECT_LOOKS, "range"), LOOK),
    "list-nolabel": (SELECT_LOOKS, LOOK),
    "list": (SELECT_LOOKS, LOOK),
    "label": (SELECT_LOOKS, LOOK),
    "table-list": (("group", "repeat"), LOOK),
    "summary": (("group",), LOOK),
    "multiline": (("text",), WORKS),
    "numbers": (("text",), WORKS),
    "thousands-sep": (("text", "integer", "decimal"), LOOK),
    "masked": (("text", "integer"), WORKS),
    "counter": (("integer",), WORKS),
    "no-calendar": (("date", "dateTime"), LOOK),
    "month-year": (("date",), WORKS),
    "year": (("date",), WORKS),
    "rating": (("range",), LOOK),
    "vertical": (("range",), LOOK),
    "picker": (("range",), LOOK),
    "last-used": (("*",), WORKS),
    "card-code": (("text", "barcode"), WORKS),
    "my-place": (("select_one",), WORKS),
    "area-cell": (("text",), WORKS),
    "consent-card": (("note",), WORKS),
    "hide-input": (("*",), LOOK),
    "w1": (("*",), LOOK),
    "wN": (("*",), LOOK),
    "maps": (("geopoint",), LOOK),
    "placement-map": (("geopoint",), N_("This app shows no map on which to place a point.")),
    "map": (SELECT_LOOKS, N_("This app shows no map to choose from. Take the appearance out; the list stays.")),
    "quick map": (SELECT_LOOKS, N_("This app shows no map to choose from. Take the appearance out; the list stays.")),
    "image-map": (("select_one", "select_multiple"), N_("This app has no picture to choose from. Take the appearance out.")),
    "search()": (SELECT_LOOKS, N_("Use select_one_from_file with a choice_filter, which works in every app.")),
    "ex:": (("*",), N_("A browser cannot open another app. Take the appearance out.")),
    "printer": (("*",), N_("A browser cannot open another app. Take the appearance out.")),
    "new": (("image", "audio"), WORKS),
    "new-front": (("image",), WORKS),
    "new-rear": (("image",), WORKS),
    "front": (("image",), WORKS),
    "selfie": (("image",), WORKS),
    "signature": (("image",), N_("A signature names a person. Take it out.")),
    "draw": (("image",), N_("This app has no drawing board. Take the appearance out.")),
    "annotate": (("image",), N_("This app has no drawing board. Take the appearance out.")),
    "url": (("*",), N_("Nothing on the phone opens a web address. Take the appearance out.")),
    "bearing": (("decimal",), N_("A browser's compass cannot be relied on. Take the appearance out.")),
    "ethiopian": (("date",), N_("Only the Gregorian calendar is known here. Take the appearance out.")),
    "coptic": (("date",), N_("Only the Gregorian calendar is known here. Take the appearance out.")),
    "islamic": (("date",), N_("Only the Gregorian calendar is known here. Take the appearance out.")),
    "bikram-sambat": (("date",), N_("Only the Gregorian calendar is known here. Take the appearance out.")),
    "myanmar": (("date",), N_("Only the Gregorian calendar is known here. Take the appearance out.")),
    "persian": (("date",), N_("Only the Gregorian calendar is known here. Take the appearance out.")),
    "buddhist": (("date",), N_("Only the Gregorian calendar is known here. Take the appearance out.")),
    "theme-grid": (("*",), LOOK),
    "pages": (("*",), LOOK),
}

PARAMETERS: dict[str, dict[str, str]] = {
    "range": {
        "start": WORKS,
        "end": WORKS,
        "step": WORKS,
        "tick_interval": LOOK,
        "placeholder": LOOK,
        "tick_labelset": LOOK,
    },
    "select": {"randomize": WORKS, "seed": WORKS, "value": WORKS, "label": WORKS},
    "geopoint": {"capture-accuracy": WORKS, "warning-accuracy": LOOK, "allow-mock-accuracy": LOOK},
    "text": {"rows": LOOK},
    "image": {"max-pixels": WORKS, "app": LOOK},
    "audio": {"quality": LOOK},
}


def standard_type(text: str) -> str:
    """Return the standard name of a type: select_one for "Select one", with its list and or_other left out."""
    words = text.split()
    for length in (5, 4, 3, 2, 1):
        name = " ".join(words[:length])
        for known in (name, name.lower()):
            if known in TYPES:
                return known
            if known in TYPE_ALIASES:
                return TYPE_ALIASES[known]
    return ""


def list_of(text: str) -> str:
    """Return the list that a row's type names: places for "select_one places", places.csv for a file."""
    words = [word for word in text.split() if word.lower() != "or_other"]
    if len(words) < 2 or standard_type(text) not in LISTED:
        return ""
    return words[-1] if words[-2:-1] != ["specify"] else ""


LISTED = {
    *("select_one", "select_multiple", "select_one_from_file", "select_multiple_from_file", "rank", "select_one_external"),
}


def appearance(word: str) -> tuple[tuple[str, ...], str] | None:
    """Return what is known of an appearance; None for one that nobody knows."""
    if word in APPEARANCES:
        return APPEARANCES[word]
    if word.startswith("ex:"):
        return APPEARANCES["ex:"]
    if word.startswith("columns-") or word.startswith("compact-") or word.startswith("quickcompact-"):
        return APPEARANCES["columns-n"]
    if len(word) < 4 and word[0] == "w" and word[1:].isdecimal():
        return APPEARANCES["wN"]
    return None
