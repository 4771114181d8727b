#!/usr/bin/env python3
"""Every command of README.md and docs/*.md, run as it is written there; of all documents the options and paths that they name.

    commands_test.py PROGRAM FIXTURES [DOCUMENT...]     some minutes, by hand
    commands_test.py PROGRAM --names                    options, paths and blocks of TOML alone, with the other tests

Each document's commands run one after another in a folder that has the files they name (prepare()). What cannot be run by a test stands in
not_run.txt with its reason; of those that only take too long or lack a device the words are still held against the program (--list). A
line there that no command needs any more fails.
"""
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
PROGRAM = FIXTURES = None
DOCUMENTS = []
CONFIG = '{"model_type": "gpt2", "vocab_size": 50, "n_positions": 32, "n_embd": 8, "n_layer": 1, "n_head": 2}'


def commands_of(text):
    """Lines of code blocks that call the program, without what is said beside them (two spaces or more before it)."""
    found = []
    for block in re.findall(r"^```(?:sh|bash|console)?\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
        found += block.splitlines()
    found += re.findall(r"^    (\S.*)$", text, re.MULTILINE)
    calls = []
    for line in found:
        line = line.removeprefix("$ ")
        if not re.match(r"(\./)?nongemm ", line) or "[OPTION...]" in line:
            continue
        calls.append(re.split(r"\s{2,}|\s#\s", line.strip())[0])
    return calls


def not_run():
    """command -> (list or skip, reason)"""
    rows = {}
    for line in (HERE / "not_run.txt").read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            command, how, reason = (part.strip() for part in line.rsplit("|", 2))
            rows[command] = (how, reason)
    return rows


def prepare(folder):
    """What the documents' commands name."""
    (folder / "nongemm").symlink_to(PROGRAM)
    (folder / "tiny").mkdir()
    (folder / "tiny/config.json").write_text(CONFIG)
    (folder / "plan.toml").write_text('model = "tiny"\nseq-len = [4, 8]\niterations = 2\nwarmup = 0\nno-limits = true\n')
    for name, fixture in [
        ("model.pt2", "hostile/m_plain.pt2"),
        ("trace.json.gz", "traces/kineto_gpt2_eager.json.gz"),
        ("onnxruntime_profile.json", "traces/onnxruntime_gpt2.json"),
        ("rank0.json", "traces/kineto_tp2a_rank0.json.gz"),
        ("rank1.json", "traces/kineto_tp2a_rank1.json.gz"),
        ("layers.json", "tensorrt/trt86_segformer_layers.json"),
        ("times.json", "tensorrt/trt86_segformer_times.json"),
    ]:
        shutil.copy(FIXTURES / fixture, folder / name)
    (folder / "FOLDER").symlink_to(FIXTURES / "numerics/gpt2")
    call("nongemm export tiny model.onnx", folder)
    quick = "--iterations 2 --warmup 0 --seq-len 8"
    call(f"nongemm run tiny {quick} --no-limits --format json --output recorded", folder)
    shutil.copy(folder / "recorded/report.json", folder / "report.json")


def call(command, folder):
    environment = {"PATH": f"{folder}:/usr/bin:/bin", "HOME": str(folder), "LANG": "C.UTF-8"}
    return subprocess.run(["bash", "-c", command], cwd=folder, env=environment, capture_output=True, text=True, timeout=900, check=False)


class Commands(unittest.TestCase):
    maxDiff = None

    def test_every_command_runs_as_written(self):
        exceptions = not_run()
        used = set()
        for document in DOCUMENTS:
            commands = commands_of(document.read_text(encoding="utf-8"))
            if not commands:
                continue
            with tempfile.TemporaryDirectory(prefix="nongemm-docs-") as name:
                folder = pathlib.Path(name)
                prepare(folder)
                for command in commands:
                    how, _ = exceptions.get(command, ("run", ""))
                    used.add(command)
                    if how == "skip":
                        continue
                    with self.subTest(document=document.name, command=command):
                        ran = call(f"{command} --list" if how == "list" else command, folder)
                        self.assertEqual(ran.returncode, 0, f"{ran.stdout[-2000:]}\n{ran.stderr[-2000:]}")
        if DOCUMENTS == documents():
            self.assertEqual(set(exceptions) - used, set(), "not_run.txt has commands that no document has")

    def test_something_is_found(self):
        self.assertGreater(sum(len(commands_of(document.read_text(encoding="utf-8"))) for document in documents()), 40)
        self.assertEqual(commands_of("```\nnongemm run gpt2   said beside it\n```\n    ./nongemm list ops\n"),
                         ["nongemm run gpt2", "./nongemm list ops"])


def options_by_command():
    """From docs/cli.md, which another test holds to the program."""
    found = {}
    for section in re.split(r"^## nongemm ", (ROOT / "docs/cli.md").read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]:
        found[section.split()[0]] = set(re.findall(r"(?<![\w-])--[a-z][a-z0-9-]*|(?<=--set )[a-z]+\.[a-z]+", section)) | {"--help"}
    return found


def named_calls(text):
    """`nongemm COMMAND ...` wherever it stands: in lines of blocks and in running text."""
    blocks = "\n".join(re.findall(r"^```.*?\n(.*?)^```", text, re.MULTILINE | re.DOTALL)).splitlines()
    running = re.findall(r"`([^`\n]+)`", re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL))
    for span in [re.split(r"\s{2,}|\s#\s", line.strip())[0] for line in blocks] + running:
        call = re.search(r"(?:^|\s|/)nongemm ([a-z]+)\b(.*)", span)
        if call:
            yield span, call[1], call[2]


