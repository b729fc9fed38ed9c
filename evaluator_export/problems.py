"""What can stop a release."""


class ExportProblem(Exception):
    """A release that must not be built, or a package that is not what it says; carries every reason."""

    def __init__(self, problems: list[str]):
        super().__init__("\n".join(problems))
        self.problems = problems
