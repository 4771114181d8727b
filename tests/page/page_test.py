#!/usr/bin/env python3
"""The page of `--format html` in a headless Chromium: what it draws, how it answers, what it must never do.

    page_test.py PROGRAM [TEST...]

PROGRAM is bin/nongemm, which makes the pages from reports made by hand (made_report.py).
"""

import atexit
import base64
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import browser  # noqa: E402
import made_report  # noqa: E402
import readme  # noqa: E402

PROGRAM = None
FOLDER = pathlib.Path(tempfile.mkdtemp(prefix="nongemm-pages-"))
if os.environ.get("NONGEMM_LOOKS") != "write":
    atexit.register(shutil.rmtree, FOLDER, ignore_errors=True)
NOTHING = "\u2013"
CHECKS = (pathlib.Path(__file__).parent / "checks.js").read_text()


def page_of(report, name):
    file = FOLDER / f"{name}.json"
    file.write_text(json.dumps(report), encoding="utf-8")
    folder = FOLDER / name
    subprocess.run([PROGRAM, "report", file, "--format", "html", "--output", folder], check=True, capture_output=True)
    return folder / "report.html"


class PageTest(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.page = browser.Browser()

    @classmethod
    def tearDownClass(cls):
        cls.page.close()

    def open(self, file):
        self.page.open(file)
        self.page.run(CHECKS)

    def tearDown(self):
        self.assertEqual(self.page.console, [], "the page wrote to the console")
        self.assertEqual(
            [url for url in self.page.requests if not url.startswith("file:")], [], "the page asked the network"
        )
        self.assertLessEqual(len(self.page.requests), 1, "the page asked for another file")


class Drawing(PageTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.report = made_report.report(2, ["torch", "ort"], ["cpu", "cuda"], [1, 8])
        cls.file = page_of(cls.report, "usual")

    def setUp(self):
        self.page.resize(1360, 900)
        self.open(self.file)

    def choose(self, **settings):
        for number, point in enumerate(self.report["points"]):
            if all(point["settings"].get(name) == value for name, value in settings.items()):
                self.page.click(f".cell[data-point='{number}']")
                return point
        raise KeyError(settings)

    def rows(self, where="operators"):
        return self.page.run(f"treeRows('{where}-body')")

    def hover(self, selector):
        """Scrolling hides definitions, and its end comes when it likes."""
        self.page.place(selector)
        self.page.run("new Promise((done) => setTimeout(done, 100))")
        self.page.hover(selector)
        self.page.wait("!document.getElementById('tip').hidden")

    def unfold(self, name):
        self.page.click(f"#operators-body button[aria-label='Unfold {name}']")

    def test_one_cell_a_point_and_a_failed_one_says_why(self):
        self.assertEqual(len(self.page.texts("#heat .cell")), len(self.report["points"]))
        self.assertEqual(self.page.texts("#heat .cell.failed"), ["unsupported"])
        self.page.click("#heat .cell.failed")
        self.assertIn("this flow cannot run it", self.page.text("#summary-body"))
        self.assertTrue(self.page.run("document.getElementById('operators').hidden"))

    def test_a_cell_sets_everything_below(self):
        point = self.choose(model="model-1", flow="ort", device="cuda", batch="8")
        latency = self.page.run(f"show({point['sections']['performance']['latency']}, 's')")
        self.assertIn(latency, self.page.text("#chosen-head"))
        self.assertEqual(self.page.run("document.querySelectorAll('.cell[aria-pressed=true]').length"), 1)
        links = self.page.texts("#nav a")
        self.assertEqual(
            links,
            [
                "At a glance",
                "Operators",
                "Modules",
                "Timeline",
                "Roofline",
                "Fusion",
                "Memory",
                "Growth",
                "Side by side",
                "All figures",
            ],
        )

    def test_values_stand_as_on_the_terminal(self):
        for value, unit, text in [
            (0.01234, "s", "12.34 ms"),
            (123.4e-6, "s", "123.4 \u00b5s"),
            (0.481, "share", "48.1 %"),
            (1500, "B", "1.500 kB"),
            (0, "s", "0 s"),
            (1234.5, "ratio", "1235"),
            (2.5e12, "FLOP/s", "2.500 TFLOP/s"),
            (12, "count", "12"),
            (None, "s", NOTHING),
        ]:
            self.assertEqual(self.page.run(f"show({json.dumps(value)}, '{unit}')").replace("\u202f", " "), text)

    def test_sorts_by_wasted_time_first_and_by_any_column(self):
        point = self.choose(model="model-0", flow="torch", device="cuda", batch="1")
        groups = point["sections"]["groups"]
        self.assertEqual(
            [row["name"] for row in self.rows()], [g["group"] for g in sorted(groups, key=lambda g: -g["wasted"])]
        )
        self.page.click("#operators-body th[data-column=time] button")
        self.assertEqual(
            [row["name"] for row in self.rows()], [g["group"] for g in sorted(groups, key=lambda g: -g["time"])]
        )
        self.page.click("#operators-body th[data-column=time] button")
        self.assertEqual(
            [row["name"] for row in self.rows()], [g["group"] for g in sorted(groups, key=lambda g: g["time"])]
        )
        self.assertEqual(
            self.page.run("document.querySelector('th[data-column=time]').getAttribute('aria-sort')"), "ascending"
        )
        self.page.click("#operators-body th[data-column=name] button")
        self.assertEqual([row["name"] for row in self.rows()], sorted(g["group"] for g in groups))

    def test_unfolds_from_a_group_to_a_kernel(self):
        point = self.choose(model="model-0", flow="torch", device="cuda", batch="1")
        self.unfold("GEMM")
        self.unfold("aten.bmm.default")
        calls = [c for c in point["sections"]["calls"] if c["operator"] == "aten.bmm.default"]
        shown = [row["name"] for row in self.rows() if row["level"] == 3]
        self.assertEqual(shown, [c["shapes"] for c in sorted(calls, key=lambda c: -c["wasted"])])
        self.unfold(shown[0])
        nodes = [row for row in self.rows() if row["level"] == 4]
        self.assertEqual(
            len(nodes),
            sum(n["shapes"] == shown[0] and n["operator"] == "aten.bmm.default" for n in point["sections"]["nodes"]),
        )
        self.unfold(nodes[0]["name"])
        self.assertEqual([row["name"] for row in self.rows() if row["level"] == 5], ["ampere_sgemm_128x64_tn"])
        self.page.click("#operators-controls button:last-child")
        self.assertEqual({row["level"] for row in self.rows()}, {1})

    def test_a_tree_is_walked_by_keyboard(self):
        self.page.run("document.querySelector('#operators-body .fold').focus()")
        before = len(self.rows())
        self.page.key("ArrowRight")
        self.assertGreater(len(self.rows()), before)
        self.page.key("ArrowDown")
        self.assertEqual(self.page.run("document.activeElement.closest('tr').dataset.level"), "2")
        self.page.key("ArrowUp")
        self.page.key("ArrowLeft")
        self.assertEqual(len(self.rows()), before)

    def test_searches(self):
        self.page.run("document.querySelector('#operators-controls input').focus()")
        self.page.type("softmax")
        names = {row["name"] for row in self.rows() if row["level"] <= 2}
        self.assertEqual(names, {"Logit computation", "aten.softmax.int"})
        self.page.run("document.querySelector('#operators-controls input').select()")
        self.page.type("layer.3. softmax")
        self.assertTrue(all(row["name"].startswith("encoder.layer.3.") for row in self.rows() if row["level"] == 4))
        self.assertIn(4, [row["level"] for row in self.rows()])
        self.page.run("document.querySelector('#operators-controls input').select()")
        self.page.type("no such word")
        self.assertIn("Nothing has these words.", self.page.text("#operators-body"))

    def test_every_number_has_its_definition_one_hover_away(self):
        self.hover("#operators-body tbody tr td:nth-child(2)")
        self.assertEqual(self.page.text("#tip strong"), "Time")
        self.hover(".headline .figure")
        self.assertIn("nothing recorded", self.page.text("#tip"))
        self.assertEqual(self.page.run("bareNumbers()"), [])

    def test_the_timeline_zooms_by_keys_and_wheel(self):
        self.choose(model="model-0", flow="torch", device="cuda", batch="1")
        span = "(timeline.to - timeline.from)"
        total = self.page.run("timeline.total")
        self.page.run("timeline.canvas.focus()")
        self.page.key("+")
        self.assertAlmostEqual(self.page.run(span), total / 2)
        self.page.key("ArrowRight")
        self.assertAlmostEqual(self.page.run("timeline.from"), total / 4 + total / 10)
        self.page.key("Home")
        self.assertAlmostEqual(self.page.run(span), total)
        x, y = self.page.place("canvas.lanes")
        self.page.wheel(x, y, -400)
        self.page.wait(f"{span} < {total * 0.6}")
        self.page.key("Home")
        self.page.key("-")
        self.assertAlmostEqual(self.page.run(span), total)
        self.page.key("n")
        first = self.page.text("#timeline-body .detail")
        self.assertIn("Host call", first)
        self.page.key("n")
        self.assertNotEqual(self.page.text("#timeline-body .detail"), first)
        self.assertLess(self.page.run(span), total)

    def test_the_longest_gap_and_who_is_waited_for(self):
        point = self.choose(model="model-0", flow="torch", device="cuda", batch="1")
        gap = point["sections"]["gaps"][0]
        self.page.run("timeline.canvas.focus()")
        self.page.key("g")
        said = self.page.text("#timeline-body .detail")
        self.assertIn(self.page.run(f"seconds({gap['gap']})"), said)
        self.assertIn(f"{gap['operator']}, node {gap['node']}, {gap['scope']}", said)
        self.assertEqual(
            self.page.run("timeline.lanes.map((lane) => lane.title)"),
            ["Host calls", "Device waits", "Stream 7", "Stream 13"],
        )

    def test_fusion_says_what_runs_as_what(self):
        point = self.choose(model="model-0", flow="ort", device="cuda", batch="1")
        self.assertEqual(
            self.page.run("document.querySelectorAll('.strip i').length"),
            len(point["sections"]["node_fates"]["columns"]["node"]),
        )
        fused = [s for s in point["sections"]["steps"] if s["pattern"] != "not fused"]
        self.assertEqual(len(self.page.texts("#fusion-body tr[data-step]")), min(60, len(fused)))
        self.page.click("#fusion-controls button[data-value=alone]")
        self.assertEqual(
            self.page.run(
                "[...document.querySelectorAll('tr[data-step]')].every((tr) => tr.innerText.includes('not fused'))"
            ),
            True,
        )

    def test_side_by_side_says_what_differs(self):
        self.choose(model="model-0", flow="torch", device="cpu", batch="1")
        self.page.run("compareWith('flow', 'ort')")
        self.assertEqual(self.page.text("#compare-body .doc"), "What differs: flow torch and ort")
        self.assertIn("Non-GEMM", self.page.text("#compare-body"))

    def test_growth_over_batch(self):
        self.assertEqual(self.page.run("document.querySelectorAll('#growth-body polyline.wide').length"), 1)
        self.assertIn("batch", self.page.text("#growth-body"))

    def test_bars_are_shares_or_times(self):
        for width in self.page.run("widthsOfBars()"):
            self.assertAlmostEqual(width, 100, delta=0.3)
        self.page.click("#bars-controls button[data-value=absolute]")
        widths = self.page.run("widthsOfBars()")
        self.assertAlmostEqual(max(widths), 100, delta=0.3)
        self.assertLess(min(widths), 50)

    def test_all_tables_are_there_sorted_and_searched(self):
        point = self.choose(model="model-0", flow="torch", device="cuda", batch="1")
        self.assertEqual(
            set(self.page.run("[...document.querySelectorAll('#figures details')].map((d) => d.dataset.section)")),
            set(point["sections"]),
        )
        self.page.click("#figures details[data-section=operators] summary")
        self.page.wait("document.querySelector('#figures details[data-section=operators] tbody')")
        self.page.click("#figures details[data-section=operators] th[data-column=time] button")
        first = self.page.text("#figures details[data-section=operators] tbody tr td")
        self.assertEqual(first, max(point["sections"]["operators"], key=lambda row: row["time"])["operator"])

    def test_it_prints(self):
        self.assertTrue(self.page.pdf().startswith(b"%PDF"))
        self.page.call("Emulation.setEmulatedMedia", media="print")
        self.assertEqual(self.page.run("getComputedStyle(document.querySelector('.controls')).display"), "none")
        self.assertEqual(self.page.run("getComputedStyle(document.body).backgroundColor"), "rgb(255, 255, 255)")
        self.page.call("Emulation.setEmulatedMedia", media="")


class Generation(PageTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.report = made_report.generation()
        cls.sections = cls.report["points"][0]["sections"]
        cls.file = page_of(cls.report, "generation")

    def setUp(self):
        self.page.resize(1360, 900)
        self.open(self.file)

    def widths(self):
        """Of the parts of each phase's bar, together, in percent of what a bar can be."""
        return self.page.run(
            "Object.fromEntries([...document.querySelectorAll('#phases-body .bar')].map((bar) => [bar.dataset.phase,"
            " [...bar.querySelectorAll('.part')].reduce((sum, part) => sum + parseFloat(part.style.width), 0)]))"
        )

    def test_each_phase_is_a_bar_of_its_groups(self):
        for phase in ("prefill", "decode"):
            said = self.page.run(f"document.querySelector('[data-phase={phase}] .stack').getAttribute('aria-label')")
            groups = [row["group"] for row in self.sections["phase_groups"] if row["phase"] == phase]
            self.assertTrue(said.startswith("GEMM "), said)
            for group in groups:
                self.assertIn(group, said)
            self.assertEqual("waits and the rest" in said, phase == "prefill", said)

    def test_bars_are_shares_or_times(self):
        for phase, width in self.widths().items():
            self.assertAlmostEqual(width, 100, delta=0.3, msg=phase)
        self.page.click("#phases-controls button[data-value=absolute]")
        widths = self.widths()
        self.assertAlmostEqual(widths["prefill"], 100, delta=0.3)
        self.assertAlmostEqual(widths["decode"], 25, delta=0.3)

    def test_each_token_after_the_first_is_a_dot(self):
        tips = self.page.run("[...document.querySelectorAll('#phases-body circle')].map((dot) => dot.dataset.tip)")
        self.assertEqual(len(tips), len(self.sections["tokens"]) - 1)
        self.assertIn("token 2, 32 cached", tips[0])

    def test_it_is_a_view_and_there_is_none_without_phases(self):
        self.assertIn("Phases", self.page.text("#nav"))
        self.open(page_of(made_report.report(1, ["torch"], ["cpu"], [1]), "no-phases"))
        self.assertNotIn("Phases", self.page.text("#nav"))


class Names(PageTest):
    def test_names_of_close_lines_stand_above_one_another(self):
        self.open(page_of(made_report.report(1, ["torch"], ["cuda"], [1]), "names"))
        places = self.page.run(
            "(() => { const svg = h('svg', {}); nameLines(svg, [[20, 'far'], [98, 'upper'], [100, 'lower'], [97, 'top']]);"
            " return [...svg.children].map((text) => [text.textContent, Number(text.getAttribute('y'))]); })()"
        )
        self.assertEqual(places, [["lower", 91], ["upper", 77], ["top", 63], ["far", 14]])
        for view in ("roofline", "memory"):
            boxes = self.page.run(
                f"[...document.querySelectorAll('#{view} .roofname[text-anchor=end]')]"
                ".map((text) => text.getBoundingClientRect()).map(({top, bottom}) => [top, bottom])"
            )
            self.assertGreater(len(boxes), 0, view)
            boxes.sort()
            for (_, above), (below, _) in zip(boxes, boxes[1:], strict=False):
                self.assertLessEqual(above, below + 2, f"names in {view} lie on one another")


class Looks(PageTest):
    """The main views look as in looks.json: pictures reduced until letters are grey, so that fonts hardly matter.

    NONGEMM_LOOKS=write writes that file anew: look at the pictures in the folder that it names.
    """

    FILE = pathlib.Path(__file__).parent / "looks.json"
    VIEWS = ("points", "bars", "operators", "timeline", "roofline", "fusion", "memory", "growth")
    SIZE = 32, 16
    MEAN, MOST, FEW = 4.0, 48, 0.02

    def test_the_main_views(self):
        self.page.resize(1360, 900)
        self.open(page_of(made_report.report(2, ["torch", "ort"], ["cuda"], [1, 8]), "looks"))
        self.page.click(".cell[data-point='2']")
        self.page.run("document.activeElement.blur(); document.querySelector('.chosen').style.position = 'static'")
        seen = {}
        for theme in ("light", "dark"):
            self.page.run(f"setTheme('{theme}'); drawAll()")
            for view in self.VIEWS:
                self.page.place(f"#{view}")
                file = FOLDER / f"{theme}-{view}.png"
                self.page.screenshot(file, f"#{view}")
                picture = base64.b64encode(file.read_bytes()).decode()
                seen[f"{theme} {view}"] = self.page.run(f"reduced('{picture}', {self.SIZE[0]}, {self.SIZE[1]})")
        if os.environ.get("NONGEMM_LOOKS") == "write":
            self.FILE.write_text(json.dumps(seen, separators=(",", ":")) + "\n")
            print(f"wrote {self.FILE} from the pictures in {FOLDER}")
        wanted = json.loads(self.FILE.read_text())
        self.assertEqual(seen.keys(), wanted.keys())
        for view, pixels in seen.items():
            differences = [abs(a - b) for a, b in zip(pixels, wanted[view], strict=True)]
            with self.subTest(view):
                self.assertLess(sum(differences) / len(differences), self.MEAN)
                self.assertLess(sum(one > self.MOST for one in differences) / len(differences), self.FEW)


class Hostile(PageTest):
    def test_names_are_text(self):
        file = page_of(
            made_report.report(len(made_report.HOSTILE), ["torch", "ort"], ["cuda"], [1], nodes=90, hostile=True),
            "hostile",
        )
        self.open(file)
        cells = self.page.run("document.querySelectorAll('.cell').length")
        for number in range(cells):
            self.page.click(f".cell[data-point='{number}']")
            for where in ("operators", "modules"):
                if not self.page.run(f"document.getElementById('{where}').hidden"):
                    self.page.click(f"#{where}-controls button")
        self.assertIsNone(self.page.run("window.broken === undefined ? null : window.broken"))
        self.assertEqual(
            self.page.run("document.querySelectorAll('img, body script:not(#data):not(:last-of-type)').length"), 0
        )
        self.assertIn(
            "<script>window.broken = true</script>", self.page.run("document.getElementById('heat').innerText")
        )
        wide = self.page.run("document.documentElement.scrollWidth")
        self.assertLessEqual(wide, 1360, "a long name makes the page wider")
        self.assertNotIn(b"<script>window", file.read_bytes())


class Sizes(PageTest):
    def test_sixteen_models_in_two_flows(self):
        file = page_of(made_report.report(16, ["torch", "ort"], ["cuda"], [1], nodes=700), "many")
        self.assertLess(file.stat().st_size, 2_000_000)
        self.open(file)
        begin = self.page.busy()
        self.open(file)
        self.assertLess(self.page.busy() - begin, 1.0, "the page is slow to draw itself")
        begin = self.page.busy()
        self.page.run("choosePoint(5)")
        self.assertLess(self.page.busy() - begin, 1.0, "another point is slow to be shown")

    def test_a_hundred_thousand_kernels_move_smoothly(self):
        self.open(page_of(made_report.report(1, ["torch"], ["cuda"], [1], nodes=1000, kernels=115000), "long"))
        self.assertGreater(
            self.page.run("timeline.lanes.filter((l) => l.kind === 'device').reduce((n, l) => n + l.begin.length, 0)"),
            100_000,
        )
        begin = self.page.busy()
        self.page.run("drawFrames(40)")
        self.assertLess((self.page.busy() - begin) / 40, 1 / 30)


class Access(PageTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.file = page_of(made_report.report(2, ["torch", "ort"], ["cuda"], [1, 8]), "access")


    def test_contrast_is_at_least_four_and_a_half(self):
        for theme in ("light", "dark"):
            self.open(self.file)
            self.page.run(f"setTheme('{theme}'); drawAll()")
            self.page.click("#figures details[data-section=performance] summary")
            self.page.wait("document.querySelector('#figures details[data-section=performance] dl')")
            for number in (0, 2):
                self.page.click(f".cell[data-point='{number}']")
                self.assertEqual(self.page.run("poorContrasts()"), [], theme)

    def test_controls_have_names_and_headings_are_in_order(self):
        self.open(self.file)
        self.assertEqual(self.page.run("nameless()"), [])
        levels = self.page.run("levelsOfHeadings()")
        self.assertEqual(levels[0], 1)
        self.assertEqual(levels.count(1), 1)
        self.assertTrue(all(b - a <= 1 for a, b in zip(levels, levels[1:])))
        self.assertEqual(self.page.run("doubledIds()"), [])
        self.assertEqual(self.page.run("document.documentElement.lang"), "en")

    def test_everything_is_reached_by_tab_and_focus_is_seen(self):
        self.open(self.file)
        wanted = self.page.run("numberStops()")
        reached, unseen = set(), []
        for _ in range(wanted + 5):
            self.page.key("Tab")
            order, seen = self.page.run("whereFocusIs()")
            if not seen:  # a busy browser draws the outline a frame later
                self.page.settle()
                order, seen = self.page.run("whereFocusIs()")
            if order is None:
                continue
            reached.add(int(order))
            if not seen:
                unseen.append(order)
        self.assertEqual(sorted(set(range(wanted)) - reached), [])
        self.assertEqual(unseen, [])

    def test_groups_that_stand_together_are_told_apart_by_all(self):
        """Neighbours in a bar differ, for people with any kind of colour vision (Machado 2009), by CIE76."""
        self.open(self.file)
        colours = self.page.run("DATA.groups.filter((g) => GROUP_COLOURS[g.id]).map((g) => [g.id, groupColour(g.id)])")
        kinds = {
            "usual": [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
            "protanopia": [
                [0.152286, 1.052583, -0.204868],
                [0.114503, 0.786281, 0.099216],
                [-0.003882, -0.048116, 1.051998],
            ],
            "deuteranopia": [
                [0.367322, 0.860646, -0.227968],
                [0.280085, 0.672501, 0.047413],
                [-0.011820, 0.042940, 0.968881],
            ],
            "tritanopia": [
                [1.255528, -0.076749, -0.178779],
                [-0.078411, 0.930809, 0.147602],
                [0.004733, 0.691367, 0.303900],
            ],
        }

        def lab(hex_colour, matrix):
            linear = [
                (v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4)
                for v in (int(hex_colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
            ]
            r, g, b = (min(1, max(0, sum(m * v for m, v in zip(row, linear)))) for row in matrix)
            f = [
                (t ** (1 / 3) if t > 0.008856 else 7.787 * t + 16 / 116)
                for t in (
                    (0.4124 * r + 0.3576 * g + 0.1805 * b) / 0.95047,
                    0.2126 * r + 0.7152 * g + 0.0722 * b,
                    (0.0193 * r + 0.1192 * g + 0.9505 * b) / 1.08883,
                )
            ]
            return 116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])

        close = []
        for kind, matrix in kinds.items():
            labs = [(name, lab(colour, matrix)) for name, colour in colours]
            for i, (a, one) in enumerate(labs):
                for b, other in labs[i + 1 : i + 4]:
                    distance = sum((x - y) ** 2 for x, y in zip(one, other)) ** 0.5
                    if distance < 17:
                        close.append(f"{kind}: {a} and {b}, {distance:.1f}")
        self.assertEqual(close, [])


class Studies(Access):
    """A study's page, with everything that holds for a report's."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.recorded = made_report.report(2, ["torch", "ort"], ["cpu", "cuda"], [1, 8])
        recorded = FOLDER / "recorded.json"
        recorded.write_text(json.dumps(cls.recorded), encoding="utf-8")
        cls.pages = {}
        for study in ("acceleration", "dominant-operators", "runtimes", "fusion", "quantization", "launch", "headroom", "scaling"):
            folder = FOLDER / f"study-{study}"
            command = [PROGRAM, "study", study, "--from", recorded, "--format", "html", "--output", folder]
            subprocess.run(command, check=True, capture_output=True)
            cls.pages[study] = folder / "report.html"
        cls.file = cls.pages["acceleration"]

    def test_it_says_what_the_figures_say_before_the_points(self):
        for study, file in self.pages.items():
            with self.subTest(study=study):
                self.open(file)
                self.assertFalse(self.page.run("document.getElementById('study').hidden"))
                self.assertIn(study, self.page.text("#study-body"))
                self.assertGreater(len(self.page.texts("#study-body dl.reading dd")), 0)
                self.assertEqual(len(self.page.texts("#heat .cell")), len(self.recorded["points"]))

    def test_the_papers_figures_stand_beside_ours(self):
        self.open(self.file)
        table = self.page.text("#study-body details[data-section=study_paper]")
        self.assertIn("17.2\u202f%", table)
        self.assertIn("not among the runs", table)

    def test_nothing_is_wider_than_a_telephone(self):
        self.page.resize(390, 800)
        for file in self.pages.values():
            self.open(file)
            self.assertLessEqual(self.page.run("document.documentElement.scrollWidth"), 390)
        self.page.resize(1360, 900)

    def test_bars_are_as_the_papers_figures(self):
        self.open(self.file)
        for width in self.page.run("widthsOfBars()"):
            self.assertAlmostEqual(width, 100, delta=0.3)


class FindIt(PageTest):
    """Somebody who never saw the program asks four things of the page that the README's command makes."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        command = next(command for command in readme.blocks() if "swin-t detr --flow torch,ort" in command)
        ran = readme.run(command, FOLDER, PROGRAM)
        if ran.returncode != 0:
            raise RuntimeError(f"{command}: {ran.stdout[-2000:]}{ran.stderr[-2000:]}")
        cls.points = json.loads((FOLDER / "out/report.json").read_text())["points"]
        cls.file = FOLDER / "out/report.html"

    def setUp(self):
        self.page.resize(1360, 900)
        self.open(self.file)

    def each_point(self):
        for number, point in enumerate(self.points):
            self.assertEqual(point["status"], "ok")
            self.page.click(f".cell[data-point='{number}']")
            yield point["sections"]

    def shown(self, value, unit="s"):
        return self.page.run(f"show({json.dumps(value)}, '{unit}')")

    def test_the_dominant_group_that_is_no_gemm(self):
        for sections in self.each_point():
            self.page.click("#operators-body th[data-column=time] button")
            names = self.page.run(
                "[...document.querySelectorAll('#operators-body tbody tr')].map((tr) => tr.dataset.name)"
            )
            seen = next(name for name in names if name not in ("GEMM", "Attention"))
            rest = [group for group in sections["groups"] if group["id"] not in ("gemm", "attention")]
            self.assertEqual(seen, max(rest, key=lambda group: group["time"])["group"])
            self.assertIn(seen, self.page.text(".finding"))

    def test_the_operator_with_the_most_wasted_time(self):
        for sections in self.each_point():
            self.page.click("#figures details[data-section=operators] summary")
            head = "#figures details[data-section=operators] th[data-column=wasted] button"
            self.page.wait(f"document.querySelector({json.dumps(head)})")
            self.page.click(head)
            seen = self.page.text("#figures details[data-section=operators] tbody td")
            most = max(sections["operators"], key=lambda row: row["wasted"] or 0)
            self.assertEqual(seen, most["operator"])
            self.assertIn(self.shown(most["wasted"]), self.page.text("#summary-body"))

    def test_the_longest_gap_and_who_is_waited_for(self):
        for sections in self.each_point():
            self.page.click("#timeline-controls button[aria-label='Go to the next longest gap']")
            said = self.page.text("#timeline-body .detail")
            gap = sections["gaps"][0]
            self.assertIn(f"{self.shown(gap['gap'])} from", said)
            self.assertIn(f"charged to {gap['operator']}, node {gap['node']}", said.replace("\n", " "))

    def test_what_fusion_saved(self):
        seen = 0
        for sections in self.each_point():
            if "fusion" not in sections:
                continue
            self.page.click("#nav a[href='#fusion']")
            said = self.page.text("#fusion-body .cards")
            saved = sections["fusion"]["nongemm_before"] - sections["fusion"]["nongemm_time"]
            for name in ("nongemm_before", "nongemm_time"):
                self.assertIn(self.shown(sections["fusion"][name]), said)
            self.assertIn(
                ("Fusion saved" if saved >= 0 else "Fusion lost") + f"\n{self.shown(abs(saved))}",
                self.page.text("#summary-body"),
            )
            seen += 1
        self.assertEqual(seen, 2)


class Readme(unittest.TestCase):
    """The other commands; FindIt runs the one whose page it reads."""

    def test_every_command_runs_as_it_stands(self):
        commands = [command for command in readme.blocks() + readme.spoken() if "--format html" not in command]
        self.assertIn("./nongemm run gpt2", commands)
        self.assertIn("make install PREFIX=/usr/local", commands)
        self.assertEqual(set(readme.NOT_RUN) - set(commands), set(), "exceptions that the README does not have")
        # What is installed is run afterwards.
        commands.sort(key=lambda command: command.startswith("nongemm "))
        for command in commands:
            if command in readme.NOT_RUN:
                continue
            with self.subTest(command):
                ran = readme.run(command, FOLDER, PROGRAM)
                self.assertEqual(ran.returncode, 0, ran.stdout[-2000:] + ran.stderr[-2000:])

    def test_ci_runs_the_rest(self):
        self.assertRegex((readme.ROOT / ".ci/run").read_text(), r"(?m)^make test\b")


if __name__ == "__main__":
    if browser.PROGRAM is None:
        sys.exit("page_test: no chromium; tools/debian-packages.txt names the package")
    PROGRAM = pathlib.Path(sys.argv.pop(1)).resolve()
    unittest.main(verbosity=2)