def pages():
    """Of the whole repository, and not of what was built or fetched; what has been is not what is."""
    return [page for top in ("", "bench", "docs", "examples", "src", "tests", "tools")
            for page in ((ROOT / top).rglob("*.md") if top else ROOT.glob("*.md")) if page.name != "CHANGELOG.md"]


def spread(path):
    """a/{b,c} -> a/b, a/c"""
    inside = re.search(r"\{([^{}]*)\}", path)
    if not inside:
        return [path]
    return [further for part in inside[1].split(",") for further in spread(path[:inside.start()] + part + path[inside.end():])]


class Names(unittest.TestCase):
    def test_every_path_exists(self):
        places = r"(?:src|tools|tests|docs|bench|cmake|examples)/[a-zA-Z0-9_./*{},-]*[a-zA-Z0-9_/*}]"
        named = {(page, path) for page in pages() for span in re.findall(r"`([^`\n]+)`", page.read_text(encoding="utf-8"))
                 for path in re.findall(rf"(?<![\w./-]){places}", span) if not re.search(r"[A-Z]{3}(?!.*\.md)", path)}
        self.assertGreater(len(named), 200)
        for page, path in sorted(named):
            for one in spread(path):
                with self.subTest(document=str(page.relative_to(ROOT)), path=one):
                    self.assertTrue(list(ROOT.glob(one.rstrip("/"))), "there is no such file or folder")

    def test_every_option_exists(self):
        options = options_by_command()
        calls = [(page, *call) for page in pages() for call in named_calls(page.read_text(encoding="utf-8"))]
        self.assertGreater(len(calls), 100)
        for page, span, command, rest in calls:
            with self.subTest(document=str(page.relative_to(ROOT)), command=span):
                self.assertIn(command, options)
                named = re.findall(r"(?<![\w-])--[a-z][a-z0-9-]*|(?<=--set )[a-z]+\.[a-z]+", rest.split(" > ")[0].split("--run ")[0])
                self.assertEqual(set(named) - options[command], set())


class Plans(unittest.TestCase):
    def test_every_toml_block_is_taken(self):
        seen = 0
        for page in documents():
            for block in re.findall(r"^```toml\n(.*?)^```", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL):
                with self.subTest(document=page.name, block=block), tempfile.TemporaryDirectory(prefix="nongemm-docs-") as name:
                    folder = pathlib.Path(name)
                    (folder / "nongemm").symlink_to(PROGRAM)
                    (folder / "it.toml").write_text(block)
                    ran = call(f"nongemm {uses_of(block)}", folder)
                    self.assertEqual(ran.returncode, 0, ran.stderr)
                    seen += 1
        self.assertGreater(seen, 2)


def uses_of(block):
    """The command that reads what a block of TOML describes, and runs nothing."""
    if re.search(r"^\[(groups|\[assign)", block, re.MULTILINE):
        return "inspect gpt2 --groups it.toml"
    if "[plan]" in block:
        return "inspect bert --tensor-parallel 2 --tensor-parallel-plan it.toml"
    return "run it.toml --list"


def documents():
    return [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


if __name__ == "__main__":
    PROGRAM = pathlib.Path(sys.argv[1]).resolve()
    if sys.argv[2:] == ["--names"]:
        unittest.main(argv=[sys.argv[0], "Names", "Plans"])
    FIXTURES = pathlib.Path(sys.argv[2]).resolve()
    DOCUMENTS = [pathlib.Path(name).resolve() for name in sys.argv[3:]] or documents()
    unittest.main(argv=sys.argv[:1])
