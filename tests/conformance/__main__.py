"""`make vectors FILE=…`: run a file of vectors through both evaluators and print every difference."""

import sys
from pathlib import Path

from tests.conformance.harness import expected, on_phone, on_server, read


def main() -> int:
    """Return 0 when both evaluators give what every vector expects, 1 when not, 2 when the file cannot be read."""
    if len(sys.argv) != 2:
        print("Usage: make vectors FILE=vectors.json", file=sys.stderr)
        return 2
    try:
        vectors = read(Path(sys.argv[1]))
    except (OSError, ValueError) as error:
        print(f"{sys.argv[1]}: {error}", file=sys.stderr)
        return 2
    wrong = 0
    for vector, phone in zip(vectors, on_phone(vectors), strict=True):
        server, wanted = on_server(vector), expected(vector)
        if server == phone == wanted:
            continue
        wrong += 1
        print(vector["expression"])
        for who, value in (("expected", wanted), ("server", server), ("phone", phone)):
            mark = "" if value == wanted else "  ✗"
            print(f"    {who:9}{value[0]} {value[1]}{mark}")
    print(f"{len(vectors)} vectors, {wrong} differ")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
