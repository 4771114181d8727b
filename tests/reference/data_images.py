"""Makes tests/fixtures/data/images: small images of every kind and the pixels that PIL gives for them.

    python tests/reference/data_images.py            # rewrites the fixtures
    python tests/reference/data_images.py --compare build/release/tests/data_probe   # random images against PIL and torch

Needs pillow, numpy, torch and torchvision (versions in tests/reference/README.md).
For each NAME (x.jpg, y.png), NAME.rgb holds Image.open().convert("RGB") as raw bytes and, where an orientation is
stored, NAME.upright.rgb the same after ImageOps.exif_transpose; sizes.json holds widths and heights.
"""

import argparse
import io
import json
import pathlib
import struct
import subprocess
import sys
import tempfile
import warnings
import zlib

import numpy as np
from PIL import Image, ImageOps

warnings.simplefilter("ignore")
FOLDER = pathlib.Path(__file__).resolve().parents[1] / "fixtures" / "data" / "images"
WIDTH, HEIGHT = 37, 23

YCCK_PROGRAM = r"""
#include <stdio.h>
#include <jpeglib.h>
int main(int argc, char** argv) {  /* raw CMYK on stdin, width, height, file */
  int width = atoi(argv[1]), height = atoi(argv[2]);
  struct jpeg_compress_struct c; struct jpeg_error_mgr e; unsigned char row[4 * 4096]; JSAMPROW rows[1] = {row};
  c.err = jpeg_std_error(&e); jpeg_create_compress(&c);
  FILE* out = fopen(argv[3], "wb"); jpeg_stdio_dest(&c, out);
  c.image_width = width; c.image_height = height; c.input_components = 4; c.in_color_space = JCS_CMYK;
  jpeg_set_defaults(&c); jpeg_set_colorspace(&c, JCS_YCCK); jpeg_set_quality(&c, 90, TRUE);
  jpeg_start_compress(&c, TRUE);
  while (c.next_scanline < c.image_height) { fread(row, 4, width, stdin); jpeg_write_scanlines(&c, rows, 1); }
  jpeg_finish_compress(&c); fclose(out); return 0;
}
"""


