"""Records that follow up others do not say any more which, once those are gone."""

import json
import re
from collections.abc import Collection
from typing import Any

from fieldapp.services.acts import ActContext
from fieldapp.store.records import records, submissions

RECORD_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def find_record_ids(body: str) -> set[str]:
    """Return what may be numbers of records in the body of a submission."""
    return set(RECORD_ID.findall(body))


def take_out_record_ids(body: str, ids: Collection[str]) -> str:
    for number in ids:
        body = body.replace(number, "")
    return body


def take_out_of_answers(answers: Any, ids: Collection[str]) -> Any:
    """Return JSON values without these numbers of records."""
    return json.loads(take_out_record_ids(json.dumps(answers), ids))


def untie_follow_ups(ctx: ActContext, root_ids: Collection[str]) -> None:
    """Take the numbers of records that are gone out of what follows them up.

    The follow-ups stay: they are work that was done.
    """
    for record in records.list_following(ctx.session, ctx.centre_id, root_ids):
        gone = record.follows
        record.follows = ""
        record.answers = take_out_of_answers(record.answers, [gone])
        for submission in submissions.of_record(ctx.session, ctx.centre_id, record.instance_id):
            submission.body = submission.body.replace(gone, "")
    for submission in submissions.list_not_taken_in_naming(ctx.session, ctx.centre_id, root_ids):
        submission.body = take_out_record_ids(submission.body, root_ids)
    ctx.session.flush()
