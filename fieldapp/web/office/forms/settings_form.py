"""The settings of a form, as the page of its questions shows and saves them."""

from fieldapp.web.office.forms.fields import FormData, one_line, tidy
from forms.builder import WorkbookEditor
from forms.retention import MONTHS_SETTING

SETTINGS = (
    "form_title",
    "form_id",
    "version",
    "style",
    "summary_day",
    "summary_area",
    "summary_kind",
    "consent_why",
    MONTHS_SETTING,
)
MAX_LENGTH = 200
MAX_LANGUAGE_LENGTH = 60


def read_settings(book: WorkbookEditor) -> dict[str, str]:
    """Return the settings as the page shows them; of the style only whether there are pages."""
    settings = {key: book.setting(key) for key in SETTINGS}
    settings["style"] = "pages" if "pages" in settings["style"] else ""
    return settings


def save_settings(book: WorkbookEditor, form_data: FormData) -> None:
    """Write the settings that were changed on the page, and add the language that was typed."""
    for key, before in read_settings(book).items():
        if key not in form_data:
            continue
        typed = tidy(form_data[key])
        if typed not in (before, one_line(before)):
            book.set_setting(key, typed[:MAX_LENGTH])
    language = form_data.get("language", "").strip()
    if language:
        book.add_language(language[:MAX_LANGUAGE_LENGTH])
