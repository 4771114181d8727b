"""Figures of the queue model from reports of `nongemm run --device cuda --format json` (queue_model.sh).

    python3 bench/queue_table.py figures report.json [--limits]
    python3 bench/queue_table.py apart report.json again.json        shares of idle time by operator, two runs
    python3 bench/queue_table.py delay none.json host.json device.json  every second gelu with 50 us on the host, on the device
"""

import json
import sys


def points_of(path):
    with open(path) as file:
        return [point for point in json.load(file)["points"]]


def name_of(point):
    return f"{point['settings']['model']} x{point['settings']['batch']}"


def rows_of(point, section):
    rows = point["sections"].get(section, [])
    if isinstance(rows, dict) and rows and all(isinstance(v, list) for v in rows.values()):  # by column
        keys = list(rows)
        return [dict(zip(keys, values)) for values in zip(*rows.values())]
    return rows if isinstance(rows, list) else [rows]


def figures(path, limits):
    print("model            pass/plain reconstr. start error   of lat. gap error halves   idle  parts/plain  latency  way")
    for point in points_of(path):
        if point["status"] != "ok":
            print(name_of(point), point["status"], point["reason"])
            continue
        p = point["sections"]["performance"]

        def show(key, scale=1.0, digits=3):
            value = p.get(key)
            return "-" if value is None else f"{value * scale:.{digits}f}"

        print(f"{name_of(point):16} {show('overhead'):>10} {show('reconstructed', 1, 4):>9} {show('start_error', 1e6, 2):>8} us "
              f"{show('start_error_share', 100, 3):>8} % {show('gap_error', 100, 2):>6} % {show('halves_apart', 100, 2):>5} "
              f"{show('gap_share', 100, 1):>6} % {show('recorded', 1, 3):>8}   {show('latency', 1e3):>8} ms  {p['how'][:230]}")
        for row in rows_of(point, "host_speeds"):
            print("    speed:", {key: row[key] if key == "inferences" else round(row[key] * 1e3, 3) for key in row})
        if limits:
            row = point["sections"].get("limits", {})
            print("    ", {key: round(row[key] * 1e9) for key in row if key.startswith("queue_") and row[key] is not None})


def idle_shares(point):
    shares = {}
    for row in rows_of(point, "operators"):
        shares[row["operator"]] = shares.get(row["operator"], 0.0) + (row.get("gap") or 0.0)
    whole = sum(shares.values()) or 1.0
    return {name: gap / whole for name, gap in shares.items()}


def apart(first, second):
    again = {name_of(point): point for point in points_of(second)}
    for point in points_of(first):
        other = again.get(name_of(point))
        if other is None or point["status"] != "ok" or other["status"] != "ok":
            continue
        a, b = idle_shares(point), idle_shares(other)
        most, name = max((abs(a.get(name, 0) - b.get(name, 0)), name) for name in set(a) | set(b))
        print(f"{name_of(point):16} two runs differ by {100 * most:.2f} points at most ({name}); latency "
              f"{point['sections']['performance']['latency'] * 1e3:.3f} and {other['sections']['performance']['latency'] * 1e3:.3f} ms")


def gelu(point):
    """Gaps and device times of its calls in order, us."""
    rows = [row for row in rows_of(point, "nodes") if row["operator"].startswith("aten.gelu")]
    return [row["gap"] * 1e6 for row in rows], [row["time"] * 1e6 for row in rows]


def delay(none, host, device):
    for points in zip(points_of(none), points_of(host), points_of(device)):
        for what, point in zip(("nothing", "host 50 us", "device 50 us"), points):
            gaps, times = gelu(point)
            late = [sum(values[1::2]) / len(values[1::2]) - sum(values[::2]) / len(values[::2]) for values in (gaps, times)]
            print(f"{name_of(point):12} {what:13} every second of {len(gaps)} calls: gap {late[0]:+.2f} us, device {late[1]:+.2f} us beside the others"
                  f" (gaps {' '.join(f'{gap:.1f}' for gap in gaps)}); {point['sections']['performance']['how'][:40]}")


if __name__ == "__main__":
    command, *paths = sys.argv[1:]
    if command == "figures":
        figures(paths[0], "--limits" in paths)
    else:
        {"apart": apart, "delay": delay}[command](*paths)