def picture(width, height, channels, seed=0):
    """Smooth colours with some noise: compresses, and shows mistakes in every channel."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:height, 0:width]
    planes = [127 + 100 * np.sin(x / (3 + c) + y / (5 - c % 3) + c) + rng.normal(0, 8, x.shape) for c in range(channels)]
    return np.clip(np.stack(planes, -1), 0, 255).astype(np.uint8)


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def pack_rows(samples, depth):
    """Rows with filter byte 0; samples: (height, width, channels) in 0..2^depth-1."""
    out = b""
    for row in samples.reshape(samples.shape[0], -1):
        if depth == 16:
            out += b"\0" + row.astype(">u2").tobytes()
        elif depth == 8:
            out += b"\0" + row.astype(np.uint8).tobytes()
        else:
            bits = ((row[:, None] >> np.arange(depth - 1, -1, -1)) & 1).astype(np.uint8)
            out += b"\0" + np.packbits(bits.reshape(-1)).tobytes()
    return out


def png(samples, depth, colour_type, extra=b"", interlaced=False):
    height, width = samples.shape[:2]
    if interlaced:
        passes = [(0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1)]
        parts = [samples[y::dy, x::dx] for y, x, dy, dx in passes]
        data = b"".join(pack_rows(p, depth) for p in parts if p.size)
    else:
        data = pack_rows(samples, depth)
    header = struct.pack(">IIBBBBB", width, height, depth, colour_type, 0, 0, int(interlaced))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + extra + chunk(b"IDAT", zlib.compress(data)) + chunk(b"IEND", b"")


def jpeg(array, mode, **options):
    buffer = io.BytesIO()
    Image.fromarray(array if array.shape[-1] > 1 else array[..., 0], mode=mode).save(buffer, "JPEG", **options)
    return buffer.getvalue()


def exif(orientation):
    data = Image.Exif()
    data[0x0112] = orientation
    return data.tobytes()


def ycck(array):
    with tempfile.TemporaryDirectory() as folder:
        source = pathlib.Path(folder, "ycck.c")
        source.write_text("#include <stdlib.h>\n" + YCCK_PROGRAM)
        subprocess.run(["gcc", "-w", "-o", folder + "/ycck", source, "-ljpeg"], check=True)
        command = [folder + "/ycck", str(array.shape[1]), str(array.shape[0]), folder + "/out.jpg"]
        subprocess.run(command, input=array.tobytes(), check=True)
        return pathlib.Path(folder, "out.jpg").read_bytes()


def all_images(width, height, seed):
    rgb = picture(width, height, 3, seed)
    four = picture(width, height, 4, seed + 1)
    grey = rgb[..., :1]
    wide = four.astype(np.uint16) * 256 + four[::-1].astype(np.uint16)
    palette = chunk(b"PLTE", picture(16, 16, 3, seed + 2).tobytes())
    transparency = chunk(b"tRNS", bytes(range(0, 200, 2)))
    images = {
        "rgb444.jpg": jpeg(rgb, "RGB", quality=90, subsampling=0),
        "rgb422.jpg": jpeg(rgb, "RGB", quality=80, subsampling=1),
        "rgb420.jpg": jpeg(rgb, "RGB", quality=75),
        "progressive.jpg": jpeg(rgb, "RGB", progressive=True),
        "restarts.jpg": jpeg(rgb, "RGB", restart_marker_blocks=2),
        "rgbspace.jpg": jpeg(rgb, "RGB", keep_rgb=True),
        "grey.jpg": jpeg(grey, "L"),
        "cmyk.jpg": jpeg(four, "CMYK"),
        "ycck.jpg": ycck(four),
        "rgb8.png": png(rgb, 8, 2),
        "rgb8_transparent.png": png(rgb, 8, 2, chunk(b"tRNS", rgb[0, 0].astype(">u2").tobytes())),
        "rgb8_interlaced.png": png(rgb, 8, 2, interlaced=True),
        "rgb16.png": png(wide[..., :3], 16, 2),
        "rgba8.png": png(four, 8, 6),
        "rgba16.png": png(wide, 16, 6),
        "grey8.png": png(grey, 8, 0),
        "grey16.png": png((wide[..., :1] >> 7), 16, 0),
        "grey8_transparent.png": png(grey, 8, 0, chunk(b"tRNS", b"\0\x80")),
        "greyalpha8.png": png(four[..., :2], 8, 4),
        "greyalpha16.png": png(wide[..., :2], 16, 4),
        "palette8.png": png(grey, 8, 3, palette),
        "palette8_transparent.png": png(grey, 8, 3, palette + transparency),
        "palette4_interlaced.png": png(grey >> 4, 4, 3, chunk(b"PLTE", palette[8:56]), interlaced=True),
    }
    for depth in (1, 2, 4):
        images[f"grey{depth}.png"] = png(grey >> (8 - depth), depth, 0)
        images[f"palette{depth}.png"] = png(grey >> (8 - depth), depth, 3, chunk(b"PLTE", palette[8 : 8 + (3 << depth)]))
    for orientation in range(1, 9):
        images[f"turned{orientation}.jpg"] = jpeg(rgb, "RGB", exif=exif(orientation))
    images["turned6.png"] = png(rgb, 8, 2, chunk(b"eXIf", exif(6)[6:]))
    return images


def write_fixtures():
    FOLDER.mkdir(parents=True, exist_ok=True)
    for old in FOLDER.iterdir():
        old.unlink()
    sizes = {}
    for name, data in all_images(WIDTH, HEIGHT, 0).items():
        (FOLDER / name).write_bytes(data)
        image = Image.open(io.BytesIO(data))
        upright = ImageOps.exif_transpose(image).convert("RGB")
        (FOLDER / f"{name}.rgb").write_bytes(image.convert("RGB").tobytes())
        sizes[name] = {"size": image.size}
        if name.startswith("turned"):
            (FOLDER / f"{name}.upright.rgb").write_bytes(upright.tobytes())
            sizes[name]["upright"] = upright.size
    (FOLDER / "sizes.json").write_text(json.dumps(sizes, indent=1) + "\n")
    write_resized()


def write_resized():
    from torchvision.transforms.v2 import functional as tv

    folder = FOLDER.parent / "resized"
    folder.mkdir(exist_ok=True)
    image = Image.open(FOLDER / "rgb8.png")
    modes = {2: tv.InterpolationMode.BILINEAR, 3: tv.InterpolationMode.BICUBIC}
    for code, width, height in ((2, 19, 41), (3, 19, 41), (3, 50, 9)):
        (folder / f"pillow{code}_{width}x{height}.rgb").write_bytes(image.resize((width, height), code).tobytes())
    for code, width, height in ((2, 19, 41), (3, 19, 41), (2, 50, 9)):
        tensor = tv.resize(tv.pil_to_tensor(image), [height, width], modes[code], antialias=True)
        (folder / f"torch{code}_{width}x{height}.rgb").write_bytes(tensor.permute(1, 2, 0).numpy().tobytes())


def run_probe(probe, *arguments):
    result = subprocess.run([probe, *map(str, arguments)], capture_output=True, text=True)
    if result.returncode != 0:
        sys.exit(f"{arguments}: {result.stderr}")
    return result.stdout.split()


def compare(probe, rounds):
    import torch
    from torchvision.transforms.v2 import functional as tv

    rng = np.random.default_rng(1)
    worst = {"decode": 0, "decode upright": 0, "resize pillow": 0, "resize torch": 0}

    def note(what, ours, theirs, context):
        difference = int(np.abs(ours.astype(int) - theirs.astype(int)).max())
        if difference > worst[what]:
            print(what, difference, context)
            worst[what] = difference

    with tempfile.TemporaryDirectory() as folder:
        out = folder + "/out"
        for round_ in range(rounds):
            width, height = (int(v) for v in rng.integers(1, 90, 2))
            for name, data in all_images(width, height, round_).items():
                path = pathlib.Path(folder, name)
                path.write_bytes(data)
                image = Image.open(path)
                for mode, expected in (("plain", image), ("orient", ImageOps.exif_transpose(image))):
                    size = run_probe(probe, "image", path, out, mode)
                    expected = np.asarray(expected.convert("RGB"))
                    assert [int(v) for v in size] == [expected.shape[1], expected.shape[0]], (name, size)
                    ours = np.fromfile(out, np.uint8).reshape(expected.shape)
                    note("decode" if mode == "plain" else "decode upright", ours, expected, (name, width, height))
            path = pathlib.Path(folder, "rgb8.png")
            image = Image.open(path).convert("RGB")
            tensor = tv.pil_to_tensor(image)
            for _ in range(6):
                new_width, new_height = (int(v) for v in rng.integers(1, 150, 2))
                for code in (2, 3):
                    run_probe(probe, "resize", path, out, new_width, new_height, code, "pillow")
                    ours = np.fromfile(out, np.uint8).reshape(new_height, new_width, 3)
                    theirs = np.asarray(image.resize((new_width, new_height), code))
                    note("resize pillow", ours, theirs, (image.size, new_width, new_height, code))
                for code, mode in ((2, tv.InterpolationMode.BILINEAR), (3, tv.InterpolationMode.BICUBIC)):
                    run_probe(probe, "resize", path, out, new_width, new_height, code, "torch")
                    ours = np.fromfile(out, np.uint8).reshape(new_height, new_width, 3)
                    theirs = tv.resize(tensor, [new_height, new_width], mode, antialias=True).permute(1, 2, 0).numpy()
                    note("resize torch", ours, theirs, (image.size, new_width, new_height, code))
    print("largest difference of a byte:", worst)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--compare", metavar="PROBE")
    parser.add_argument("--rounds", type=int, default=20)
    arguments = parser.parse_args()
    if arguments.compare:
        compare(arguments.compare, arguments.rounds)
    else:
        write_fixtures()
