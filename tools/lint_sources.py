#!/usr/bin/env python3
"""Runs a check over every first-party source in parallel, with the flags that the ci preset compiles it with.

  lint_sources.py tidy [FILE...]      clang-tidy with the checks of .clang-tidy
  lint_sources.py headers [FILE...]   every header compiles when it is included alone

Files that were changed last come first; for clang-tidy, which sees a header through a source, a changed header brings
one source that includes it. After LINT_SECONDS (environment; default: no limit) no further file is begun, and how many
were left out is said: a run in CI has other things to do too.
"""
import concurrent.futures
import functools
import json
import os
import pathlib
import re
import shlex
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
COMMANDS = ROOT / "build/ci/compile_commands.json"


def compiled_with(source):
    """The files that a call of the compiler takes: what CMake puts together includes them."""
    if source.parent.name != "Unity":
        return [source]
    return [pathlib.Path(name) for name in re.findall(r'^#include "([^"]+)"', source.read_text(), re.MULTILINE)]


def compile_commands():
    """Source file -> its compiler call without the output, the source and headers that were precompiled: here each stands
    for itself, and what a file needs it includes itself."""
    if not COMMANDS.exists():
        sys.exit(f"{COMMANDS} is missing: run make test first")
    commands = {}
    for entry in json.loads(COMMANDS.read_text()):
        source = pathlib.Path(entry["file"])
        words = shlex.split(entry["command"])
        kept = []
        skip = False
        for word, following in zip(words, [*words[1:], ""]):
            if skip or word in ("-c", str(source), "-Winvalid-pch"):
                skip = False
            elif word == "-o" or word == "-include" and following.endswith("/cmake_pch.hxx"):
                skip = True
            else:
                kept.append(word)
        # Past what launches the compiler: ccache, with variables set for it.
        while kept[0].endswith(("cmake", "ccache")) or kept[0] in ("-E", "env") or "=" in kept[0]:
            del kept[0]
        commands.update((file, kept) for file in compiled_with(source))
    return commands


def git(*arguments):
    return subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, check=True, text=True).stdout


def last_changes():
    """Place of every file among the latest commits: 0 for what was changed last."""
    rank = {}
    for name in git("log", "--name-only", "--format=").splitlines():
        rank.setdefault(ROOT / name, len(rank))
    return rank


def tracked(pattern):
    return [ROOT / name for name in git("ls-files", pattern).splitlines()]


@functools.cache
def included(file):
    """The first-party headers that a file names."""
    names = re.findall(r'^#include "([^"]+)"', file.read_text(), re.MULTILINE)
    places = [[folder / name for folder in (file.parent, ROOT / "src", ROOT)] for name in names]
    return [header for candidates in places for header in candidates if header.exists()]


def seen_through(sources):
    """Header -> a source that includes it, maybe by way of others: the one of its own name where there is one."""
    found = {}
    for source in sources:
        waiting, seen = [source], set()
        while waiting:
            new = set(included(waiting.pop())) - seen
            waiting += new
            seen |= new
        for header in seen:
            if header not in found or header.with_suffix(".cpp") == source:
                found[header] = source
    return found


def tidy_jobs(commands, files):
    sources = [source for source in files or tracked("*.cpp") if source in commands]
    rank = last_changes()
    place = {source: rank.get(source, len(rank)) for source in sources}
    for header, source in seen_through(sources).items():
        place[source] = min(place[source], rank.get(header, len(rank)))
    for source in sorted(sources, key=place.get):
        yield source, ["clang-tidy", "--quiet", str(source), "--", *commands[source][1:], "-Wno-unknown-warning-option"]


def includes(command):
    return sum(word.startswith(("-I", "-isystem")) for word in command)


def header_jobs(commands, files):
    rank = last_changes()
    for header in files or sorted(tracked("*.h"), key=lambda header: rank.get(header, len(rank))):
        module = header.parent / "module.cpp"
        if module.exists() and module not in commands:
            continue  # a flow that is left out here: its framework's headers are not there
        # The flags of a source in the same folder: of the one that sees most libraries, for frameworks' include paths exist
        # only in their flow's folder, and of a test where it can be, for headers for tests need its definitions.
        beside = [source for source in commands if source.parent == header.parent]
        beside.sort(key=lambda source: (-includes(commands[source]), not source.stem.endswith("_test"), source))
        if beside:
            yield header, [*commands[beside[0]], "-fsyntax-only", "-include", str(header), "-x", "c++", "/dev/null"]


def run(job, deadline):
    source, command = job
    if time.monotonic() > deadline:
        return source, None, ""
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    # clang-tidy's stderr only counts the warnings that it hides.
    output = result.stdout if command[0] == "clang-tidy" else result.stderr
    return source, result.returncode, output or result.stderr


def main():
    kinds = {"tidy": tidy_jobs, "headers": header_jobs}
    if len(sys.argv) < 2 or sys.argv[1] not in kinds:
        sys.exit(__doc__)
    jobs = list(kinds[sys.argv[1]](compile_commands(), [pathlib.Path(f).resolve() for f in sys.argv[2:]]))
    deadline = time.monotonic() + float(os.environ.get("LINT_SECONDS", "inf"))
    failures = left_out = 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for source, code, output in pool.map(lambda job: run(job, deadline), jobs):
            left_out += code is None
            if code:
                failures += 1
                print(f"{source.relative_to(ROOT)}:\n{output}", file=sys.stderr)
    checked = f"{len(jobs) - left_out} of {len(jobs)} files checked, those changed last first"
    print(f"{sys.argv[1]}: {checked}; {failures} with findings, {left_out} left out for time")
    sys.exit(1 if failures else 0)


main()
