"""The README's commands, as they stand there."""
import pathlib
import re

README = pathlib.Path(__file__).resolve().parent.parent.parent / "README.md"


def commands():
    """Every line of a code block that calls the program, without what is said beside it."""
    blocks = re.findall(r"^```\w*\n(.*?)^```", README.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    lines = [line for block in blocks for line in block.splitlines()]
    return [re.split(r"\s{2,}|\s#", line)[0] for line in lines if line.startswith("./nongemm ")]
