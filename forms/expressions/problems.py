"""What can be wrong with an expression."""


class ExpressionError(ValueError):
    """Say what is wrong with an expression, in words for a form author."""

    def __init__(self, code: str, text: str, **details: str):
        super().__init__(text.format(**details))
        self.code = code
        self.text = text
        self.details = details
