"""Words of data releases, on the office's pages and on the page of evaluators."""

from flask import Flask

from evaluator_export.labels import Labels
from fieldapp.services.releases.datasets import hierarchy_words
from fieldapp.web import language
from forms.problems import N_

CADENCES = {"week": N_("Every week"), "month": N_("Every month"), "quarter": N_("Every quarter")}
BUILD_STEPS = {"waiting": N_("begins"), "reading": N_("reads the records"), "writing": N_("writes and checks the files")}
TARGET_FIELDS = {
    "sftp": N_("To an SFTP server"),
    "s3": N_("To an S3-compatible store"),
    "email": N_("A notice by e-mail, without data"),
    "host": N_("Server"),
    "port": N_("Port, if not 22"),
    "username": N_("User name there"),
    "folder": N_("Folder"),
    "host_key": N_("Its host key (ssh-ed25519 …)"),
    "secret": N_("Name of the file with the secret"),
    "endpoint": N_("Address (https://…)"),
    "bucket": N_("Bucket"),
    "prefix": N_("Folder in the bucket, if any"),
    "region": N_("Region, if it has one"),
    "to": N_("E-mail address"),
}
# The parts of a series, as its page calls them.
SERIES_PARTS = {
    "title": N_("Title"),
    "purpose": N_("What it is for"),
    "recipient": N_("Recipient"),
    "audience": N_("What kind of recipient?"),
    "cadence": N_("How often"),
    "first_period": N_("First period"),
    "threshold": N_("Hide counts under"),
    "columns": N_("Rows"),
    "coarser": N_("Less detailed level"),
    "tables": N_("Tables"),
    "age_key": N_("The recipient's age public key"),
    "keep_days": N_("Days to download"),
    "agreement": N_("Agreement"),
    "targets": N_("How it is sent"),
    "readers": N_("Who may download here"),
    "is_active": N_("Build automatically when a period has ended"),
}


def write_level(name: str) -> str:
    """Return the words for a level of a hierarchy."""
    return Labels({}, hierarchy_words()).level(name, language.current())


def init(app: Flask) -> None:
    """Give templates the tables above, by the names that they use."""
    app.jinja_env.globals.update(cadences=CADENCES, steps=BUILD_STEPS, target_fields=TARGET_FIELDS, level_word=write_level)
