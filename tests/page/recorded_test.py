#!/usr/bin/env python3
"""The timeline of what GPUs really did: pages of the traces in shared/fixtures, recorded on H100 and H200, held to the trace's own events.

    recorded_test.py PROGRAM TRACES [TEST...]

TRACES is the folder with the traces and truth.json.
"""
import gzip
import json
import pathlib
import subprocess
import sys
import unittest

import page_test
from page_test import PageTest

TRACES = None
DEVICE = ("kernel", "gpu_memcpy", "gpu_memset")


class Recorded(PageTest):
    """Kernels and copies on two streams; then GPT-2 launch by launch, whose device mostly waits."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.truth = json.loads((TRACES / "truth.json").read_text())
        cls.events, cls.pages = {}, {}
        for name in ("kineto_streams", "kineto_gpt2_eager"):
            with gzip.open(TRACES / f"{name}.json.gz", "rt") as file:
                events = json.load(file)["traceEvents"]
            cls.events[name] = [event for event in events if event.get("cat") in DEVICE]
            folder = page_test.FOLDER / name
            command = [page_test.PROGRAM, "analyze", TRACES / f"{name}.json.gz", "--format", "html", "--output", folder]
            subprocess.run(command, check=True, capture_output=True)
            cls.pages[name] = folder / "report.html"

    def show(self, name):
        self.page.resize(1360, 900)
        self.open(self.pages[name])
        self.page.place("canvas.lanes")
        self.page.run("timeline.canvas.focus()")

    def lane(self, title, what):
        return self.page.run(f"timeline.lanes.find((lane) => lane.title === {json.dumps(title)}).{what}")

    def test_every_stream_has_a_lane_with_its_kernels_and_copies(self):
        for name, events in self.events.items():
            self.show(name)
            streams = sorted({event["args"]["stream"] for event in events})
            titles = [f"Stream {stream}" for stream in streams]
            self.assertEqual([t for t in self.page.run("timeline.lanes.map((l) => l.title)") if "Stream" in t], titles)
            for stream, title in zip(streams, titles):
                own = sorted((e for e in events if e["args"]["stream"] == stream), key=lambda e: float(e["ts"]))
                begin, end = self.lane(title, "begin"), self.lane(title, "end")
                lengths = [end[str(i)] - begin[str(i)] for i in range(len(begin))]
                self.assertEqual(len(lengths), len(own))
                for length, event in zip(lengths, own):
                    self.assertAlmostEqual(length * 1e6, event["dur"], delta=max(0.002, event["dur"] * 1e-5))
                # Four of these are copies, which no kernel's name stands for.
                kernels = {e["name"] for e in own if e["cat"] == "kernel"}
                self.assertTrue(kernels <= set(self.lane(title, "columns.kernel")))

    def test_the_lanes_are_painted(self):
        self.show("kineto_streams")
        self.page.run("timeline.paint()")
        for place, title in enumerate(self.page.run("timeline.lanes.map((lane) => lane.title)")):
            if title == "Host calls":
                continue
            wide, drawn = self.page.run(f"drawnEntries({place})")
            self.assertGreater(wide, 0, title)
            self.assertEqual(drawn, wide, title)
        # What lies between two kernels is not painted.
        self.assertTrue(self.page.run("emptyBetween(timeline.lanes.findIndex((lane) => lane.kind === 'gap'))"))

    def test_gaps_are_the_devices_idle_time_and_each_is_charged(self):
        for name in self.pages:
            self.show(name)
            idle = self.page.run(
                "timeline.lanes.find((l) => l.kind === 'gap').columns.duration.reduce((sum, one) => sum + one, 0)"
            )
            self.assertAlmostEqual(idle * 1e6, self.truth[f"{name}.json.gz"]["idle_us"], delta=0.5)
            self.page.key("g")
            lane = "timeline.lanes.find((l) => l.kind === 'gap')"
            longest = self.page.run(f"Math.max(...{lane}.columns.duration)")
            said = self.page.text("#timeline-body .detail")
            self.assertIn(self.page.run(f"seconds({longest})"), said)
            self.assertIn("charged to", said)
            # In sight, and the second longest is another.
            self.assertTrue(self.page.run("timeline.chosen.lane.begin[timeline.chosen.entry] >= timeline.from"))
            self.page.key("g")
            self.assertNotEqual(self.page.text("#timeline-body .detail"), said)

    def test_keys_zoom_down_to_a_kernel_and_back(self):
        self.show("kineto_gpt2_eager")
        total = self.page.run("timeline.total")
        for _ in range(12):
            self.page.key("+")
        self.assertAlmostEqual(self.page.run("timeline.to - timeline.from"), total / 4096, delta=total * 1e-6)
        # From the host's calls down to the stream; then from kernel to kernel, each brought into sight.
        for _ in self.page.run("timeline.lanes.map((lane) => lane.title)"):
            self.page.key("ArrowDown")
        self.assertEqual(self.page.run("timeline.chosen.lane.title"), "Stream 7")
        seen = set()
        for _ in range(5):
            self.page.key("n")
            seen.add(self.page.run("timeline.chosen.entry"))
            self.assertIn("Stream 7", self.page.text("#timeline-body .detail"))
            self.assertTrue(
                self.page.run(
                    "timeline.from <= timeline.chosen.lane.begin[timeline.chosen.entry]"
                    " && timeline.chosen.lane.end[timeline.chosen.entry] <= timeline.to"
                )
            )
        self.assertEqual(len(seen), 5)
        self.page.key("Home")
        self.assertAlmostEqual(self.page.run("timeline.to - timeline.from"), total)

    def test_the_minimap_shows_where_one_is_and_takes_one_there(self):
        self.show("kineto_gpt2_eager")
        for _ in range(4):
            self.page.key("+")
        total, span = self.page.run("[timeline.total, timeline.to - timeline.from]")
        x, y = self.page.place("canvas.minimap")
        left, width = self.page.run(
            "(() => { const b = timeline.map.getBoundingClientRect(); return [b.left + LABELS, b.width - LABELS]; })()"
        )
        for share in (0.25, 0.75):
            self.page.press(left + share * width, y)
            self.page.wait(f"Math.abs((timeline.from + timeline.to) / 2 - {share * total}) < {total * 0.01}")
            self.assertAlmostEqual(self.page.run("timeline.to - timeline.from"), span)
            self.page.wait("!timeline.waiting")
            inside, outside = self.page.run("mapFrame()")
            self.assertNotEqual(inside, outside, "the frame stands where the view is")

    def test_nothing_is_said_that_a_trace_does_not_tell(self):
        self.show("kineto_gpt2_eager")
        self.assertTrue(self.page.run("document.getElementById('memory').hidden"), "no dataflow, no memory over it")
        self.assertTrue(self.page.run("document.getElementById('roofline').hidden"))
        self.assertNotIn("bove the limit", self.page.text("#operators"))

    def test_a_kernel_says_its_launch(self):
        self.show("kineto_streams")
        self.page.run("(() => { const lane = timeline.lanes.find((l) => l.title === 'Stream 30');"
                      " timeline.reveal(lane, lane.columns.launch.findIndex(known)); timeline.paint(); })()")
        launch, begin = self.page.run(
            "[timeline.chosen.lane.columns.launch[timeline.chosen.entry],"
            " timeline.chosen.lane.begin[timeline.chosen.entry]]"
        )
        self.assertGreater(begin, launch)


if __name__ == "__main__":
    if page_test.browser.PROGRAM is None:
        sys.exit("recorded_test: no chromium; tools/debian-packages.txt names the package")
    page_test.PROGRAM = pathlib.Path(sys.argv.pop(1)).resolve()
    TRACES = pathlib.Path(sys.argv.pop(1)).resolve()
    unittest.main(verbosity=2)
