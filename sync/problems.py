"""What can be wrong with a message from a phone."""

from dataclasses import dataclass

from forms.problems import N_

__all__ = ["N_", "BatchRefused", "SyncProblem"]


@dataclass(frozen=True)
class SyncProblem:
    """One thing wrong in a batch: where in it (batch, items[3].sha256) and what to do."""

    code: str
    text: str
    where: str = "batch"

    def to_json(self) -> dict[str, str]:
        return {"code": self.code, "text": self.text, "where": self.where}


class BatchRefused(Exception):
    """A batch that cannot be read; nothing of it was kept, so the phone keeps all of it."""

    def __init__(self, problems: list[SyncProblem]):
        super().__init__("; ".join(f"{problem.where}: {problem.text}" for problem in problems))
        self.problems = problems
