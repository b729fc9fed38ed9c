"""XPath as XLSForms use it: text to AST (parser), AST to value (evaluator).

The AST is plain JSON (nested lists), since the phone's evaluator in client/src/engine reads the same one:

    ["n", 3]  ["s", "text"]  ["call", name, [arguments]]  ["op", sign, left, right]  ["neg", operand]
    ["path", origin, steps]   origin: "/" from the root, "." from the context node, "current" from the question
    step: ["child", name]  ["parent"]  ["self"]
"""

from forms.expressions.evaluator import Context, evaluate
from forms.expressions.parser import ExpressionError, parse, references
from forms.expressions.values import DateValue, to_boolean, to_number, to_string

__all__ = [
    "Context",
    "DateValue",
    "ExpressionError",
    "evaluate",
    "parse",
    "references",
    "to_boolean",
    "to_number",
    "to_string",
]
