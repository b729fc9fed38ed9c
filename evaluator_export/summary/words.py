"""The words of the summary, English and French written as originals."""

WORDS = {
    "en": {
        "subtitle": "{centre} · {period}",
        "purpose": "What it is for",
        "what": "What is in this package",
        "what_row": "{title}: {rows} rows. By {columns} alone, nobody in it can be told from fewer than {others} others.",
        "alone": "Somebody who knew all {columns} columns of a row, as who was there may, could single out {alone} of the rows; "
        "{under_5} are in groups of fewer than 5 that are alike in all of them.",
        "what_fine": "{title}: no rows. On all columns together too many of them would be like no other; they wait at the centre.",
        "what_none": "{title}: no rows yet. Too few people shared their answers to hide anyone among {others} others.",
        "left_out": "About {held} of the rows that could leave wait at the centre until more people share their answers; "
        "about {refused} of all records that these and earlier packages could be made of stay there because consent does not "
        "reach evaluators.",
        "withdrawn": "Since they were handed out, consent was taken back for {count} rows of earlier packages. They cannot be told "
        "from others, so they cannot be taken out; whoever asks is told so.",
        "tables_only": "This package holds totals only. No row in it is about a person or an event.",
        "never": "Names, codes, free text and exact days and places never leave the centre.",
        "chart": "{title}, {period}",
        "protected": "Every count is rounded to a multiple of 5. Counts under {threshold} are hidden and show as "
        "<{threshold}, so rows need not add up to totals.",
        "suppressed": "Counts under {threshold} are hidden, and others with them, so that none can be worked out.",
        "revision": "New numbers for {period}: records that came late changed it enough to publish it again.",
        "nothing": "No records in this period.",
        "total": "Total",
        "count": "Count",
        "source": "Source: records of {centre}, {first} to {last}, cut off {cut_off}.",
        "page": "Page {number}",
        "and": " and ",
        "bars": "Bar chart: {bars}. The table below has the same numbers.",
        "report": "How people were protected",
        "report_intro": "Before anything left the centre, each answer that others could know about a person was made coarser, "
        "until everyone was in a class: a group of people who look the same. This page says how far that went, what was lost "
        "by it, and whether some groups lost more than others.",
        "column": "What",
        "level": "Made coarser to",
        "lost": "Detail lost",
        "class_sizes": "{title}: classes in all batches of this package: {classes} (batches: {batches}). The smallest holds {smallest} people, the "
        "largest {largest}; a row without a card counts as a person of its own. Who knows only the columns below has a chance of "
        "1 in {smallest} to pick out the right person in the smallest class.",
        "spread": "In the class that says most about “{column}”, {confidence} of the rows have the same answer.",
        "groups": "Held back by {column}, in the batch that held back most: {shares}. No group may be held back more than {limit} times as often as all.",
        "waived": "This limit was waived by: {waived}.",
        "once": "Each row is published once. What is new in a release is itself made of whole classes, so comparing this package "
        "with earlier ones shows nobody.",
        "limits": "What this cannot do: no method protects against every kind of knowledge from elsewhere. Do not link these "
        "data with data about people. Copies that were handed out cannot be called back.",
    },
    "fr": {
        "subtitle": "{centre} · {period}",
        "purpose": "À quoi cela sert",
        "what": "Ce que contient ce paquet",
        "what_row": "{title} : {rows} lignes. Selon {columns} seulement, personne ne s'y distingue de moins de {others} autres.",
        "alone": "Qui connaîtrait les {columns} colonnes d'une ligne, comme une personne qui était là, pourrait isoler {alone} des "
        "lignes; {under_5} sont dans des groupes de moins de 5 lignes pareilles en tout.",
        "what_fine": "{title} : aucune ligne. Sur toutes les colonnes ensemble, trop de lignes n'auraient pas leur pareille; elles "
        "attendent au centre.",
        "what_none": "{title} : pas encore de ligne. Trop peu de gens partagent leurs réponses pour cacher chacun parmi "
        "{others} autres.",
        "left_out": "Environ {held} des lignes qui pouvaient sortir attendent au centre que plus de gens partagent leurs "
        "réponses; environ {refused} de tous les dossiers dont ce paquet et les précédents pouvaient être faits y restent, car le "
        "consentement ne va pas jusqu'aux évaluateurs.",
        "withdrawn": "Depuis leur remise, le consentement a été retiré pour {count} lignes de paquets précédents. On ne peut les "
        "distinguer des autres, donc pas les enlever; on le dit à qui le demande.",
        "tables_only": "Ce paquet ne contient que des totaux. Aucune ligne n'y parle d'une personne ni d'un événement.",
        "never": "Les noms, les codes, les textes libres, les jours et les lieux exacts ne quittent jamais le centre.",
        "chart": "{title}, {period}",
        "protected": "Chaque compte est arrondi à un multiple de 5. Les comptes sous {threshold} sont cachés et paraissent "
        "comme <{threshold}; les lignes ne donnent donc pas toujours le total.",
        "suppressed": "Les comptes sous {threshold} sont cachés, et d'autres avec eux, pour qu'aucun ne puisse être calculé.",
        "revision": "Nouveaux chiffres pour {period} : des dossiers arrivés tard l'ont assez changé pour le publier de nouveau.",
        "nothing": "Aucun dossier dans cette période.",
        "total": "Total",
        "count": "Compte",
        "source": "Source : dossiers de {centre}, du {first} au {last}, arrêtés le {cut_off}.",
        "page": "Page {number}",
        "and": " et ",
        "bars": "Diagramme à barres : {bars}. Le tableau suivant donne les mêmes chiffres.",
        "report": "Comment les personnes sont protégées",
        "report_intro": "Avant que rien ne quitte le centre, chaque réponse que d'autres pourraient connaître d'une personne a été "
        "rendue plus grossière, jusqu'à ce que chacun soit dans une classe : un groupe de gens qui se ressemblent. Cette page "
        "dit jusqu'où on est allé, ce qui s'est perdu, et si certains groupes ont perdu plus que d'autres.",
        "column": "Quoi",
        "level": "Rendu à",
        "lost": "Détail perdu",
        "class_sizes": "{title} : classes dans tous les lots de ce paquet : {classes} (lots : {batches}). La plus petite compte {smallest} "
        "personnes, la plus grande {largest}; une ligne sans carte compte comme une personne. Qui ne connaît que les colonnes "
        "ci-dessous a une chance sur {smallest} de désigner la bonne personne dans la plus petite.",
        "spread": "Dans la classe qui en dit le plus sur « {column} », {confidence} des lignes ont la même réponse.",
        "groups": "Retenu selon {column}, dans le lot qui a le plus retenu : {shares}. Aucun groupe ne peut être retenu plus de {limit} fois plus souvent que tous.",
        "waived": "Cette limite a été levée par : {waived}.",
        "once": "Chaque ligne paraît une seule fois. Ce qui est nouveau dans une diffusion est lui-même fait de classes entières : "
        "comparer ce paquet aux précédents ne montre donc personne.",
        "limits": "Ce que cela ne peut pas : aucune méthode ne protège contre tout ce qu'on sait d'ailleurs. Ne couplez pas ces "
        "données avec des données sur des personnes. Les copies remises ne peuvent pas être rappelées.",
    },
}
