#!/usr/bin/env python3
"""Checks that exceptions can pass every function of ELF programs and libraries.

  check_unwind.py FILE...

The unwinder finds a function's entry in .eh_frame by a binary search in .eh_frame_hdr. Compilers write entries of length 0
for empty parts of functions; a linker that keeps such an entry in place of the function that begins at the same address
makes the unwinder find nothing, and a thrown exception ends the program. x86-64, little endian.
"""
import bisect
import struct
import sys

PCREL, SDATA4, DATAREL_SDATA4 = 0x10, 0x0B, 0x3B


def sections(data):
    """Name -> (address, offset, size)."""
    if data[:6] != b"\x7fELF\x02\x01":
        raise ValueError("not a 64-bit little-endian ELF file")
    (table,) = struct.unpack_from("<Q", data, 0x28)
    size, count, names_at = struct.unpack_from("<HHH", data, 0x3A)
    rows = [struct.unpack_from("<IIQQQQ", data, table + i * size) for i in range(count)]
    names = rows[names_at][4]
    found = {}
    for name, _, _, address, offset, length in rows:
        end = data.index(b"\0", names + name)
        found[data[names + name : end].decode()] = (address, offset, length)
    return found


def leb128(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return value, at


def pointer_encoding(data, cie):
    """The encoding of addresses in the entries of a CIE (System V ABI, "zR" augmentation)."""
    at = cie + 9
    end = data.index(b"\0", at)
    augmentation = data[at:end].decode()
    at = leb128(data, end + 1)[1]  # code alignment
    at = leb128(data, at)[1]  # data alignment
    at = leb128(data, at)[1]  # return address register
    if not augmentation.startswith("z"):
        return 0
    at = leb128(data, at)[1]
    for letter in augmentation[1:]:
        if letter == "R":
            return data[at]
        at += {"L": 1, "P": 1 + {0x03: 4, 0x0B: 4, 0x04: 8, 0x0C: 8, 0x00: 8}[data[at] & 0x0F], "S": 0}[letter]
    return 0


def entries(data, frame):
    """Address of each FDE -> (begin, length) of the code that it describes."""
    address, offset, size = frame
    at, found = offset, {}
    while at + 4 <= offset + size:
        (length,) = struct.unpack_from("<I", data, at)
        if length == 0:
            at += 4  # ends a part of the section; more may follow
            continue
        (back,) = struct.unpack_from("<I", data, at + 4)
        if back != 0:
            encoding = pointer_encoding(data, at + 4 - back)
            if encoding & 0x7F == PCREL | SDATA4:
                begin, reach = struct.unpack_from("<iI", data, at + 8)
            elif encoding == PCREL:
                begin, reach = struct.unpack_from("<qQ", data, at + 8)
            else:
                raise ValueError(f"pointer encoding {encoding:#x} in .eh_frame is not known here")
            here = address + at + 8 - offset
            found[address + at - offset] = (here + begin, reach)
        at += 4 + length
    return found


def search_table(data, header):
    """(code address, FDE address), ascending."""
    address, offset, _ = header
    _, frame_encoding, count_encoding, table_encoding = data[offset : offset + 4]
    if frame_encoding & 0x0F != SDATA4 or count_encoding != 0x03 or table_encoding != DATAREL_SDATA4:
        raise ValueError("the encodings of .eh_frame_hdr are not known here")
    (count,) = struct.unpack_from("<I", data, offset + 8)
    rows = struct.iter_unpack("<ii", data[offset + 12 : offset + 12 + 8 * count])
    return [(address + code, address + fde) for code, fde in rows]


def hidden_functions(path):
    """(begin, end) of code whose entry the unwinder does not find."""
    with open(path, "rb") as file:
        data = file.read()
    found = sections(data)
    if ".eh_frame" not in found or ".eh_frame_hdr" not in found:
        raise ValueError("it has no .eh_frame_hdr")
    described = entries(data, found[".eh_frame"])
    table = search_table(data, found[".eh_frame_hdr"])
    starts = [code for code, _ in table]
    hidden = []
    for begin, length in described.values():
        if length == 0:
            continue
        place = bisect.bisect_right(starts, begin) - 1
        start, reach = described.get(table[place][1], (0, 0)) if place >= 0 else (0, 0)
        if not start <= begin < start + reach:
            hidden.append((begin, begin + length))
    return hidden, len(described)


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    failed = False
    for path in sys.argv[1:]:
        try:
            hidden, count = hidden_functions(path)
        except (ValueError, OSError, struct.error, IndexError, KeyError) as error:
            print(f"{path}: cannot be checked: {error}")
            failed = True
            continue
        for begin, end in hidden[:5]:
            print(f"{path}: no exception can pass {begin:x}..{end:x}: its unwind entry is hidden by another")
        failed = failed or bool(hidden)
        print(f"{path}: {count} unwind entries, {len(hidden)} hidden")
    sys.exit(1 if failed else 0)


main()
