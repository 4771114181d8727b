"""Ways to damage a file, for hostile_round.py: each takes a random.Random and bytes, and gives bytes."""
import copy, gzip, io, json, sqlite3, tempfile, warnings, zipfile
from pathlib import Path

warnings.filterwarnings("ignore", message="Duplicate name")  # made on purpose

EXTREMES = [-1, 0, 1, 2, 3, 7, 255, 65536, 2**31 - 1, 2**31, -2**31, 2**32, 2**53, 2**63 - 1, 2**63, -2**63, 2**64, 10**30, 0.5,
            -0.0, 1e308, 1e-320, True, False, None, "", "x", "-1", "None", "\x1b[31m", "a" * 5000, "../../etc/passwd", "\ud7ff",
            [], {}, [[]], [None], [0], [-1], [2**62, 2**62], {"": 0}, [1] * 200]


# --- damage ---------------------------------------------------------------------------------------------------------------

def damage_bytes(rng, data):
    data = bytearray(data)
    for _ in range(rng.choice([1, 1, 1, 2, 4, 16])):
        if not data:
            return bytes(rng.randbytes(rng.randrange(40)))
        at = rng.randrange(len(data))
        size = min(rng.choice([1, 2, 4, 8, 64, 1024]), len(data) - at)
        kind = rng.randrange(8)
        if kind == 0: data[at] ^= 1 << rng.randrange(8)
        elif kind == 1: data[at:at + size] = rng.randbytes(size)
        elif kind == 2: data[at:at + size] = bytes(size)
        elif kind == 3: data[at:at + size] = b"\xff" * size
        elif kind == 4: del data[at:at + size]
        elif kind == 5: data[at:at] = data[at:at + size]
        elif kind == 6: data[at:at] = rng.randbytes(size)
        elif rng.random() < 0.3: del data[at:]
    return bytes(data)


def places(value, found, parent=None, key=None):
    if parent is not None: found.append((parent, key))
    if isinstance(value, dict):
        for k in value: places(value[k], found, value, k)
    elif isinstance(value, list):
        for i in range(len(value)): places(value[i], found, value, i)


def damage_value(rng, root):
    """Other values at some places of a JSON document; sometimes a place goes, or gets another one's value."""
    for _ in range(rng.choice([1, 1, 1, 2, 3, 8])):
        found = []
        places(root, found)
        if not found: return root
        parent, key = rng.choice(found)
        kind = rng.randrange(6)
        try:
            if kind == 0: del parent[key]
            elif kind == 1:
                other, at = rng.choice(found)
                parent[key] = json.loads(json.dumps(other[at]))
            elif kind == 2 and isinstance(parent[key], (int, float)) and not isinstance(parent[key], bool):
                parent[key] = rng.choice([parent[key] * 2, parent[key] + 1, -parent[key], parent[key] * 1000])
            elif kind == 3 and isinstance(parent, dict): parent[rng.choice(["x", "", key + "_"])] = parent.pop(key)
            else: parent[key] = copy.deepcopy(rng.choice(EXTREMES))
        except (KeyError, IndexError, ValueError, OverflowError):
            pass
    return root


def damage_json(rng, data):
    if rng.random() < 0.25: return damage_bytes(rng, data)
    if rng.random() < 0.02: return b"[" * 100000
    try: root = json.loads(data, strict=False)
    except ValueError: return damage_bytes(rng, data)
    return json.dumps(damage_value(rng, root), ensure_ascii=rng.random() < 0.5).encode("utf-8", "surrogatepass")


def damage_safetensors(rng, data):
    if rng.random() < 0.3: return damage_bytes(rng, data)
    size = int.from_bytes(data[:8], "little")
    header = json.dumps(damage_value(rng, json.loads(data[8:8 + size]))).encode()
    length = len(header) if rng.random() < 0.9 else rng.choice([0, 1, 2**63, 2**64 - 1, len(header) * 2])
    return length.to_bytes(8, "little") + header + data[8 + size:]


def damage_zip(rng, data):
    if rng.random() < 0.2: return damage_bytes(rng, data)
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as new:
        infos = old.infolist()
        programs = [i for i in infos if i.filename.endswith(".json")]
        victim = rng.choice(programs if programs and rng.random() < 0.8 else infos).filename
        for info in infos:
            content = old.read(info)
            if info.filename == victim:
                if rng.random() < 0.03: continue
                content = damage_json(rng, content) if victim.endswith(".json") else damage_bytes(rng, content)
            new.writestr(info.filename, content)
    return out.getvalue()


def varint(data, at):
    value = shift = 0
    while at < len(data) and shift < 70:
        byte = data[at]
        value |= (byte & 127) << shift
        shift += 7
        at += 1
        if byte < 128: return value, at
    raise ValueError


def encode(value):
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes(out + bytes([value]))


