"""What each column of the database holds, and how it lies there."""

SEALED = "sealed"  # authenticated encryption, bound to centre, table, column and row
HIDDEN = "hidden"  # a card code, encrypted so that it can be looked for
HASHED = "hashed"  # a hash of a secret that is not stored, or a keyed tag
WRAPPED = "wrapped"  # a key under the server's secret key
# In clear, because of what it is.
NUMBER = "a number without meaning, a count, a state or a time"
LISTED = "lists and searches work on it: form, day, area, kind, worker, state"
SHAPE = "a form, a recipe or a setting: it says nothing about a person"
STAFF = "an account, which the office shows"
RELEASED = "rows and counts that are safe to publish"
ACTS = "the audit log: acts and ids, no answers"
PUBLIC_KEY = "the public half of a key"
NOT_YET = "in clear still; decision 32 says so"

COLUMNS: dict[str, str] = {}


def _are(how: str, *names: str) -> None:
    for name in names:
        table, _, columns = name.partition(".")
        for column in columns.split():
            assert f"{table}.{column}" not in COLUMNS, name
            COLUMNS[f"{table}.{column}"] = how


_are(
    SEALED, "submission.body cards", "record.answers contested", "review.comment", "feed_item.body", "blob_piece.data",
    "frozen_piece.body",
)  # fmt: skip
_are(
    HIDDEN, "card.code", "record.person", "follow_up.code", "card_mention.code", "consent_word.person", "standing.person",
    "slip.person", "feed_item.key",
)  # fmt: skip
_are(
    HASHED, "ended.tag", "slip.tag", "withdrawal.person_tag", "published_row.tag", "withdrawal_row.tag", "device.token_hash",
    "feed_key.key_hash", "invitation.token_hash", "one_time_code.code_hash", "recovery_code.code_hash",
    "web_session.token_hash", "sign_on_link.subject_hash", "user.password", "audit.salt target_hash link", "audit_head.link", "retention_item.tag",
    "retention_plan.tags_sha256 erased_sha256", "throttle.key",
)  # fmt: skip
_are(WRAPPED, "centre_key.wrapped", "code_key.wrapped", "second_factor.wrapped")
_are(PUBLIC_KEY, "centre_key.public_key", "device.public_key", "passkey.credential public_key")
_are(
    NUMBER, "alembic_version.version_num", "attachment_name.centre_id instance_id answer",
    "audit_head.centre_id number checked_at fault fault_at",
    "blob.id centre_id sha256 size received device_id created_at", "blob_piece.blob_id start",
    "card.id centre_id first_id worker_id issued_by is_open clashes_with", "card_mention.centre_id submission_id",
    "centre_key.id centre_id purpose kid created_at", "centre_log.centre_id epoch lineage position copied safe",
    "changed_row.id name key", "code_key.kid created_at is_swept",
    "journal_head.id chain epoch schema number sha256 begun copies at",
    "consent_word.centre_id root_id position lowered_at waits statement_id knew",
    "device.id centre_id user_id uid made unsent deleted given_up report pulled order created_at last_seen_at revoked_at "
    "waiting_then aside_records aside_bytes aside_files day day_bytes day_refused shown_epoch",
    "dropped_item.user_id seq", "ended.centre_id kind", "epoch.number began_at copied_at position",
    "feed_head.user_id seq", "feed_item.user_id seq", "follow_up.id centre_id root_id",
    "frozen_piece.id centre_id key period last_day frozen_at checked_at",
    "gone_attachment.centre_id sha256 device_id", "invitation.id centre_id user_id made_by expires_at used_at",
    "legal_hold.id centre_id root_id until made_at made_by confirmed_at confirmed_by sooner_until sooner_by",
    "erased_bytes.id noted_at",
    "one_time_code.id centre_id user_id purpose made_by expires_at used_at",
    "record.id centre_id instance_id follows heads", "recovery_code.id centre_id user_id used_at",
    "retention_clock.centre_id ticked_at doubted_at doubt confirmed_at", "retention_item.plan_id subject outcome",
    "retention_mark.centre_id rule subject until",
    "retention_plan.id centre_id rule planned_at goes_at count delayed_at delayed_by done_at erased copies_until "
    "is_in_bytes",
    "review.id centre_id root_id at author_id", "scheduler_beat.id at", "second_factor.user_id confirmed_at last_counter",
    "slip.centre_id root_id withdrawal_id made_month is_lost", "standing.centre_id heads moved_at above_since is_in_log",
    "submission.id centre_id log_position instance_id root_id prev device_id seq utc_offset clock sha256 due",
    "throttle.failures since", "told_worker.withdrawal_id user_id seq",
    "sign_on_link.user_id centre_id linked_at last_used_at",
    "web_session.id centre_id user_id started_at last_used_at second_factor_at by_sign_on",
    "withdrawal.id centre_id how asked_on effective_at safe_at bytes_at phones phones_told phones_at listed_at attested_at "
    "forgotten_on",
    "withdrawal_count.centre_id quarter people", "withdrawal_in_round.round_id withdrawal_id",
    "withdrawal_round.id centre_id drawn_at listed_at attested_at",
    "withdrawal_row.dataset_id centre_id number place withdrawal_id round_id",
)  # fmt: skip
_are(
    LISTED, "board_item.id centre_id root_id uid need area opened_at acknowledged_at assigned_to closed_at",
    "board_step.id centre_id item_id at author_id kind to_id said_at", "card.tier seen_on",
    "consent_word.tier asked finished_at wording language how",
    "follow_up.due_on from_on form worker_id is_wanted is_settled",
    "record.form version via author_id occurred_on area kind received_at changed_at review is_refused", "review.state",
    "standing.tier since is_in_doubt wording",
    "submission.via form version author_id finished_at received_at state problems is_refusal is_cut is_by_holder",
)  # fmt: skip
_are(
    SHAPE, "area_set.id centre_id key sha256 outlines created_at",
    "centre.id slug name time_zone lock_minutes shred_days has_voice_notes by_invitation allows_collect asks_second_factor trusts_sign_on "
    "table_secret created_at",
    "dataset.id centre_id name text secret head created_at",
    "feed_key.id centre_id series_id label made_by created_at last_used_at revoked_at",
    "form_draft.id centre_id author_id form title revision workbook files definition xform problems created_at changed_at",
    "form_version.id centre_id form version title definition xform workbook files sha256 published_at withdrawn_at",
    "product_state.centre_id product is_on tried_at problem", "product_watch.centre_id checked_at",
    "question_class.id centre_id question privacy",
    "series.id centre_id key title recipe cadence first_period secret is_active recipient agreement age_key keep_days "
    "readers targets",
)  # fmt: skip
_are(
    STAFF, "device.kind label", "passkey.id centre_id user_id host sign_count label created_at last_used_at",
    "user.id centre_id username label role language active switched_off_at fs_uniquifier created_at", "web_session.browser",
)  # fmt: skip
_are(
    RELEASED, "batch.id dataset_id number entry report data created_at",
    "delivery.id release_id centre_id number target state token attempts due_at sent_at problem",
    "edition.id centre_id product period last_day number sha256 body built_at", "edition_file.edition_id name data",
    "partner_source.id centre_id name calendar figures sha256 brought_at", "published_row.dataset_id number place",
    "release.id run_id series_id centre_id period filename sha256 size manifest created_at expires_at revoked_at "
    "revoked_because attested_at attested_by listed_round replaced_by list_attested_at list_attested_by",
    "release_run.id series_id period state token lease_until attempts started_at ended_at problem step done",
    "table_state.centre_id key period cells revision counted_at records late",
)  # fmt: skip
_are(ACTS, "audit.id at centre_id actor_id device_id act target number")
_are(
    NOT_YET, "audit.details", "attachment_name.name", "withdrawal.reason", "legal_hold.reference sooner_reason",
    "retention_plan.delay_reason", "subscription.id centre_id product address told_of created_at",
)  # fmt: skip
