"""What the page of a slip says.

English is here, French in the catalogue, other languages are in the program's file.
Short sentences of common words: people read them alone, on any computer (tests/web/public/test_slip_words.py).
"""

import datetime as dt
import functools
from collections.abc import Mapping, Sequence

import yaml
from babel.dates import format_date
from flask_babel import force_locale, gettext

from fieldapp.paths import PROGRAM
from fieldapp.web.language import LANGUAGES
from forms.problems import N_

WORDS: dict[str, str] = {
    # "Information", in the list of visited pages, tells nobody what it is.
    "title": N_("Information"),
    "leave": N_("Leave now"),
    "ask": N_("Type the 12 characters on your slip"),
    "hint": N_("Big or small letters, spaces and dashes do not matter. No name is needed."),
    "show": N_("Show"),
    "unknown": N_("We do not know this slip. Check each character. A new slip can take a week to get here."),
    "ask_for_new": N_("If it still does not work, ask your worker for a new slip."),
    "wait": N_("Many slips from here were wrong. Check each character, wait a minute, and try again."),
    "busy": N_("Too many slips are being tried just now. Wait a minute, and try again."),
    "elsewhere": N_("Nothing was changed. Open this page by its own address, then type your slip."),
    "over": N_("Nothing was changed. The page was open too long. Type your slip again."),
    "unchanged": N_("Nothing was changed. You had already agreed to less."),
    "changed": N_("It is done, from now on."),
    "private": N_("This page keeps nothing on this device. It cannot clear the list of pages in the browser."),
    "agreed": N_("What you agreed to"),
    "tier_0": N_(
        "You said no. No facts about you go out, and no new number counts you. Your team still has what you said before."
    ),
    "tier_1": N_("Your team keeps notes under your code."),
    "tier_2": N_("People who check the program may use facts too."),
    "tier_3": N_("You are also in public totals."),
    "since": N_("Since {month}."),
    "doubt": N_("Two of your answers differ. The smaller one counts until you tell us."),
    "kinds": N_("What this means"),
    "kinds_1": N_("Your team sees when you met, what it was about, the help you got, and their notes."),
    "kinds_2": N_(
        "People who check the program get facts such as month, area, age group, gender, race and help. "
        "They get no notes and no card code."
    ),
    "kinds_3": N_("Public totals are counts of many people. They have no facts about one person."),
    "never": N_("We do not ask your name, your address or your birthday."),
    "went": N_("Who got facts"),
    "went_team": N_("Only your team."),
    "went_none": N_("Your team. No facts went to people who check the program in the last 12 months."),
    "went_months": N_(
        "Your team. Facts also went to people who check the program, in these months. Yours may be among them:"
    ),
    "less": N_("Agree to less"),
    "less_note": N_("You still get help. What is already out stays out. You cannot agree to more with this slip."),
    "lower_2": N_("No public totals any more"),
    "lower_1": N_("Only my team"),
    "end_title": N_("Take everything back"),
    "end_note": N_("You can take back all that you said to us. First you see what happens then."),
    "end_first": N_("See what happens"),
    "end_1": N_("All that was written under your card is erased here."),
    "end_2": N_("Nobody at the centre sees it from then on, and no new number counts you."),
    "end_3": N_("We keep only how many talks there were, of which kind, in which month, with which worker."),
    "end_4": N_("Your team's phones drop it when they next connect. Our safe copies have it until {day}."),
    "end_5": N_("Those who got facts about you are asked to delete them. Totals that are out stay out."),
    "end_6": N_("What a judge wants us to keep stays closed until the judge lets it go."),
    "end_7": N_("You cannot undo this. You still get help, with a new card."),
    "end_yes": N_("Take everything back now"),
    "end_no": N_("Back, change nothing"),
    "ended_title": N_("It is taken back"),
    "ended_on": N_("Since {day}, nobody at the centre sees it, and no new number counts you."),
    "ended_safe": N_("No old copy brings it back."),
    "ended_unsafe": N_("It is not safe yet: our second list has not heard of it. Look here again."),
    "ended_phones": N_("{told} of {phones} phones of your team have dropped it."),
    "ended_phones_wait": N_("Your team's phones drop it when they next connect."),
    "ended_none_out": N_("No facts about you alone had gone out."),
    "ended_told_wait": N_("Those who got facts about you hear of it with their next list."),
    "ended_told": N_("Those who got facts about you heard of it on {day}."),
    "ended_deleted": N_("On {day} they said that they deleted them."),
    "ended_copies": N_("Our safe copies have it until {day}."),
    "ended_copies_over": N_("Since {day} no safe copy has it."),
    "ended_keep": N_("Keep the slip to look here again."),
    "failed": N_("Nothing was changed. The server could not write it down. Try again later."),
    "copy": N_("A copy"),
    "copy_note": N_("To get a copy, or to agree to more, come to the centre. Bring your slip or your card."),
}


@functools.cache
def load_others() -> Mapping[str, Mapping[str, str]]:
    """Return the words beyond English and French: language → key → text."""
    words: Mapping[str, Mapping[str, str]] = yaml.safe_load((PROGRAM / "slip_languages.yaml").read_text(encoding="utf-8"))
    return words


def list_languages() -> Sequence[str]:
    return [*LANGUAGES, *load_others()]


def say(language: str, key: str, **values: str) -> str:
    """Return a sentence of the page in a language."""
    own = load_others().get(language)
    if own is not None:
        return own[key].format(**values)
    with force_locale(language):
        return str(gettext(WORDS[key])).format(**values)


def name_day(day: dt.date, language: str) -> str:
    return str(format_date(day, "long", locale=language))


def name_month(month: dt.date, language: str) -> str:
    return str(format_date(month, "MMMM y", locale=language))
