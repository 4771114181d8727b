#!/usr/bin/env python3
"""Makes docs/images/ from a real run, in a headless Chromium.

    tools/images.py [PROGRAM [REPORT.html]]

Without a program it is ./nongemm; without a report the README's command is run first.
"""
import pathlib
import shlex
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests/page"))
import browser  # noqa: E402
import readme  # noqa: E402

WIDTH, HEIGHT = 1360, 1560


def made_report(program, folder):
    command = next(command for command in readme.blocks() if "--format html" in command)
    subprocess.run([program, *shlex.split(command)[1:]], cwd=folder, check=True)
    return folder / "out/report.html"


def main():
    program = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / "nongemm").resolve()
    with tempfile.TemporaryDirectory() as folder:
        report = pathlib.Path(sys.argv[2]) if len(sys.argv) > 2 else made_report(program, pathlib.Path(folder))
        page = browser.Browser(WIDTH, HEIGHT)
        images = ROOT / "docs/images"
        images.mkdir(exist_ok=True)
        try:
            page.open(report)
            page.run("document.querySelector('#operators-body .fold').click(); timeline.longestGap()")
            page.run("new Promise((done) => setTimeout(done, 200))")
            page.run("document.activeElement.blur(); scrollTo(0, 0)")
            page.screenshot(images / "report.png", clip=(0, 0, WIDTH, HEIGHT))
        finally:
            page.close()
    print(f"wrote {images / 'report.png'}")


main()
