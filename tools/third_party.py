#!/usr/bin/env python3
"""Puts into a package the licences of what it holds of others, as the packages have them that it comes from.

    third_party.py OUT [--libraries FOLDER]... [--wheel NAME]... [--distribution NAME]... [--files NAME=FOLDER]... [--known FOLDER]...

For every library in the folders of --libraries the wheel is found whose RECORD names it, beside it, in the folders above, or in those of
--known (.deps/licenses); what lies about as LICENSE in the folder above is taken where there is none. --wheel and --distribution name what
is compiled in, --files a folder with a LICENSE of its own. OUT/libraries.txt says for each what its licence is.
"""

import argparse
import csv
import functools
import pathlib
import re
import shutil
import sys

LICENCE = re.compile(r"(licen[cs]e|copying|notice|third.?party.?notices|copyright)[^.]*(\.(txt|md|rst))?$", re.IGNORECASE)
# torch's wheel brings along what is not torch's, and does not have its licence.
ELSEWHERE = {"libgomp": "libgomp1"}
# Where Debian and Ubuntu have them, then others.
DISTRIBUTION = ("/usr/share/doc/{}/copyright", "/usr/share/licenses/{}")
COMMON = re.compile(r"/usr/share/common-licenses/([A-Za-z0-9.+-]*[A-Za-z0-9])")


class Missing(Exception):
    pass


def licences_below(folder):
    """What looks like a licence right in a folder."""
    return sorted(file for file in folder.glob("*") if file.is_file() and LICENCE.match(file.name))


class Wheel:
    """An installed or unpacked wheel by its NAME-VERSION.dist-info."""

    def __init__(self, info):
        self.name = info.name.removesuffix(".dist-info")
        with open(info / "RECORD", encoding="utf-8", newline="") as file:
            self.files = [row[0] for row in csv.reader(file) if row]
        own = [name for name in self.files if LICENCE.match(pathlib.PurePath(name).name)]
        # Those of vendored Python code are in torch's own; headers' were not unpacked.
        self.licences = [info.parent / name for name in own if name.count("/") <= 2 and (info.parent / name).is_file()]

    def has(self, library):
        return any(name.endswith(f"/{library}") for name in self.files)


@functools.cache
def wheels_at(*folders):
    """By name. The first folder that has one counts."""
    found = {}
    for folder in folders:
        for info in sorted(folder.glob("*.dist-info")):
            if (info / "RECORD").is_file():
                wheel = Wheel(info)
                found.setdefault(re.sub(r"-[^-]*$", "", wheel.name).replace("_", "-").lower(), wheel)
    return found


class Package:
    def __init__(self, out):
        self.out = out
        self.lines = []

    def add(self, what, name, files):
        """The licence of `what` is in a folder of that name."""
        (self.out / name).mkdir(parents=True, exist_ok=True)
        for file in files:
            shutil.copyfile(file, self.out / name / file.name)
        self.lines.append(f"{what}\t{name}")

    def add_distribution(self, what, package):
        for place in DISTRIBUTION:
            path = pathlib.Path(place.format(package))
            files = licences_below(path) if path.is_dir() else [path] if path.is_file() else []
            if files:
                # Debian's name some licences by where they lie in every Debian; a tarball may end up elsewhere.
                named = {name for file in files for name in COMMON.findall(file.read_text(encoding="utf-8", errors="replace"))}
                common = [pathlib.Path("/usr/share/common-licenses") / name for name in sorted(named)]
                return self.add(what, package, files + [file for file in common if file.is_file()])
        raise Missing(f"no licence of {package} in " + " or ".join(place.format(package) for place in DISTRIBUTION))

    def add_wheel(self, what, wheel):
        if not wheel.licences:
            raise Missing(f"the wheel {wheel.name} came without a licence")
        self.add(what, wheel.name, wheel.licences)

    def add_library(self, library, known):
        name = library.name
        if elsewhere := ELSEWHERE.get(re.sub(r"(-[0-9a-f]+)?\.so.*", "", name)):
            return self.add_distribution(name, elsewhere)
        above = list(library.parents)[1:4]
        wheel = next((wheel for wheel in wheels_at(*above, *known).values() if wheel.has(library.resolve().name)), None)
        if wheel is not None:
            return self.add_wheel(name, wheel)
        files = licences_below(above[0])
        if not files:
            raise Missing(
                f"no licence of {library}: no wheel (*.dist-info) beside it names it, and there is no LICENSE in {above[0]}.\n"
                f"tools/setup.sh package fetches those of tools/wheels.txt; of other libraries put the licence into that folder"
            )
        return self.add(name, above[0].name, files)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=pathlib.Path)
    for option in ("--libraries", "--known"):
        parser.add_argument(option, type=pathlib.Path, action="append", default=[])
    for option in ("--wheel", "--distribution", "--files"):
        parser.add_argument(option, action="append", default=[])
    asked = parser.parse_args()

    shutil.rmtree(asked.out, ignore_errors=True)
    package = Package(asked.out)
    try:
        for folder in asked.libraries:
            for library in sorted(folder.glob("*.so*")):
                package.add_library(library, asked.known)
        wheels = wheels_at(*asked.known)
        for name in asked.wheel:
            if name not in wheels:
                raise Missing(f"no licence of {name} in " + ", ".join(map(str, asked.known)))
            package.add_wheel(f"{name}, compiled in", wheels[name])
        for name in asked.distribution:
            package.add_distribution(f"{name}, compiled in", name)
        for pair in asked.files:
            name, _, folder = pair.partition("=")
            package.add(f"{name}, compiled in", name, licences_below(pathlib.Path(folder)))
    except Missing as missing:
        shutil.rmtree(asked.out, ignore_errors=True)
        sys.exit(f"third_party: {missing}")
    text = "What this package holds of others, and the folder here that has its licence.\n" + "\n".join(package.lines) + "\n"
    asked.out.mkdir(parents=True, exist_ok=True)
    (asked.out / "libraries.txt").write_text(text, encoding="utf-8")


main()
