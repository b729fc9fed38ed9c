"""Words for columns, values and levels, English and French."""

from collections.abc import Mapping

from evaluator_export.policy.dataset_spec import DatasetSpec
from evaluator_export.policy.hierarchies import ALL, OTHER
from forms.definition import FormDefinition
from forms.lists import in_language

BATCH = "batch"  # the column that says in which batch a row was published
FIXED = {ALL: {"en": "All together", "fr": "Tous ensemble"}, OTHER: {"en": "Another value", "fr": "Autre valeur"}}
BATCH_TITLE = {"en": "Batch in which the row was published", "fr": "Lot dans lequel la ligne est parue"}


class Labels:
    """Words for values: the form's own for answers, the caller's for the values of hierarchies."""

    def __init__(self, definitions: Mapping[str, FormDefinition], words: Mapping[str, Mapping[str, str]]):
        self.definitions, self.words = definitions, words

    def column(self, dataset: DatasetSpec, name: str, language: str) -> str:
        if name == BATCH:
            return BATCH_TITLE[language]
        return str(in_language(dataset.columns[name].title, language)) or name

    def level(self, name: str, language: str) -> str:
        """Return the words for a level of a hierarchy, by its name."""
        return self.words.get(f"level:{name}", {}).get(language, name)

    def value(self, dataset: DatasetSpec, name: str, value: str, language: str) -> str:
        if ";" in value:
            return "; ".join(self.value(dataset, name, part, language) for part in value.split(";"))
        if value in FIXED:
            return FIXED[value][language]
        if value in self.words:
            return self.words[value][language]
        definition, question = (
            self.definitions[dataset.form],
            dataset.columns[name].question if name in dataset.columns else "",
        )
        for element in definition.elements:
            if element.is_answered and definition.column(element) == question:
                return definition.choice_label(element, value, language)
        return value
