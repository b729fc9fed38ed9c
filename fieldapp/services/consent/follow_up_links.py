"""Records that follow up others do not say any more which, once those are gone."""

import json
from collections.abc import Collection

from fieldapp.services.acts import ActContext
from fieldapp.store.records import records, submissions


def untie_follow_ups(ctx: ActContext, root_ids: Collection[str]) -> None:
    """Take the numbers of records that are gone out of what follows them up.

    The follow-ups stay: they are work that was done.
    """
    for record in records.list_following(ctx.session, ctx.centre_id, root_ids):
        gone = record.follows
        record.follows = ""
        record.answers = json.loads(json.dumps(record.answers).replace(gone, ""))
        for submission in submissions.of_record(ctx.session, ctx.centre_id, record.instance_id):
            submission.body = submission.body.replace(gone, "")
    ctx.session.flush()
