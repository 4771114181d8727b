#!/usr/bin/env python3
"""Holds src/ to the plan in docs/architecture.md.

Fails on: an include that the table of rooms does not allow, a circle between folders, a vendor's header outside the folder
that it belongs to, a folder without README.md or without a room, a file above 400 lines, a function above 60 lines. The
document's second table lists what is excepted and why; an exception that nothing needs any more fails, too.

Tests, fuzz targets and benchmarks stand beside what they try and may include everything; all else holds for them, too.
"""
import collections
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
PLAN = ROOT / "docs/architecture.md"
FILE_LINES = 400
FUNCTION_LINES = 60

# Included names by their beginning -> the folders, or the file, of src/ that may include them.
VENDORS = {
    ("ATen/", "torch/", "c10/"): ("flows/torch", "flows/torch_cuda", "flows/inductor"),
    ("onnxruntime",): ("flows/ort",),
    ("NvInfer", "NvOnnx"): ("flows/tensorrt",),
    ("cuda", "cupti", "nvml", "nvrtc"): ("flows/cuda", "flows/tensorrt", "flows/torch_cuda"),
    ("CLI/",): ("spec/command_line.cpp",),
    ("sqlite3",): ("traces/nsys",),
}

# What somebody is about to mend, in the words of an exception -> who. Empty when nobody is.
BEING_MENDED = {}


def sources():
    names = subprocess.run(["git", "ls-files", "src/*.h", "src/*.cpp", "src/*.cu"], cwd=ROOT, capture_output=True,
                           check=True, text=True).stdout.split()
    return [name.removeprefix("src/") for name in names if (ROOT / name).exists()]


def tables():
    """The rows of every table of the plan, by its heading line."""
    found = {}
    rows = None
    for line in PLAN.read_text().splitlines():
        if not line.startswith("|"):
            rows = None
            continue
        cells = [cell.strip().replace("`", "") for cell in line.strip("|").split("|")]
        if rows is None:
            rows = found.setdefault(tuple(cells), [])
        elif set(cells[0]) - set("-: "):
            rows.append(cells)
    return found


def allowed_includes(rows):
    """Room -> the rooms it may include, itself among them."""
    order = [row[0] for row in rows]
    allowed = {}
    for name, _, may in rows:
        everything = re.fullmatch(r"everything(?: but (.*))?", may)
        if everything:
            left_out = (everything[1] or "").replace(",", " ").split()
            allowed[name] = set(order) - set(left_out) | {name}
        else:
            allowed[name] = set(may.replace(",", " ").split()) - {"-"} | {name}
        for unknown in allowed[name] - set(order):
            sys.exit(f"{PLAN.name}: {name} may include {unknown}, which is no room of the table")
    return allowed


def room_of(name, rooms):
    """The room with the longest name that a file's folder begins with."""
    folder = pathlib.PurePath(name).parent
    return next((str(place) for place in (folder, *folder.parents) if str(place) in rooms), None)


def beside_the_product(name):
    stem = pathlib.PurePath(name).stem
    return stem.endswith(("_test", "_fuzz", "_benchmark", "_probe")) or stem.startswith("test_")


def includes(name):
    text = (ROOT / "src" / name).read_text()
    return re.findall(r'^\s*#\s*include\s+(["<])([^">]+)[">]', text, re.MULTILINE)


def circles(edges):
    """The sets of folders that include one another, by Tarjan's algorithm."""
    index, low, stack, found = {}, {}, [], []

    def visit(node):
        index[node] = low[node] = len(index)
        stack.append(node)
        for other in sorted(edges[node]):
            if other not in index:
                visit(other)
                low[node] = min(low[node], low[other])
            elif other in stack:
                low[node] = min(low[node], index[other])
        if low[node] == index[node]:
            members = []
            while not members or members[-1] != node:
                members.append(stack.pop())
            if len(members) > 1:
                found.append(sorted(members))

    for node in sorted(edges):
        if node not in index:
            visit(node)
    return found


def blanked(text):
    """The text with comments, strings, characters and preprocessor lines blanked out, line by line in place."""
    pattern = re.compile(r'R"([^(\s]*)\(.*?\)\1"|//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|(?<![0-9a-fA-F])\'(?:\\.|[^\'\\\n])+\'|'
                         r'^[ \t]*#(?:[^\n]*\\\n)*[^\n]*', re.DOTALL | re.MULTILINE)
    return pattern.sub(lambda match: re.sub(r"[^\n]", " ", match[0]), text)


