"""Who may do what: one table. Every act is scoped to the actor's own centre; there is no act across centres."""

WORKER, ADMIN, EVALUATOR, SYSTEM = "worker", "admin", "evaluator", "system"

ROLES = (WORKER, ADMIN, EVALUATOR)

ACCESS: dict[str, frozenset[str]] = {
    "areas.bring": frozenset({SYSTEM}),
    "areas.fetch": frozenset({WORKER}),
    "batch.receive": frozenset({WORKER}),
    "centre.rules": frozenset({ADMIN}),
    "classes.list": frozenset({ADMIN}),
    "copy.bring": frozenset({ADMIN}),
    "device.enrol": frozenset({WORKER}),
    "device.revoke": frozenset({ADMIN}),
    "draft.begin": frozenset({ADMIN}),
    "draft.change": frozenset({ADMIN}),
    "draft.classify": frozenset({ADMIN}),
    "draft.discard": frozenset({ADMIN}),
    "draft.publish": frozenset({ADMIN}),
    "draft.see": frozenset({ADMIN}),
    "drafts.list": frozenset({ADMIN}),
    "form.fetch": frozenset({WORKER}),
    "form.open": frozenset({ADMIN}),
    "form.publish": frozenset({ADMIN, SYSTEM}),
    "form.withdraw": frozenset({ADMIN}),
    "forms.list": frozenset({ADMIN}),
    "home.see": frozenset({ADMIN}),
    "key.make": frozenset({SYSTEM}),
    "manifest.fetch": frozenset({WORKER}),
    "people.list": frozenset({ADMIN}),
    "person.add": frozenset({ADMIN, SYSTEM}),
    "person.reset": frozenset({ADMIN}),
    "person.switch": frozenset({ADMIN}),
    "record.open": frozenset({ADMIN}),
    "records.browse": frozenset({ADMIN}),
    "release.build": frozenset({SYSTEM}),
    "release.download": frozenset({EVALUATOR, ADMIN}),
    "releases.list": frozenset({EVALUATOR, ADMIN}),
    "submission.open": frozenset({ADMIN}),
    "system.see": frozenset({ADMIN}),
}
