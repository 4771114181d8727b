"""The README's commands, as they stand there, and how a test runs them: in a folder of its own, through ./nongemm, with the build
that the tests are of in place of one of its own."""
import os
import pathlib
import re
import subprocess
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
README = ROOT / "README.md"
# What a command begins with; a file of the clone does, too.
PROGRAMS = ("nongemm", "./nongemm", "make", "git", "pip", "python3", "cmake", "cpack", "ctest", "apt-get", "export", "bash")

NOT_RUN = {
    "nongemm": "the program's name",
    "git clone": "lacks what to clone; CI begins with a fresh clone",
    "make test": "what this test is a part of: .ci/run has this very line (the test looks)",
    "tools/images.py": "writes docs/images/, which are committed",
    "tools/wheels.txt": "a file to read",
}


def blocks():
    """Every line of a code block, without what is said beside it."""
    found = re.findall(r"^```\w*\n(.*?)^```", README.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    lines = [line for block in found for line in block.splitlines() if line.strip()]
    return [re.split(r"\s{2,}|\s#", line.removeprefix("$ "))[0] for line in lines]


def spoken():
    """Commands in the running text: `make test`."""
    text = re.sub(r"^```.*?^```", "", README.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    # Tables are of variables, models and studies.
    text = "\n".join(line for line in text.splitlines() if not line.startswith("|"))
    spans = re.findall(r"`([^`\n]+)`", text)
    is_file = {span: (ROOT / span.split()[0]).is_file() and not span.endswith(".md") for span in spans}
    return [span for span in spans if span.split()[0] in PROGRAMS or (is_file[span] and "/" in span)]


def preset_of(program):
    """The build that a program is of, when make test or ./nongemm made it; None otherwise."""
    build = pathlib.Path(program).resolve().parent.parent
    made = build.parent == ROOT / "build" and (build / ".nongemm-stamp").exists()
    return build.name if made else None


def run(command, folder, program):
    """A command of the README, by a shell, as one would after `git clone`: ./nongemm lies in the folder. What is installed goes
    below folder/root, and stands on the path."""
    folder = pathlib.Path(folder)
    preset = preset_of(program)
    if preset is None and command.startswith(("make ", "nongemm ")):
        raise unittest.SkipTest("this build was made neither by make test nor by ./nongemm")
    launcher = folder / "nongemm"
    if not launcher.is_symlink():
        launcher.symlink_to(ROOT / "nongemm" if preset else program)
    environment = {
        **os.environ,
        "NONGEMM_PRESET": preset or "",
        "DESTDIR": str(folder / "root"),
        "PATH": f"{folder}/root/usr/local/bin:{os.environ['PATH']}",
    }
    where = ROOT if command.startswith("make ") else folder
    return subprocess.run(
        ["bash", "-c", command], cwd=where, env=environment, capture_output=True, text=True, check=False
    )
