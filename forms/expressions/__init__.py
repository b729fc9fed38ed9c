"""XPath as XLSForms use it: text to AST (parser), AST to value (evaluator).

The AST is plain JSON (nested lists), since the phone's evaluator in client/src/engine reads the same one:

    ["n", 3]  ["s", "text"]  ["call", name, [arguments]]  ["op", sign, left, right]  ["neg", operand]
    ["path", origin, steps]  ["union", [paths]]
    origin: "/" from the root, "." from the node in hand, "current" from the question, ["instance", name] from a list
    step: ["child", name, *conditions]  ["any", *conditions]  ["parent"]  ["self"]    condition: ["where", AST]
"""

from forms.expressions.evaluator import EvaluationContext, evaluate
from forms.expressions.parser import Ast, list_called_functions, parse, walk
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
