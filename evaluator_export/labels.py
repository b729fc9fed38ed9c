"""What columns, values and levels are called, in English and French."""

from collections.abc import Mapping

from evaluator_export.datasets.dataset_spec import DatasetSpec
from evaluator_export.policy.hierarchies import ALL, OTHER
from forms.definition import FormDefinition
from forms.lists import in_language

BATCH = "batch"  # the column that says in which batch a row was published
BATCH_TITLE = {
    "en": "Batch in which the row was published",
    "fr": "Lot dans lequel la ligne est parue",
}
FIXED = {
    ALL: {"en": "All together", "fr": "Tous ensemble"},
    OTHER: {"en": "Another value", "fr": "Autre valeur"},
}


class Labels:
    """Text for codes in data: the form's own for answers, the program's for the rest.

    `definitions`: by form id. `words`: text by language, by value of a hierarchy and, after
    "level:", by name of a level. `language` is "en" or "fr" throughout.
    """

    def __init__(
        self,
        definitions: Mapping[str, FormDefinition],
        words: Mapping[str, Mapping[str, str]],
    ):
        self.definitions = definitions
        self.words = words

    def column(self, dataset: DatasetSpec, name: str, language: str) -> str:
        """Return the title of a column of a dataset, or its name when it has none."""
        if name == BATCH:
            return BATCH_TITLE[language]
        return str(in_language(dataset.columns[name].title, language)) or name

    def level(self, name: str, language: str) -> str:
        """Return the text for a level of a hierarchy, or its name when there is none."""
        return self.words.get(f"level:{name}", {}).get(language, name)

    def value(self, dataset: DatasetSpec, name: str, value: str, language: str) -> str:
        """Return the text for a value of the column `name`, or the value when there is none.

        Several choices (a;b) are each put into words.
        """
        # A package has several choices of one answer joined by semicolons.
        if ";" in value:
            parts = value.split(";")
            return "; ".join(self.value(dataset, name, part, language) for part in parts)
        # Before the program's words: "*" and "other" mean the same in every hierarchy.
        if value in FIXED:
            return FIXED[value][language]
        if value in self.words:
            return self.words[value][language]
        # A derived column has no question of its own.
        question = ""
        if name in dataset.columns:
            question = dataset.columns[name].question
        definition = self.definitions[dataset.form]
        for element in definition.elements:
            if element.is_answered and definition.column(element) == question:
                return definition.choice_label(element, value, language)
        return value
