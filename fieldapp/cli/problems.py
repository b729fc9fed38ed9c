"""What a command says of a problem that can be foreseen."""

from evaluator_export.problems import ExportProblem
from fieldapp.services.problems import ActProblem
from fieldapp.settings import SettingsProblem
from fieldapp.store.database import DAMAGED
from fieldapp.store.session import DatabaseError, OperationalError


def explain(error: Exception) -> list[str]:
    """Return what was wrong and what to do, a sentence a line; none for what nobody foresaw."""
    if isinstance(error, ActProblem | ExportProblem | SettingsProblem):
        return [str(error)]
    if isinstance(error, OperationalError):
        step = "Check FIELDAPP_DATABASE_URL, and that it has been set up: fieldapp db upgrade"
        if "full" in str(error.orig):
            step = "The disk is full. Nothing was half-written: make room, then try again."
        return [f"The database cannot be used: {error.orig}", step]
    if isinstance(error, DatabaseError):
        # Words of SQLite for a file that is damaged, or is something else.
        if any(word in str(error.orig) for word in ("malformed", "not a database")):
            return [DAMAGED]
        return [f"The database cannot be used: {error.orig}"]
    if isinstance(error, OSError):
        return [f"{error.filename or ''}: {error.strerror}"]
    return []
