"""The words of the summary, English and French written as originals."""

WORDS = {
    "en": {
        "subtitle": "{centre} · {period}",
        "purpose": "What it is for",
        "what": "What is in this package",
        "what_row": "{title}: {rows} rows. Nobody in it can be told from fewer than {others} others on {columns}.",
        "what_none": "{title}: no rows. Too few people shared their answers to hide anyone among {others} others.",
        "left_out": "About {suppressed} of the rows that could leave were held back because too few people shared their "
        "answers; about {refused} of records stay at the centre because consent does not reach evaluators.",
        "never": "Names, codes, free text and exact days and places never leave the centre.",
        "chart": "{title}, {period}",
        "protected": "Every count is rounded to a multiple of 5. Counts under {threshold} are hidden and show as "
        "<{threshold}, so rows need not add up to totals.",
        "nothing": "No records in this period.",
        "total": "Total",
        "count": "Count",
        "source": "Source: records of {centre}, {first} to {last}, cut off {cut_off}.",
        "page": "Page {number}",
        "and": " and ",
    },
    "fr": {
        "subtitle": "{centre} · {period}",
        "purpose": "À quoi cela sert",
        "what": "Ce que contient ce paquet",
        "what_row": "{title} : {rows} lignes. Personne ne s'y distingue de moins de {others} autres selon {columns}.",
        "what_none": "{title} : aucune ligne. Trop peu de gens partagent leurs réponses pour cacher chacun parmi "
        "{others} autres.",
        "left_out": "Environ {suppressed} des lignes qui pouvaient sortir sont retenues, car trop peu de gens partagent "
        "leurs réponses; environ {refused} des dossiers restent au centre, car le consentement ne va pas "
        "jusqu'aux évaluateurs.",
        "never": "Les noms, les codes, les textes libres, les jours et les lieux exacts ne quittent jamais le centre.",
        "chart": "{title}, {period}",
        "protected": "Chaque compte est arrondi à un multiple de 5. Les comptes sous {threshold} sont cachés et paraissent "
        "comme <{threshold}; les lignes ne donnent donc pas toujours le total.",
        "nothing": "Aucun dossier dans cette période.",
        "total": "Total",
        "count": "Compte",
        "source": "Source : dossiers de {centre}, du {first} au {last}, arrêtés le {cut_off}.",
        "page": "Page {number}",
        "and": " et ",
    },
}
