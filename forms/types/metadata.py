"""What the phone itself fills in.

When a form was begun and finished, who filled it in, on which phone.
"""

from forms.privacy_classes import PrivacyClass
from forms.problems import N_
from forms.question_type import AnswerKind, QuestionType, accept_any, keep_text

TYPE = QuestionType(
    name="metadata",
    xlsform_names=("start", "end", "today", "username", "deviceid"),
    aliases={
        "start time": "start",
        "end time": "end",
        "device id": "deviceid",
        "imei": "deviceid",
        "get start time": "start",
        "get end time": "end",
        "get today": "today",
        "get device id": "deviceid",
    },
    answer=AnswerKind.COMPUTED,
    least_class=PrivacyClass.OPERATIONAL,
    # Who filled a form in, and on which phone, points to one worker.
    stricter_names={"username": PrivacyClass.IDENTIFIER, "deviceid": PrivacyClass.IDENTIFIER},
    proposal=None,
    is_class_implied=True,
    is_on_screen=False,
    words=N_("Filled in by the phone"),
    builder_position=None,
    seconds=0.0,
    check=accept_any,
    read=keep_text,
)
