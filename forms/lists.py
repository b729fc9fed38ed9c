"""The lists of a form as expressions see them.

Choices and CSV files, as trees of rows and cells, found by an index.
"""

from collections.abc import Sequence
from typing import Any

from forms.expressions.values import Value


class ListNode:
    """A list, one of its rows or one cell; the cell's text is its value."""

    __slots__ = ("at", "cells", "children", "name", "parent", "text")

    def __init__(
        self, parent: "ListNode | None", name: str, text: str = "", cells: dict[str, str] | None = None, at: int = 1
    ):
        self.parent = parent
        self.name = name
        self.text = text
        self.cells = cells
        self.at = at
        self.children: Sequence[ListNode] = ()

    def children_named(self, name: str) -> "Sequence[ListNode]":
        """Return the rows of a list, or the cell of a row, with this name; maybe none."""
        if self.cells is not None:
            # Made when asked for: a list of 50,000 rows would be half a million cells in memory.
            if name in self.cells:
                return [ListNode(self, name, self.cells[name])]
            return []
        if self.children and self.children[0].name == name:
            return self.children
        return []

    def all_children(self) -> "Sequence[ListNode]":
        """Return every row of a list, or every cell of a row."""
        if self.cells is not None:
            return [ListNode(self, name, text) for name, text in self.cells.items()]
        return self.children

    def value(self) -> Value:
        """Return the text of a cell; "" for a row or a list."""
        return self.text

    def position(self) -> int:
        """Return the place of a row in its list, counted from 1."""
        return self.at


class FormLists:
    """Every list of one form, read when it is first needed and then kept with the form."""

    def __init__(self, definition: Any):  # a FormDefinition, whose module imports this one
        self._definition = definition
        self._roots: dict[str, ListNode | None] = {}
        self._indexes: dict[tuple[str, str], dict[str, list[ListNode]]] = {}

    def root(self, name: str) -> ListNode | None:
        if name not in self._roots:
            rows = self._rows(name)
            if rows is None:
                self._roots[name] = None
            else:
                # In the shape of an XForm's secondary instance: root, then items. Authors write
                # paths by it.
                top = ListNode(None, "instance")
                root = ListNode(top, "root")
                top.children = [root]
                root.children = [ListNode(root, "item", "", cells, at) for at, cells in enumerate(rows, 1)]
                self._roots[name] = top
        return self._roots[name]

    def _rows(self, name: str) -> list[dict[str, str]] | None:
        form = self._definition
        if name in form.tables:
            table = form.tables[name]
            return [dict(zip(table.columns, row, strict=False)) for row in table.rows]
        if name in form.choices:
            return [
                {
                    "name": choice.name,
                    "label": in_language(choice.label, form.languages[0]),
                    # By position: pyxform gives the words of a choice this name, and forms may show
                    # it.
                    "itextId": f"{name}-{index}",
                    **choice.data,
                }
                for index, choice in enumerate(form.choices[name])
            ]
        return None

    def rows_with(self, name: str, column: str, text: str) -> Sequence[ListNode]:
        """Return the rows whose cell in a column is this text."""
        # Made at the first look and kept: a record is checked against the same form many times.
        index = self._indexes.get((name, column))
        if index is None:
            index = self._make_index(self.root(name), column)
            self._indexes[name, column] = index
        return index.get(text, ())

    @staticmethod
    def _make_index(root: ListNode | None, column: str) -> dict[str, list[ListNode]]:
        """Return the rows of a list by their cell in one column.

        None for a list that is not there.
        """
        index: dict[str, list[ListNode]] = {}
        if root is None:
            return index
        for row in root.children[0].children:
            if row.cells is not None and column in row.cells:
                index.setdefault(row.cells[column], []).append(row)
        return index

    def text(self, reference: str) -> str:
        """Return the words of a reference such as the itextId of a choice."""
        name, _, index = reference.rpartition("-")
        choices = self._definition.choices.get(name, ())
        if not index.isdecimal() or int(index) >= len(choices):
            return ""
        return in_language(choices[int(index)].label, self._definition.languages[0])

    def choice_label(self, name: str, path: str) -> str:
        """Return the label of a choice of the question at a path; the name itself for no question."""
        element = self._definition.by_path.get(path)
        if element is None:
            return name
        label: str = self._definition.choice_label(element, name, self._definition.languages[0])
        return label


def in_language(words: dict[str, Any], language: str) -> str:
    # Any language is better than none: a worker must see what is asked.
    """Return the text in a language, else in any there is, else "".

    Answers shown inside it read as …
    """
    text = words.get(language) or next((value for value in words.values() if value), "")
    if isinstance(text, str):
        return text
    return "".join(part if isinstance(part, str) else "…" for part in text)
