"""The City's page over many centres: a file in each language, for any web server."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from babel.dates import format_date
from babel.numbers import format_decimal

from evaluator_export import periods
from evaluator_export.citysum.registry import Registry
from evaluator_export.citysum.result import Result, SumRow, list_rows
from evaluator_export.tables.protected_counts import TOTAL

# Written here in both languages and not through the catalogue: the page is made where there is no server of ours.
WORDS: Mapping[str, Mapping[str, str]] = {
    "en": {
        "title": "{city}: what all centres did together",
        "lead": "Sums over {members} centres, {period}. Each number is the sum of what the centres counted, also of numbers "
        "that are too small to show at any one of them.",
        "trial": "Trial numbers. The protection of these sums has not been reviewed yet; they are not of a real program.",
        "few": "fewer than {least}, or none",
        "part": "Part",
        "number": "Number",
        "range": "{low} to {high}",
        "by_period": "By quarter",
        "period": "Quarter",
        "who": "Who took part",
        "took_part": "took part",
        "not_there": "not in the sum of this quarter",
        "how": "What is hidden, and from whom",
        "download": "Download the numbers",
        "csv": "All sums (CSV)",
        "json": "Everything (JSON)",
        "other": "Français",
        "none": "There is no sum yet.",
    },
    "fr": {
        "title": "{city}\u00a0: ce que tous les centres ont fait ensemble",
        "lead": "Sommes de {members} centres, {period}. Chaque nombre est la somme de ce que les centres ont compté, y "
        "compris les nombres trop petits pour être montrés dans l’un d’eux.",
        "trial": "Nombres d’essai. La protection de ces sommes n’a pas encore été vérifiée\u00a0; ils ne viennent pas d’un vrai "
        "programme.",
        "few": "moins de {least}, ou aucun",
        "part": "Partie",
        "number": "Nombre",
        "range": "de {low} à {high}",
        "by_period": "Par trimestre",
        "period": "Trimestre",
        "who": "Qui a participé",
        "took_part": "a participé",
        "not_there": "pas dans la somme de ce trimestre",
        "how": "Ce qui est masqué, et pour qui",
        "download": "Télécharger les nombres",
        "csv": "Toutes les sommes (CSV)",
        "json": "Tout (JSON)",
        "other": "English",
        "none": "Il n’y a pas encore de somme.",
    },
}
HOW: Mapping[str, Sequence[str]] = {
    "en": (
        "No centre’s own number is seen by the City, by another centre or by whoever runs the shared folder: each centre "
        "sends its numbers under masks that cancel out only in the sum.",
        "The centres that took part know the exact sums; the City and everybody else see them rounded to a multiple of 5, "
        "and those under {least} as “fewer than {least}, or none”. A few sums are of what anybody can count, and are exact.",
        "If all other centres but some put what they know together with the City, they learn the exact sum of those some, "
        "and no more.",
        "Not hidden: which centres took part.",
        "Somebody who was met by two centres counts twice.",
        "That a centre gave its true numbers is not proven. Sums that cannot be, beside what each centre publishes, are "
        "refused by all.",
    ),
    "fr": (
        "Le nombre d’un centre n’est vu ni par la Ville, ni par un autre centre, ni par qui tient l’espace partagé\u00a0: chaque "
        "centre envoie ses nombres sous des masques qui ne s’annulent que dans la somme.",
        "Les centres qui ont participé connaissent les sommes exactes\u00a0; la Ville et tous les autres les voient arrondies à "
        "un multiple de 5, et, sous {least}, comme «\u00a0moins de {least}, ou aucun\u00a0». Quelques sommes portent sur ce que chacun peut "
        "compter, et sont exactes.",
        "Si tous les autres centres, sauf quelques-uns, mettent ce qu’ils savent en commun avec la Ville, ils apprennent la "
        "somme exacte de ces quelques-uns, et rien de plus.",
        "Non masqué\u00a0: quels centres ont participé.",
        "Une personne rencontrée par deux centres compte deux fois.",
        "Rien ne prouve qu’un centre a donné ses vrais nombres. Les sommes impossibles, à côté de ce que chaque centre "
        "publie, sont refusées par tous.",
    ),
}
STYLE = """
:root{color-scheme:light dark;--ink:#1b1f23;--soft:#57606a;--line:#d0d7de;--bar:#1f6f8b;--ground:#fff;--card:#f6f8fa}
@media(prefers-color-scheme:dark){:root{--ink:#e6edf3;--soft:#9da7b1;--line:#3d444d;--bar:#6cc3de;--ground:#0d1117;--card:#161b22}}
*{box-sizing:border-box}body{margin:0;background:var(--ground);color:var(--ink);font:1rem/1.5 system-ui,sans-serif}
main,header{max-width:64rem;margin:0 auto;padding:1rem}header{display:flex;justify-content:flex-end}
h1{font-size:1.7rem;line-height:1.2;margin:.2rem 0 .6rem}h2{font-size:1.2rem;margin:2rem 0 .6rem}h3{font-size:1rem;margin:0}
a{color:var(--bar)}.soft{color:var(--soft);font-size:.9rem}.trial{border:2px solid currentColor;border-radius:.4rem;padding:.6rem .8rem}
.tables{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,20rem),1fr));gap:1rem;list-style:none;margin:0;padding:0}
.tables>li{background:var(--card);border:1px solid var(--line);border-radius:.5rem;padding:1rem;min-width:0}
.now{font-size:2rem;font-weight:600;margin:.2rem 0 0}.now.few{font-size:1.1rem;font-weight:400;color:var(--soft)}
table{width:100%;border-collapse:collapse;margin-top:.6rem;font-size:.95rem}
th{font-weight:400;text-align:start;overflow-wrap:anywhere}td{text-align:end;white-space:nowrap}td.few{color:var(--soft);white-space:normal}
th,td{padding:.25rem 0;border-bottom:1px solid var(--line);vertical-align:top}thead th,thead td{color:var(--soft);font-size:.85rem}
.bar{display:block;height:.35rem;background:var(--bar);border-radius:.2rem;margin-top:.15rem}
summary{cursor:pointer;padding:.6rem 0;min-height:2.75rem}.tables h2{margin:0}.who{max-width:32rem}
@media print{header{display:none}.tables>li{break-inside:avoid}}
"""


def write_page(registry: Registry, results: Sequence[Result], language: str, *, is_reviewed: bool) -> str:
    """Return the page of a City in one language.

    `results`: oldest first; the newest is shown large. Without a review the page says that its numbers are for trial.
    """
    words = WORDS[language]
    title = words["title"].format(city=registry.city)
    other = "fr" if language == "en" else "en"
    parts = [
        f'<!doctype html><html lang="{language}"><head><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width,initial-scale=1"><title>{escape(title)}</title>'
        f"<style>{STYLE}</style></head><body>"
        f'<header><a href="{other}.html" lang="{other}" hreflang="{other}">{words["other"]}</a></header>'
        f"<main><h1>{escape(title)}</h1>",
    ]
    if not is_reviewed:
        parts.append(f'<p class="trial" role="note">{words["trial"]}</p>')
    if results:
        parts += _write_newest(registry, results, language)
    else:
        parts.append(f"<p>{words['none']}</p>")
    parts += _write_about(registry, results, language)
    parts.append("</main></body></html>\n")
    return "\n".join(parts)


def _write_newest(registry: Registry, results: Sequence[Result], language: str) -> list[str]:
    newest = results[-1]
    words = WORDS[language]
    period = name_period(newest["period"], language)
    lead = words["lead"].format(members=len(newest["members"]), period=period)
    rows = list_rows(registry, results)
    cards = []
    for name in sorted(registry.tables):
        cards.append(_write_table([row for row in rows if row.table == name], language))
    return [f"<p>{escape(lead)}</p>", '<ul class="tables">', *cards, "</ul>"]


def _write_table(rows: Sequence[SumRow], language: str) -> str:
    words = WORDS[language]
    newest = [row for row in rows if row.period == rows[-1].period]
    total = newest[0]
    parts = newest[1:]
    greatest = max((row.value or 0 for row in parts), default=0)
    lines = "".join(_write_part(row, greatest, language) for row in parts)
    history = "".join(
        f'<tr><th scope="row">{escape(name_period(row.period, language))}</th>{_write_number(row, language)}</tr>'
        for row in rows
        if row.cell == TOTAL
    )
    return (
        f"<li><h2>{escape(total.title[language])}</h2>"
        f'<p class="now{" few" if total.value is None else ""}">{_write_text(total, language)}</p>'
        f"{_write_range(total, language)}"
        f'<table><thead><tr><th scope="col">{words["part"]}</th><td>{words["number"]}</td></tr></thead>'
        f"<tbody>{lines}</tbody></table>"
        f"<details><summary>{words['by_period']}</summary><table><tbody>{history}</tbody></table></details></li>"
    )


def _write_part(row: SumRow, greatest: int, language: str) -> str:
    bar = ""
    if row.value and greatest:
        bar = f'<span class="bar" style="width:{100 * row.value / greatest:.0f}%" aria-hidden="true"></span>'
    return f'<tr><th scope="row">{escape(row.label[language])}{bar}</th>{_write_number(row, language)}</tr>'


def _write_number(row: SumRow, language: str) -> str:
    kind = ' class="few"' if row.value is None else ""
    return f"<td{kind}>{_write_text(row, language)}</td>"


def _write_text(row: SumRow, language: str) -> str:
    if row.value is None:
        return escape(WORDS[language]["few"].format(least=row.at_most + 1))
    return escape(str(format_decimal(row.value, locale=language)))


def _write_range(row: SumRow, language: str) -> str:
    if row.value is None or row.at_least == row.at_most:
        return ""
    low, high = (format_decimal(number, locale=language) for number in (row.at_least, row.at_most))
    return f'<p class="soft">{escape(WORDS[language]["range"].format(low=low, high=high))}</p>'


def _write_about(registry: Registry, results: Sequence[Result], language: str) -> list[str]:
    words = WORDS[language]
    members = set(results[-1]["members"]) if results else set()
    lines = [
        f'<tr><th scope="row">{escape(title)}</th><td>{words["took_part" if name in members else "not_there"]}</td></tr>'
        for name, title in sorted(registry.titles.items(), key=lambda pair: pair[1])
    ]
    least = max((int(table["least"]) for table in registry.tables.values()), default=0)
    how = [f"<li>{escape(line.format(least=least))}</li>" for line in HOW[language]]
    return [
        f'<h2>{words["who"]}</h2><table class="who"><tbody>{"".join(lines)}</tbody></table>',
        f"<h2>{words['how']}</h2><ul>{''.join(how)}</ul>",
        f'<h2>{words["download"]}</h2><ul><li><a href="sums.csv">{words["csv"]}</a></li>'
        f'<li><a href="sums.json">{words["json"]}</a></li></ul>',
    ]


def name_period(name: str, language: str) -> str:
    """Return a quarter in words."""
    return str(format_date(periods.parse(name).first, "QQQQ y", locale=language))


def make_files(registry: Registry, results: Sequence[Result], *, is_reviewed: bool) -> dict[str, Any]:
    """Return the pages by file name."""
    return {f"{language}.html": write_page(registry, results, language, is_reviewed=is_reviewed) for language in WORDS}