def damage_message(rng, data, depth=0):
    """One field of a protobuf message, at any depth; the lengths around it stay right."""
    fields, at = [], 0
    while at < len(data):
        begin = at
        tag, at = varint(data, at)
        kind = tag & 7
        if kind == 0: _, at = varint(data, at)
        elif kind == 1: at += 8
        elif kind == 5: at += 4
        elif kind == 2:
            size, at = varint(data, at)
            at += size
        else: raise ValueError
        if at > len(data): raise ValueError
        fields.append((tag, begin, at))
    if not fields: return data
    which = rng.randrange(len(fields))
    tag, begin, end = fields[which]
    field = data[begin:end]
    if tag & 7 == 2:
        size, head = varint(field, len(encode(tag)))
        content = field[head:]
        try:
            if depth < 6 and rng.random() < 0.85: content = damage_message(rng, content, depth + 1)
            else: raise ValueError
        except ValueError:
            content = damage_bytes(rng, content) if rng.random() < 0.7 else rng.choice([b"", b"\x1b[31m", b"x" * 3000, b'"\\\n'])
        field = encode(tag) + encode(len(content)) + content
    elif tag & 7 == 0:
        field = encode(tag) + encode(rng.choice([0, 1, 2, 7, 16, 2**31, 2**32 - 1, 2**63 - 1, 2**63, 2**64 - 1]))
    else: field = encode(tag) + rng.randbytes(len(field) - len(encode(tag)))
    choice = rng.random()
    if choice < 0.1: field = b""
    elif choice < 0.2: field *= 2
    return data[:begin] + field + data[end:]


def damage_onnx(rng, data):
    if rng.random() < 0.2: return damage_bytes(rng, data)
    for _ in range(rng.choice([1, 1, 2, 4])):
        try: data = damage_message(rng, data)
        except (ValueError, IndexError): return damage_bytes(rng, data)
    return data


def damage_gzip(rng, data, damage=damage_json):
    """The stream itself, or what it holds."""
    if rng.random() < 0.3: return damage_bytes(rng, data)
    return gzip.compress(damage(rng, gzip.decompress(data)), 1)


def damage_events(rng, data):
    """A profiler's trace: some events at random, since most of these have their like a thousand times."""
    if rng.random() < 0.25: return damage_bytes(rng, data)
    root = json.loads(data, strict=False)  # of a sound file
    events = root if isinstance(root, list) else root.get("traceEvents", [])
    for _ in range(rng.choice([1, 1, 2, 5, 20])):
        if not events or rng.random() < 0.1:
            damage_value(rng, root if isinstance(root, list) else {k: v for k, v in root.items() if k != "traceEvents"})
            continue
        at = rng.randrange(len(events))
        kind = rng.randrange(6)
        if kind == 0: del events[at]
        elif kind == 1: events.insert(rng.randrange(len(events)), copy.deepcopy(events[at]))
        elif kind == 2: events[at] = copy.deepcopy(rng.choice(EXTREMES))
        elif kind == 3 and isinstance(events[at], dict):
            for key in ("ts", "dur"):
                if key in events[at] and rng.random() < 0.7: events[at][key] = rng.choice(EXTREMES)
        else: damage_value(rng, events[at])
    return json.dumps(root, ensure_ascii=rng.random() < 0.5).encode("utf-8", "surrogatepass")


def damage_lines(rng, data):
    """A journal: lines that go, are torn, stand twice or change places; or another value in one, its sum right again."""
    if rng.random() < 0.2: return damage_bytes(rng, data)
    lines = data.splitlines(keepends=True)
    for _ in range(rng.choice([1, 1, 2])):
        if not lines: break
        at = rng.randrange(len(lines))
        kind = rng.randrange(8)
        if kind == 0: del lines[at]
        elif kind == 1: lines.insert(rng.randrange(len(lines) + 1), lines[at])
        elif kind == 2: lines[at] = lines[at][:rng.randrange(len(lines[at]))]
        elif kind == 3: lines[at] = damage_bytes(rng, lines[at])
        else:
            try: lines[at] = with_sum(damage_value(rng, json.loads(lines[at])["line"]))
            except (ValueError, KeyError, TypeError): lines[at] = b""  # damaged already
    return b"".join(lines)


def with_sum(line):
    """A journal's line (src/study/journal.h): FNV-1a of what follows "line"."""
    text = json.dumps(line, separators=(",", ":")).encode("utf-8", "surrogatepass")
    value = 0xcbf29ce484222325
    for byte in text: value = (value ^ byte) * 0x100000001b3 & (1 << 64) - 1
    return b'{"sum":"%016x","line":%s}\n' % (value, text)


