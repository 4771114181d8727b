#!/usr/bin/env python3
"""Names that two files of a library have to themselves and that would meet where both go through one call of the compiler.

Most presets compile several sources together (nongemm_quick_build in cmake/targets.cmake). A finding is put right by
another name, or by ALONE before one of the files in its CMakeLists.txt. Overloads count, too: the compiler would choose
among them, as long as its batches happen to hold both.
"""
import collections
import functools
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
LISTS = "SOURCES|ALONE|LIBS|REQUIRES|RPATH"
TARGET = re.compile(r"nongemm_(?:library|program|flow)\((\w+)([^)]*)\)")
TYPE = re.compile(r"(?:struct|class|enum class|enum|using|namespace)\s+(\w+)")
OTHER = re.compile(r".*?[\s*&>](\w+)(?:\[\w*\])?\s*[(={\[;]")
NO_NAME = re.compile(r"\s|//|#|\}|using namespace|template|extern|static_assert|$")


def targets():
    """Target -> the sources that it compiles together."""
    for file in sorted((ROOT / "src").rglob("CMakeLists.txt")):
        for name, arguments in TARGET.findall(re.sub(r"#.*", "", file.read_text())):
            lists = re.split(rf"\b({LISTS})\b", arguments)
            words = dict(zip(lists[1::2], lists[2::2])).get("SOURCES", "")
            yield name, [source for word in words.split() if (source := (file.parent / word).resolve()).exists()]


def own_names(source):
    """Name -> the first line of what a source keeps to itself: what stands in its nameless namespace, and what is static."""
    found = {}
    nameless = False
    for line in source.read_text().splitlines():
        if line == "namespace {":
            nameless = True
        elif re.match(r"\}\s*// namespace$", line):
            nameless = False
        elif (nameless or line.startswith(("static ", "namespace "))) and not NO_NAME.match(line):
            if not nameless and line.startswith("namespace ") and "=" not in line:
                continue
            match = TYPE.match(line) or OTHER.match(re.sub(r"\[\[\w+\]\]|decltype\([^)]*\)", "", line))
            if match:
                found.setdefault(match[1], line)
    return found


@functools.cache
def headers_of(source):
    """The project's headers that a source includes, maybe by way of others."""
    seen, waiting = set(), [source]
    while waiting:
        file = waiting.pop()
        for name in re.findall(r'^#include "([^"]+)"', file.read_text(), re.MULTILINE):
            header = next((place / name for place in (file.parent, ROOT / "src") if (place / name).exists()), None)
            if header and header not in seen:
                seen.add(header)
                waiting.append(header)
    return seen


@functools.cache
def types_of(header):
    return {match[1] for line in header.read_text().splitlines() if (match := TYPE.match(line))}


def clashes(sources):
    places = collections.defaultdict(list)
    headers = set().union(*map(headers_of, sources)) if len(sources) > 1 else set()
    for source in sources:
        for name, line in own_names(source).items():
            places[name].append((source, line))
            if TYPE.match(line):  # it hides a type that a header declares from the files behind it
                places[name] += [(header, "") for header in headers if name in types_of(header)]
    for name, found in sorted(places.items()):
        # A second name for the same thing may be given twice.
        same = found[0][1].startswith(("using ", "namespace ")) and len({line for _, line in found}) == 1
        if len(found) > 1 and not same:
            yield name, [source for source, _ in found]


def main():
    findings = [
        f"{target}: {name} in {', '.join(str(source.relative_to(ROOT)) for source in sources)}"
        for target, files in targets()
        for name, sources in clashes(files)
    ]
    if findings:
        print("one name for two things in files that are compiled together (tools/lint_unity.py says what to do):")
        sys.exit("\n".join(findings))


if __name__ == "__main__":
    main()
