"""The words of the summary, English and French written as originals."""

WORDS = {
    "en": {
        "subtitle": "{centre} · {period}",
        "purpose": "What it is for",
        "what": "What is in this package",
        "what_row": "{title}: {rows} rows. By {columns} alone, nobody in it can be distinguished from fewer than {others} others.",
        "alone": "Somebody who knew all {columns} columns of a row, as who was there may, could single out {alone} of the rows; "
        "{under_5} are in groups of fewer than 5 that are alike in all of them.",
        "what_fine": "{title}: no rows. On all columns together too many of them would be like no other; they wait at the centre.",
        "what_none": "{title}: no rows yet. Too few people shared their answers to hide anyone among {others} others.",
        "left_out": "About {held} of the rows that could leave wait at the centre until more people share their answers; "
        "about {refused} of all records that these and earlier packages could be built from stay there because consent does not "
        "cover evaluators.",
        "withdrawn": "Of the rows of earlier packages, {count} are not covered by consent any more, or are deleted with those that are not. "
        "Rows of people who took everything back are on the list withdrawals.csv, of this package or an earlier one, among others of their "
        "look-alike groups: delete all of them.",
        "to_delete": "Rows of earlier packages to delete within 30 days: {count}. The list withdrawals.csv says which.",
        "tables_only": "This package has totals only. No row in it is about a person or an event.",
        "never": "Names, codes, free text and exact days and places never leave the centre.",
        "chart": "{title}, {period}",
        "protected": "Every count is rounded to a multiple of 5. Those under {least} are hidden and show as <{least}: it may "
        "be none or a few. So rows need not add up to totals.",
        "exact": "Anybody can see and count these, so the counts are exact.",
        "suppressed": "Counts under {least} are hidden, and others with them, so that none can be worked out.",
        "revision": "New numbers for {period}: records that came late changed it enough to publish it again.",
        "nothing": "No records in this period.",
        "total": "Total",
        "count": "Count",
        "source": "Source: records of {centre}, {first} to {last}, cut off {cut_off}.",
        "page": "Page {number}",
        "and": " and ",
        "bars": "Bar chart: {bars}. The table below has the same numbers.",
        "report": "How people were protected",
        "report_intro": "Before anything left the centre, each answer that others could know about a person was made less detailed, "
        "until everyone was in a look-alike group: people who look the same. This page says how far that went, what was lost "
        "by it, and whether some groups lost more than others.",
        "column": "What",
        "level": "Less detailed level",
        "lost": "Detail lost",
        "class_sizes": "{title}: look-alike groups in all batches of this package: {classes} (batches: {batches}). The smallest has {smallest} people, the "
        "largest {largest}; a row without a card counts as a person of its own. Who knows only the columns below has a chance of "
        "1 in {smallest} to identify the right person in the smallest group.",
        "spread": "In the look-alike group that reveals most about “{column}”, {confidence} of the rows have the same answer.",
        "groups": "Withheld by {column}, in the batch that withheld most: {shares}. No group may be withheld more than {limit} times as often as all.",
        "waived": "This limit was waived by: {waived}.",
        "once": "Each row is published once. What is new in a release consists of whole look-alike groups, so comparing this package "
        "with earlier ones shows nobody.",
        "limits": "What this cannot do: no method protects against every kind of knowledge from elsewhere. Do not link these "
        "data with data about people. Copies that were released cannot be recalled.",
    },
    "fr": {
        "subtitle": "{centre} · {period}",
        "purpose": "À quoi cela sert",
        "what": "Ce que contient ce paquet",
        "what_row": "{title} : {rows} lignes. Selon {columns} seulement, personne ne s’y distingue de moins de {others} autres.",
        "alone": "Qui connaîtrait les {columns} colonnes d’une ligne, comme une personne qui était là, pourrait isoler {alone} des "
        "lignes; {under_5} sont dans des groupes de moins de 5 lignes pareilles en tout.",
        "what_fine": "{title} : aucune ligne. Sur toutes les colonnes ensemble, trop de lignes n’auraient pas leur pareille; elles "
        "attendent au centre.",
        "what_none": "{title} : pas encore de ligne. Trop peu de gens partagent leurs réponses pour cacher chacun parmi "
        "{others} autres.",
        "left_out": "Environ {held} des lignes qui pouvaient être diffusées attendent au centre que plus de gens partagent leurs "
        "réponses; environ {refused} de toutes les fiches dont ce paquet et les précédents pouvaient être faits y restent, car le "
        "consentement ne couvre pas l’évaluation.",
        "withdrawn": "Parmi les lignes de paquets précédents, {count} ne sont plus couvertes par un consentement, ou sont supprimées avec "
        "elles. Celles des gens qui ont tout repris sont sur la liste withdrawals.csv, de ce paquet ou d’un précédent, parmi d’autres de leurs "
        "groupes de semblables : supprimez-les toutes.",
        "to_delete": "Lignes de paquets précédents à supprimer dans les 30 jours : {count}. La liste withdrawals.csv dit lesquelles.",
        "tables_only": "Ce paquet ne contient que des totaux. Aucune ligne n’y parle d’une personne ni d’un événement.",
        "never": "Les noms, les codes, les textes libres, les jours et les lieux exacts ne quittent jamais le centre.",
        "chart": "{title}, {period}",
        "protected": "Chaque nombre est arrondi à un multiple de 5. Sous {least}, il est masqué et paraît comme <{least} : "
        "il peut être nul ou petit. Les lignes ne donnent donc pas toujours le total.",
        "exact": "N’importe qui peut les voir et les compter; ces nombres sont donc exacts.",
        "suppressed": "Les nombres sous {least} sont masqués, et d’autres avec eux, pour qu’aucun ne puisse être calculé.",
        "revision": "Nouveaux chiffres pour {period} : des fiches reçues en retard l’ont assez changé pour le publier de nouveau.",
        "nothing": "Aucune fiche dans cette période.",
        "total": "Total",
        "count": "Nombre",
        "source": "Source : fiches de {centre}, du {first} au {last}, arrêtées le {cut_off}.",
        "page": "Page {number}",
        "and": " et ",
        "bars": "Diagramme à barres : {bars}. Le tableau suivant donne les mêmes chiffres.",
        "report": "Comment les personnes sont protégées",
        "report_intro": "Avant que rien ne quitte le centre, chaque réponse que d’autres pourraient connaître d’une personne a été "
        "rendue moins précise, jusqu’à ce que chacun soit dans un groupe de semblables : des gens qui se ressemblent. Cette page "
        "dit jusqu’où on est allé, ce qui s’est perdu, et si certains groupes ont perdu plus que d’autres.",
        "column": "Quoi",
        "level": "Niveau moins précis",
        "lost": "Détail perdu",
        "class_sizes": "{title} : groupes de semblables dans tous les lots de ce paquet : {classes} (lots : {batches}). Le plus petit compte "
        "{smallest} personnes, le plus grand {largest}; une ligne sans carte compte comme une personne. Qui ne connaît que les colonnes "
        "ci-dessous a une chance sur {smallest} de désigner la bonne personne dans le plus petit.",
        "spread": "Dans le groupe de semblables qui en révèle le plus sur « {column} », {confidence} des lignes ont la même réponse.",
        "groups": "Retenu selon {column}, dans le lot qui a le plus retenu : {shares}. Aucun groupe ne peut être retenu plus de {limit} fois plus souvent que tous.",
        "waived": "Cette limite a été levée par : {waived}.",
        "once": "Chaque ligne paraît une seule fois. Ce qui est nouveau dans une diffusion est lui-même fait de groupes de semblables entiers : "
        "comparer ce paquet aux précédents ne montre donc personne.",
        "limits": "Ce que cela ne peut pas : aucune méthode ne protège contre tout ce qu’on sait d’ailleurs. Ne couplez pas ces "
        "données avec des données sur des personnes. Les copies diffusées ne peuvent pas être rappelées.",
    },
}