def functions(text):
    """(name, first line, number of lines) of every function, and of every lambda that stands in no function."""
    text = blanked(text)
    begins_function = re.compile(r"\)\s*(?:const|noexcept|override|final|mutable|&|\s)*(?:->[^{;]*)?(?::[^:;][^;]*)?$|\][^()\[\];]*$")
    open_braces = []  # of each: name of the function it begins or None, where it stands
    start = 0  # of the text that belongs to the next brace
    parentheses = 0
    for at, letter in enumerate(text):
        if letter == "{":
            head = text[start:at].strip()
            inside = any(name for name, _ in open_braces)
            name = None
            if not inside and begins_function.search(head):
                # Not the braces of members that a constructor initialises: after them comes no body, but a comma or a name.
                called = re.search(r"([\w:~]+|operator\s*\S+)\s*\(", re.sub(r"^.*?\]\s*(?=\()", "lambda", head, flags=re.DOTALL))
                name = called[1] if called else "lambda"
            open_braces.append((name, at))
            start = at + 1
        elif letter == "}":
            if open_braces:
                name, began = open_braces.pop()
                if name:
                    first = text.count("\n", 0, began) + 1
                    yield name, first, text.count("\n", began, at) + 1
            start = at + 1
        elif letter == ";" and parentheses == 0:
            start = at + 1
        elif letter == "(":
            parentheses += 1
        elif letter == ")":
            parentheses -= 1


class Findings:
    def __init__(self, excepted):
        self.excepted = excepted
        self.used = set()
        self.count = 0

    def add(self, place, key, what):
        """Says what is wrong at a place, unless the key is among the exceptions."""
        if key in self.excepted or key in BEING_MENDED:
            self.used.add(key)
            return
        self.count += 1
        print(f"src/{place}: {what}", file=sys.stderr)


def check_includes(names, allowed, findings):
    edges = collections.defaultdict(set)
    for name in names:
        room, folder = room_of(name, allowed), str(pathlib.PurePath(name).parent)
        if room is None:
            findings.add(name, folder, f"the folder belongs to no room of {PLAN.name}")
            continue
        for quote, header in includes(name):
            if quote == '"' and (ROOT / "src" / header).exists():
                if beside_the_product(name):
                    continue
                other, other_folder = room_of(header, allowed), str(pathlib.PurePath(header).parent)
                if other not in allowed[room]:
                    findings.add(name, f"{room} -> {other}", f'{room} may not include {other}: "{header}"')
                elif other_folder != folder:
                    edges[folder].add(other_folder)
            for beginnings, places in VENDORS.items():
                if header.startswith(beginnings) and not (ROOT / "src" / header).exists():
                    if not any(name == place or name.startswith(place + "/") for place in places):
                        findings.add(name, f"{folder} -> {header}", f"<{header}> belongs into {' or '.join(places)} alone")
    for members in circles(edges):
        findings.add(members[0], " <-> ".join(members), f"a circle of includes between the folders {', '.join(members)}")


def check_sizes(names, findings):
    for name in names:
        text = (ROOT / "src" / name).read_text()
        lines = text.count("\n")
        if lines > FILE_LINES:
            findings.add(name, name, f"{lines} lines; a file has at most {FILE_LINES}")
        for function, first, length in functions(text):
            if length > FUNCTION_LINES:
                findings.add(f"{name}:{first}", f"{name} {function}",
                             f"{function} has {length} lines; a function that is no table has at most {FUNCTION_LINES}")


def main():
    found = tables()
    rooms = found.get(("room", "what lives there", "may include"))
    exceptions = found.get(("exception", "reason"), [])
    if not rooms:
        sys.exit(f"{PLAN}: the table of rooms is missing")
    allowed = allowed_includes(rooms)
    findings = Findings({row[0] for row in exceptions if len(row) > 1 and row[1]})
    names = sources()
    check_includes(names, allowed, findings)
    check_sizes(names, findings)
    for folder in sorted({pathlib.PurePath(name).parent for name in names}):
        if not (ROOT / "src" / folder / "README.md").exists():
            findings.add(folder, str(folder), "README.md is missing: what lives there, what may be called from outside")
    for room in sorted(set(allowed) - {room_of(name, allowed) for name in names}):
        findings.add(room, f"room {room}", f"a room of {PLAN.name} without a file")
    for unused in sorted(findings.excepted - findings.used):
        findings.add(PLAN.name, None, f"the exception '{unused}' is needed no more")
    for key in sorted(set(BEING_MENDED) & findings.used):
        print(f"note: {key}: being mended by {BEING_MENDED[key]}", file=sys.stderr)
    for key in sorted(set(BEING_MENDED) - findings.used):
        print(f"note: {key}: mended, to be taken out of BEING_MENDED", file=sys.stderr)
    print(f"architecture: {len(names)} files in {len(allowed)} rooms, {findings.count} findings, "
          f"{len(findings.excepted)} exceptions")
    sys.exit(1 if findings.count else 0)


main()
