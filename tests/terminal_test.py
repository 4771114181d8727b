#!/usr/bin/env python3
"""What people see: the program in a terminal of a given size, in a pipe, with NO_COLOR.

    terminal_test.py PROGRAM
"""
import fcntl
import json
import os
import pathlib
import pty
import re
import struct
import subprocess
import sys
import tempfile
import termios
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent / "page"))
import made_report  # noqa: E402

PROGRAM = None
CONFIG = '{"model_type": "gpt2", "vocab_size": 50, "n_positions": 32, "n_embd": 8, "n_layer": 1, "n_head": 2}'
BARS = re.compile("[\u2588\u2589\u258a\u258b\u258c\u258d\u258e\u258f]")


def on_terminal(arguments, folder, rows=40, **environment):
    """Everything that comes onto a terminal of so many rows, both streams."""
    usual = {"PATH": "/usr/bin:/bin", "HOME": str(folder), "TERM": "xterm-256color", "LANG": "C.UTF-8"}
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, 120, 0, 0))
    process = subprocess.Popen([PROGRAM, *arguments], cwd=folder, env={**usual, **environment}, stdin=slave, stdout=slave, stderr=slave)
    os.close(slave)
    seen = b""
    while True:
        try:
            part = os.read(master, 1 << 16)
        except OSError:  # the other end is closed
            break
        if not part:
            break
        seen += part
    os.close(master)
    return process.wait(), seen.decode().replace("\r\n", "\n")


def in_pipe(arguments, folder):
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(folder), "TERM": "xterm-256color", "LANG": "C.UTF-8"}
    return subprocess.run([PROGRAM, *arguments], cwd=folder, env=environment, capture_output=True, text=True, check=True).stdout


class Terminal(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.temporary = tempfile.TemporaryDirectory(prefix="nongemm-terminal-")
        cls.folder = pathlib.Path(cls.temporary.name)
        one = made_report.report(1, ["torch"], ["cuda"], [1])
        one["points"] = one["points"][:1]
        (cls.folder / "one.json").write_text(json.dumps(one))
        (cls.folder / "many.json").write_text(json.dumps(made_report.report(2, ["torch", "ort"], ["cpu", "cuda"], [1, 8])))
        (cls.folder / "tiny").mkdir()
        (cls.folder / "tiny/config.json").write_text(CONFIG)

    @classmethod
    def tearDownClass(cls):
        cls.temporary.cleanup()

    def test_one_point_fits_the_screen_and_details_are_whole(self):
        for rows in (24, 40):
            code, text = on_terminal(["report", "one.json"], self.folder, rows=rows)
            self.assertEqual(code, 0)
            self.assertLessEqual(text.count("\n") + 2, rows, text)
            self.assertIn("Latency", text)
            self.assertIn("Operator groups", text)
        _, whole = on_terminal(["report", "one.json", "--details"], self.folder, rows=24)
        self.assertGreater(whole.count("\n"), 24)
        self.assertNotIn("Cut to the screen", whole)

    def test_bars_where_the_terminal_can(self):
        _, text = on_terminal(["report", "one.json"], self.folder)
        self.assertRegex(text, BARS)
        for plain in ({"NO_COLOR": "1"}, {"TERM": "dumb"}, {"LANG": "C"}):
            with self.subTest(plain):
                _, text = on_terminal(["report", "one.json"], self.folder, **plain)
                self.assertNotRegex(text, BARS)
                self.assertNotIn("\x1b", text)
        piped = in_pipe(["report", "one.json"], self.folder)
        self.assertNotRegex(piped, BARS)
        self.assertNotIn("Cut to the screen", piped)

    def test_several_points_are_one_table(self):
        _, text = on_terminal(["report", "many.json"], self.folder)
        rows = [line for line in text.splitlines() if re.match(r"  model-[01] .* (ok|unsupported)$", line)]
        self.assertEqual(len(rows), len(json.loads((self.folder / "many.json").read_text())["points"]), text)
        _, details = on_terminal(["report", "many.json", "--details"], self.folder)
        self.assertGreater(details.count("\n"), 10 * text.count("\n"))

    def test_a_sweep_says_how_far_it_is_and_how_long_it_will_go_on(self):
        sweep = ["run", "tiny", "--seq-len", "4,8,16", "--iterations", "2", "--warmup", "0", "--no-limits"]
        _, text = on_terminal(sweep, self.folder)
        said = re.findall(r"\r\x1b\[K([^\r\n]*)", text)
        self.assertTrue(any(line.startswith("[1/3] tiny: ") for line in said), said)
        self.assertTrue(any(re.match(r"\[3/3\] tiny: .*, \d+ s left$", line) for line in said), said)
        # Each line replaces the one before, and the last leaves nothing.
        self.assertEqual(said[-1], "")
        self.assertNotIn("left", in_pipe(sweep, self.folder))


if __name__ == "__main__":
    PROGRAM = pathlib.Path(sys.argv.pop(1)).resolve()
    unittest.main(verbosity=2)
