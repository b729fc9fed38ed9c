"""What pictures, recordings and files share: answers are data: URLs or name attachments."""

import re
from collections.abc import Callable

from forms.privacy_classes import PrivacyClass
from forms.problems import N_
from forms.question_type import ProposedClass, Question

MAX_CHARACTERS = 200_000  # of a data: URL: about 150 KB
PROPOSAL = ProposedClass(PrivacyClass.IDENTIFIER, N_("A face, a voice or a paper points to one person."))


def make_check(media_type: str) -> Callable[[str, Question], str]:
    """Return a check for answers of some media types.

    `media_type` is a regular expression, such as image/(jpeg|png).

    An attachment that travelled apart is written attachment:<media type>:<SHA-256 of what was sent>.
    """
    # One or the other: while offline a picture is in the answer; sent, it stands for what travelled
    # apart.
    pattern = re.compile(rf"data:{media_type};base64,[A-Za-z0-9+/]+={{0,2}}|attachment:{media_type}:[0-9a-f]{{64}}")

    def check(answer: str, question: Question) -> str:
        if len(answer) <= MAX_CHARACTERS and pattern.fullmatch(answer):
            return ""
        return N_("This should be a picture, a recording or a file, of 150 KB at most.")

    return check
