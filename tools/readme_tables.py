#!/usr/bin/env python3
"""Tables of README.md that the program knows: readme_tables.py PROGRAM README.md [OUTPUT]

Between `<!-- models -->` and `<!-- end -->` stands what `nongemm list models` prints, by task; behind `<!-- studies -->` what
`nongemm study list` does.
"""
import collections
import pathlib
import re
import subprocess
import sys


def output_of(program, *words):
    return subprocess.run([program, *words], capture_output=True, text=True, check=True).stdout


def models(program):
    """Names by task, in the registry's order."""
    lines = output_of(program, "list", "models").splitlines()
    by_task = collections.OrderedDict()
    for line in lines[1:]:
        # Titles may be longer than their column: the task is what the registry's words say.
        match = re.search(r"(NLP|Object Detection|Image Segmentation|Image Classification|Speech|Image Generation)\s+[\d.]+ [MB]", line)
        by_task.setdefault(match[1], []).append(line.split()[0])
    return "| task | models |\n|---|---|\n" + "".join(
        f"| {task} | {', '.join(f'`{name}`' for name in names)} |\n" for task, names in by_task.items())


def studies(program):
    rows = re.findall(r"^(\S+)\s+(.*) \(([^()]*)\)$", output_of(program, "study", "list"), re.MULTILINE)
    return "| study | asks | paper |\n|---|---|---|\n" + "".join(f"| `{name}` | {asks} | {paper} |\n" for name, asks, paper in rows)


def main():
    program, readme = sys.argv[1], pathlib.Path(sys.argv[2])
    target = pathlib.Path(sys.argv[3]) if len(sys.argv) > 3 and sys.argv[3] else readme
    text = readme.read_text(encoding="utf-8")
    for name, make in [("models", models), ("studies", studies)]:
        text = re.sub(rf"(<!-- {name} -->\n).*?(<!-- end -->)", lambda found, make=make: found[1] + make(program) + found[2], text,
                      flags=re.DOTALL)
    target.write_text(text, encoding="utf-8")


main()
