"""The parts of a recipient's feed: entity sets with typed columns, as OData has them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

# Types of columns, as the feed's metadata names them.
TEXT = "Edm.String"
WHOLE = "Edm.Int64"
DECIMAL = "Edm.Double"
TRUTH = "Edm.Boolean"
DAY = "Edm.Date"

SQL_TYPES = {TEXT: sa.Text, WHOLE: sa.BigInteger, DECIMAL: sa.Float, TRUTH: sa.Boolean, DAY: sa.Text}
# Null sorts as these, so that pages can be cut behind a row without a value too.
LOWEST: Mapping[str, Any] = {TEXT: "", DAY: "", WHOLE: -(2**62), DECIMAL: -1e300, TRUTH: 0}
KEY = "id"

Column = tuple[str, str]  # name, type


class QueryRefused(ValueError):
    """A query that cannot be answered; the text says why."""


@dataclass(frozen=True)
class EntitySet:
    """A table of the feed. Its key is `id`, a number that means nothing."""

    name: str
    columns: tuple[Column, ...]

    @property
    def types(self) -> dict[str, str]:
        """Return the type of each column by name, with the key first."""
        return {KEY: WHOLE, **dict(self.columns)}

    def make_table(self) -> sa.Table:
        """Return the SQL table that holds the set in a feed file."""
        columns = [sa.Column(name, SQL_TYPES[kind]()) for name, kind in self.columns]
        key = sa.Column(KEY, sa.Integer, primary_key=True)
        return sa.Table(self.name, sa.MetaData(), key, *columns)
