"""Compares two operator streams as multisets of (operator, input shapes).

    python compare_streams.py ACTUAL WANTED [--all] [--names] [--lines N]

Each is a stream file as in shared/fixtures/opstreams, or JSON lines as `nongemm inspect MODEL --stream` prints them.
Left out is the bookkeeping that does no work: dropout in eval, lift_fresh, detach, alias, empty and `to` that copies
nothing. A stream holds no dtypes, so every `to` is left out unless --all. --names compares operators without shapes: two
runs of a data-dependent model (R-CNN) with different weights have different shapes. Exit code 1 below 98 %.
"""

import argparse
import collections
import json
import sys

BOOKKEEPING = {"dropout", "dropout_", "feature_dropout", "lift_fresh", "detach", "detach_", "alias", "empty", "to"}


def load(path):
    text = open(path).read()
    try:
        data = json.loads(text)
        rows = data["operators"] if isinstance(data, dict) else data
    except json.JSONDecodeError:
        rows = [json.loads(line) for line in text.splitlines() if line.strip()]
    return [(row[0].split("::")[-1], json.dumps(trimmed(row[1]), separators=(",", ":"))) for row in rows]


def trimmed(shapes):
    """Scalar and missing arguments are recorded as [] like 0-d tensors; only the tail of them carries nothing."""
    shapes = list(shapes)
    while shapes and shapes[-1] == []:
        shapes.pop()
    return shapes


def multiset(rows, everything):
    return collections.Counter(row for row in rows if everything or row[0] not in BOOKKEEPING)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("actual")
    parser.add_argument("wanted")
    parser.add_argument("--all", action="store_true", help="leave nothing out")
    parser.add_argument("--names", action="store_true", help="compare operators without their shapes")
    parser.add_argument("--lines", type=int, default=20, help="differences shown per side")
    options = parser.parse_args()
    streams = [load(path) for path in (options.actual, options.wanted)]
    if options.names:
        streams = [[(name, "") for name, _ in rows] for rows in streams]
    actual, wanted = (multiset(rows, options.all) for rows in streams)
    total = max(actual.total(), wanted.total())
    share = 100.0 * (actual & wanted).total() / max(total, 1)
    print(f"{share:.2f} % of {total} match ({actual.total()} actual, {wanted.total()} wanted)")
    for title, difference in (("only in actual", actual - wanted), ("only in wanted", wanted - actual)):
        for (name, shapes), count in difference.most_common(options.lines):
            print(f"  {title}: {count} x {name} {shapes}")
    sys.exit(0 if share >= 98.0 else 1)


if __name__ == "__main__":
    main()
