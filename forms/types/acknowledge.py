"""A tick that confirms."""

from forms.privacy_classes import PrivacyClass
from forms.problems import N_
from forms.question_type import AnswerKind, Question, QuestionType, keep_text


def check(answer: str, question: Question) -> str:
    """Return why an answer is no tick, which is written OK."""
    # As OpenRosa writes a tick, so that records of both kinds of app read alike.
    if answer == "OK":
        return ""
    return N_("This should be ticked or left alone.")


TYPE = QuestionType(
    name="acknowledge",
    xlsform_names=("acknowledge",),
    aliases=dict.fromkeys(("trigger", "add acknowledge prompt", "q acknowledge"), "acknowledge"),
    answer=AnswerKind.TICK,
    least_class=PrivacyClass.OPERATIONAL,
    proposal=None,
    is_on_screen=True,
    words=N_("Tick to confirm"),
    builder_position=11,
    seconds=1.5,
    check=check,
    read=keep_text,
)
