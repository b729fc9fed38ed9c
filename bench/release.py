"""A release of 100,000 invented encounters: CPU seconds and memory, beside pandas reading and grouping the same rows once."""

import io
import json
import random
import resource
import time

import pandas as pd

from evaluator_export import recipe, release, seal
from evaluator_export.parts import Occasion
from evaluator_export.periods import parse
from fieldapp.services.build_release import hierarchies, hierarchy_words
from tests.programme import FOLDER, definition_of

ROWS = 100_000


def rows() -> list[dict[str, object]]:
    chance = random.Random(1)
    made: list[dict[str, object]] = []
    for number in range(ROWS):
        answers = {
            "what": {
                "contact_type": chance.choice(["check_in", "presence", "deesc"]),
                "mode": "in_person",
                "setting": chance.choice(["street", "park", "home"]),
            },
            "when_where": {
                "enc_date": f"2026-0{chance.choice([7, 8, 9])}-1{chance.randrange(10)}",
                "enc_hour": f"{chance.choice([14, 17, 19, 22]):02}",
                "nbhd": f"{chance.choice([1, 2, 3, 4, 5, 6, 21, 22]):03}",
            },
            "people": {"people_n": "2", "who": "group"},
            "talk": {"risk_now": chance.choice(["low", "high"]), "minutes": "lt5"},
            "next": {"ref_made": "no", "safeto_default": "prev"},
        }
        made.append({"unit": f"u{number}", "answers": answers})
    return made


def main() -> None:
    forms = {form: definition_of(form) for form in ("encounter", "mediation")}
    spec = recipe.read((FOLDER / "recipes/evaluator-quarterly.yaml").read_text(), forms, hierarchies())
    made = rows()
    occasion = Occasion("Bench", parse("2026-Q3"), "2026-10-04T00:00:00Z", b"s" * 32)
    start = time.process_time()
    built = release.build(spec, forms, {"encounter": made, "mediation": []}, hierarchy_words(), occasion)
    seal.seal(built)
    ours = time.process_time() - start
    start = time.process_time()
    frame = pd.read_csv(io.BytesIO(built.files["encounters.csv"]))
    frame.groupby(["month", "area", "time_of_day", "setting"]).size()
    floor = time.process_time() - start
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    what = f"release of {ROWS:,} rows, sealed: CPU s"
    print(
        json.dumps(
            [
                [what, f"{ours:.1f}", f"{floor:.1f} to read and group it once", f"{ours / floor:.0f}"],
                ["  its memory: MB", str(memory), "", ""],
            ]
        )
    )


if __name__ == "__main__":
    main()
