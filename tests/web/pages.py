"""What a browser sends back from a page when nothing on it was changed."""

from dataclasses import dataclass, field
from html.parser import HTMLParser


@dataclass
class PageForm:
    """One form of a page: where it goes, and its fields in order."""

    action: str = ""
    fields: list[tuple[str, str]] = field(default_factory=list)


class Reader(HTMLParser):
    """Collects the forms of a page as a browser would send them: buttons that were not pressed send nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: list[PageForm] = []
        self.area: list[str] | None = None  # text of the open textarea
        self.name = ""  # of the open textarea or select
        self.options: list[tuple[str | None, bool]] = []  # value (None: its own text) and whether it is selected
        self.texts: list[str] = []

    def handle_starttag(self, tag: str, pairs: list[tuple[str, str | None]]) -> None:
        given = {key: value or "" for key, value in pairs}
        if tag == "form":
            self.forms.append(PageForm(given.get("action", "")))
        elif tag == "input" and given.get("name") and self.forms:
            kind = given.get("type", "text")
            if kind in ("checkbox", "radio") and "checked" not in given:
                return
            value = given.get("value", "on" if kind == "checkbox" else "")
            text = value if kind in ("hidden", "checkbox") else value.replace("\r", "").replace("\n", "")
            self.forms[-1].fields.append((given["name"], text))
        elif tag == "textarea":
            self.name, self.area = given.get("name", ""), []
        elif tag == "select":
            self.name, self.options, self.texts = given.get("name", ""), [], []
        elif tag == "option":
            self.options.append((given.get("value"), "selected" in given))
            self.texts.append("")

    def handle_data(self, data: str) -> None:
        if self.area is not None:
            self.area.append(data)
        elif self.texts:
            self.texts[-1] += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea" and self.area is not None:
            text = "".join(self.area).removeprefix("\n")
            self.forms[-1].fields.append((self.name, text.replace("\r\n", "\n").replace("\n", "\r\n")))
            self.area = None
        elif tag == "select" and self.options:
            selected = [at for at, (_, is_selected) in enumerate(self.options) if is_selected]
            at = selected[-1] if selected else 0
            value = self.options[at][0]
            self.forms[-1].fields.append((self.name, " ".join(self.texts[at].split()) if value is None else value))
            self.texts = []


def forms_of(page: str) -> list[PageForm]:
    reader = Reader()
    reader.feed(page)
    return reader.forms


def form_with(page: str, name: str) -> dict[str, str]:
    """Return the fields of the form of a page that has a field of this name."""
    return next(dict(form.fields) for form in forms_of(page) if name in dict(form.fields))