def damage_database(rng, data):
    """An export of Nsight Systems: bytes of the file, or values and tables by SQLite itself."""
    if rng.random() < 0.35: return damage_bytes(rng, data)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "t.sqlite"
        path.write_bytes(data)
        base = sqlite3.connect(path)
        base.execute("PRAGMA writable_schema = 1") if rng.random() < 0.1 else None
        tables = [name for (name,) in base.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        for _ in range(rng.choice([1, 1, 2, 5])):
            table = rng.choice(tables)
            columns = [row[1] for row in base.execute(f'PRAGMA table_info("{table}")')]
            if not columns: continue  # dropped
            column = rng.choice(columns)
            value = rng.choice([v for v in EXTREMES if isinstance(v, (int, float, str, type(None))) and v == v
                                and not (isinstance(v, int) and abs(v) >= 2**63)] + [rng.randbytes(rng.randrange(40))])
            if isinstance(value, str): value = value.encode("utf-8", "surrogatepass").decode("utf-8", "replace")
            kind = rng.randrange(10)
            try:
                if kind == 0: base.execute(f'DELETE FROM "{table}"')
                elif kind == 1: base.execute(f'DROP TABLE "{table}"')
                elif kind == 2: base.execute(f'ALTER TABLE "{table}" RENAME COLUMN "{column}" TO "other"')
                elif kind == 3: base.execute(f'INSERT INTO "{table}" SELECT * FROM "{table}"')
                elif kind == 4: base.execute(f'CREATE VIEW again AS SELECT * FROM "{table}", "{table}"')
                else: base.execute(f'UPDATE "{table}" SET "{column}" = ? WHERE random() % 2 = 0 OR 1 = ?', (value, rng.randrange(2)))
            except sqlite3.Error:
                pass
        base.commit()
        base.close()
        return path.read_bytes()


# --- zip archives whose structure is wrong, their content as it was -----------------------------------------------------------

LOCAL, CENTRAL, END = b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06"
#         offset and width of each field behind the signature (APPNOTE 4.3.7, 4.3.12, 4.3.16)
FIELDS = {LOCAL: [(4, 2), (6, 2), (8, 2), (14, 4), (18, 4), (22, 4), (26, 2), (28, 2)],
          CENTRAL: [(6, 2), (8, 2), (10, 2), (16, 4), (20, 4), (24, 4), (28, 2), (30, 2), (32, 2), (34, 2), (38, 4), (42, 4)],
          END: [(4, 2), (6, 2), (8, 2), (10, 2), (12, 4), (16, 4), (20, 2)]}


def damage_archive(rng, data):
    kind = rng.randrange(8)
    if kind == 0: return rebuilt_archive(rng, data)
    if kind == 1: return rng.choice([data + rng.randbytes(200), rng.randbytes(200) + data, data + data, data[:-22],
                                     data[:rng.randrange(len(data))], END + bytes(18), b"PK\x06\x07" + rng.randbytes(60)])
    data = bytearray(data)
    for _ in range(rng.choice([1, 1, 2, 4])):
        signature = rng.choice(list(FIELDS))
        places_of = [i for i in range(len(data) - 46) if data[i:i + 4] == signature] or [data.rfind(END)]
        at = rng.choice(places_of)
        if at < 0: continue
        offset, width = rng.choice(FIELDS[signature] if data[at:at + 4] == signature else [(0, 4)])
        now = int.from_bytes(data[at + offset:at + offset + width], "little")
        value = rng.choice([0, 1, now + 1, now - 1, now * 2, 2**(8 * width) - 1, 2**(8 * width - 1), rng.getrandbits(8 * width), 8, 99])
        data[at + offset:at + offset + width] = (value % 2**(8 * width)).to_bytes(width, "little")
    return bytes(data)


def rebuilt_archive(rng, data):
    """Sound archives that are unlike any writer's: compressed, twice the same name, other names, very many, bombs."""
    out = io.BytesIO()
    how = rng.choice(["deflated", "lzma", "bzip2", "twice", "names", "many", "bomb", "none", "comment", "folders"])
    method = {"deflated": zipfile.ZIP_DEFLATED, "lzma": zipfile.ZIP_LZMA, "bzip2": zipfile.ZIP_BZIP2}.get(how, zipfile.ZIP_STORED)
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w", method) as new:
        infos = old.infolist()
        victim = rng.choice(infos).filename
        for info in infos:
            name = info.filename
            if how == "none": continue
            if how == "names" and name == victim:
                name = rng.choice(["/", "..", "../" * 40 + name, "/etc/passwd", name.upper(), name + "\x1b[31m", "a" * 60000, "\u2028", name + "/"])
            content = old.read(info)
            if how == "bomb" and info.filename == victim: content = bytes(300 << 20)
            new.writestr(name, content, zipfile.ZIP_DEFLATED if how == "bomb" else None)
            if how == "twice" and name == victim:
                new.writestr(name, damage_bytes(rng, content))
            if how == "folders": new.writestr(name.rsplit("/", 1)[0] + "/", b"")
        if how == "many":
            for i in range(3000): new.writestr(f"more/{i}", b"")
        if how == "comment": new.comment = bytes(rng.randbytes(rng.choice([1, 22, 65535])))
    return out.getvalue()
