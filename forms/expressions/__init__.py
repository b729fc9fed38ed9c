"""XPath as XLSForms use it: text to AST (parser), AST to value (evaluator).

nodes.py says what an AST is made of, in memory and in the JSON that phones read.
"""

from forms.expressions.evaluator import EvaluationContext, evaluate
from forms.expressions.nodes import Ast, list_called_functions, walk
from forms.expressions.parser import parse
from forms.expressions.problems import ExpressionError
from forms.expressions.values import DateValue, to_boolean, to_number, to_string

__all__ = [
    "Ast",
    "DateValue",
    "EvaluationContext",
    "ExpressionError",
    "evaluate",
    "list_called_functions",
    "parse",
    "to_boolean",
    "to_number",
    "to_string",
    "walk",
]
