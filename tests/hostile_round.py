#!/usr/bin/env python3
"""A hostile round, run by hand: thousands of damaged files go through the program, and nothing but an answer comes out.

    tests/hostile_round.py build/ci/bin/nongemm ../shared/fixtures [--count 4500] [--seed 1] [--only pt2] [--keep DIR]

What is damaged: configurations, safetensors, quantized checkpoints, .pt2, .onnx, archives' structure, tokenizers,
preprocessors, images, reports, journals, kept limits, traces of torch.profiler, ONNX Runtime, Nsight Systems and TensorRT.
How: hostile_damage.py. Every case follows from the seed and its number. A case fails when the program dies of a signal, takes more than
TIME seconds or MEMORY bytes, leaves files behind, prints an escape code or words of a C++ library, or refuses a file
without naming it. Exit code 0 when none does.
"""
import argparse, gzip, json, os, random, re, resource, shutil, signal, subprocess, sys, tempfile, time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from hostile_damage import (damage_archive, damage_bytes, damage_database, damage_events, damage_gzip, damage_json, damage_lines,
                            damage_onnx, damage_safetensors, damage_zip)
from hostile_sources import nsys_export, quantized_folders

TIME = 60    # of the processor
WAIT = 600   # by the clock: on a busy machine a case waits, too
MEMORY = 8 << 30  # of addresses: LibTorch alone maps more than one GiB
SOURCE = Path(__file__).resolve().parent.parent
CODES = {0, 1, 2, 3, 4}
WORDS = re.compile(rb"terminate called|what\(\)|json\.exception|std::|basic_string|vector::|map::at|stoi|stol|bad_alloc|"
                   rb"Segmentation fault|Sanitizer|runtime error|\x1b|std::bad|bad_variant|bad_optional|bad_function")

# --- cases ------------------------------------------------------------------------------------------------------------------

QUICK = ["--iterations", "1", "--warmup", "0", "--no-limits"]
# Data, tokenizers and weights are read before a runtime is loaded, and there is no TensorRT here: the program ends with
# "unsupported" when they are fine.
READ_ONLY = ["--flow", "tensorrt"] + QUICK


class Kind:
    def __init__(self, name, weight, sources, damage, prepare):
        self.name, self.weight, self.sources, self.damage, self.prepare = name, weight, sources, damage, prepare


def kinds(shared, program, work):
    numerics = shared / "numerics"
    data = SOURCE / "tests/fixtures/data"
    models = sorted(numerics.iterdir())

    def beside(source, folder, name=None):
        """A copy of the source's folder in which the damaged file takes its place."""
        shutil.copytree(source.parent, folder / "m")
        os.chmod(folder / "m", 0o755)
        return folder / "m" / (name or source.name)

    def in_model(command):
        def prepare(source, folder, damaged):
            target = beside(source, folder)
            os.chmod(target, 0o644)
            target.write_bytes(damaged)
            return target, command(target)
        return prepare

    def alone(command, name=None):
        def prepare(source, folder, damaged):
            target = folder / (name or source.name)
            target.write_bytes(damaged)
            return target, command(target)
        return prepare

    def tokenizer(source, folder, damaged):
        target = beside(source, folder)
        target.write_bytes(damaged)
        kind = source.parent.name
        config = {"gpt2": {"model_type": "gpt2", "vocab_size": 700, "n_positions": 64, "n_embd": 8, "n_layer": 1, "n_head": 2}}.get(
            kind, {"model_type": "bert", "vocab_size": 950, "hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2,
                   "intermediate_size": 12} if "bert" in kind else
            {"model_type": "llama", "vocab_size": 1000, "hidden_size": 8, "intermediate_size": 12, "num_hidden_layers": 1,
             "num_attention_heads": 2, "num_key_value_heads": 1})
        (folder / "m/config.json").write_text(json.dumps(config))
        (folder / "text.txt").write_text("Größe matters: 1234 dogs can't jump.\n\n 東京 😀 <s> [CLS]\n")
        return target, ["run", str(folder / "m"), "--data", str(folder / "text.txt")] + READ_ONLY

    def image(source, folder, damaged):
        (folder / "images").mkdir()
        target = folder / "images" / source.name
        target.write_bytes(damaged)
        shutil.copy(data / "images/rgb8.png", folder / "images/sound.png")
        return target, ["run", str(numerics / "vit"), "--data", str(folder / "images"), "--batch", "2"] + READ_ONLY

    def preprocessor(source, folder, damaged):
        shutil.copytree(numerics / "vit", folder / "m")
        target = folder / "m/preprocessor_config.json"
        target.write_bytes(damaged)
        (folder / "images").mkdir()
        shutil.copy(data / "images/rgb8.png", folder / "images/sound.png")
        return target, ["run", str(folder / "m"), "--data", str(folder / "images")] + READ_ONLY

    def limits(source, folder, damaged):
        target = folder / "cache/nongemm" / source.name
        target.parent.mkdir(parents=True)
        target.write_bytes(damaged)
        return target, ["list", "devices"]

    def quantized(source, folder, damaged):
        target, _ = in_model(lambda t: None)(source, folder, damaged)
        return target, ["run", str(target.parent)] + QUICK

    def resumed(source, folder, damaged):
        target = folder / "r/journal.jsonl"
        target.parent.mkdir()
        target.write_bytes(damaged)
        return target, ["run", str(small), "--batch", "1,2", "--output", str(target.parent), "--resume", "--iterations", "3", "--warmup", "1",
                        "--no-limits"]

    made = work / "made"
    made.mkdir()
    small = made / "model"
    small.mkdir()
    (small / "config.json").write_text(json.dumps({"model_type": "gpt2", "vocab_size": 50, "n_positions": 16, "n_embd": 8,
                                                   "n_layer": 1, "n_head": 2}))
    environment = dict(os.environ, XDG_CACHE_HOME=str(made / "cache"))
    run = [program, "run", str(small), "--output", str(made / "r"), "--iterations", "3", "--warmup", "1"]
    subprocess.run(run, check=True, capture_output=True, env=environment, timeout=300)
    subprocess.run(run[:3] + ["--batch", "1,2", "--output", str(made / "sweep"), "--iterations", "3", "--warmup", "1", "--no-limits"],
                   check=True, capture_output=True, env=environment, timeout=300)
    subprocess.run([program, "export", str(small), str(made / "small.onnx")], check=True, capture_output=True)
    (made / "preprocessor_config.json").write_text(json.dumps({
        "do_resize": True, "size": {"height": 32, "width": 32}, "do_center_crop": True, "crop_size": {"height": 32, "width": 32},
        "do_normalize": True, "image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5], "resample": 3, "do_rescale": True,
        "rescale_factor": 1 / 255, "image_processor_type": "ViTImageProcessor"}))
    kept = sorted((made / "cache/nongemm").glob("limits-*.json"))
    if not kept:  # the machine was busy
        kept = [made / "cache/limits.json"]
        kept[0].parent.mkdir(exist_ok=True)
        kept[0].write_text(json.dumps({"version": 2, "device": "a", "measured_at": "b", "copy_bandwidth": 1e10,
                                       "read_bandwidth": 1e10, "fp32_rate": 1e11}))
    trt = SOURCE / "tests/fixtures/traces/tensorrt"
    small_files = lambda pattern, *folders: [p for f in folders for p in sorted(f.rglob(pattern)) if p.stat().st_size < 1 << 20]
    programs = small_files("*.pt2", SOURCE / "tests/data", shared / "hostile")
    graphs = small_files("*.onnx", SOURCE / "tests/data", shared / "hostile") + [made / "small.onnx"]
    traces = shared / "traces"
    kineto = [traces / f"kineto_{name}.json.gz" for name in ("gpt2_decode_cudagraph", "streams", "segformer_compiled", "gpt2_eager")]
    plain = made / "kineto_streams.json"
    plain.write_bytes(gzip.decompress(kineto[1].read_bytes()))
    short = made / "onnxruntime.json"  # the first run of three
    short.write_text(json.dumps(json.loads((traces / "onnxruntime_gpt2.json").read_text())[:400]))
    quantized_sources = [file for folder in quantized_folders(made / "quantized", shared) for file in sorted(folder.iterdir())]
    analyze = alone(lambda t: ["analyze", str(t)])
    texts = [p for p in sorted((data / "tokenizers").rglob("*")) if p.is_file()]
    return [
        Kind("config", 14, [m / "config.json" for m in models if (m / "config.json").exists()], damage_json,
             in_model(lambda t: ["inspect", str(t.parent)])),
        Kind("safetensors", 12, [m / "model.safetensors" for m in models if (m / "model.safetensors").stat().st_size < 4 << 20],
             damage_safetensors, in_model(lambda t: ["run", str(t.parent)] + READ_ONLY)),
        Kind("pt2", 22, programs, damage_zip, alone(lambda t: ["inspect", str(t)])),
        Kind("pt2 run", 3, programs, damage_zip, alone(lambda t: ["run", str(t)] + QUICK)),
        Kind("archive", 10, programs + sorted((SOURCE / "tests/data").rglob("*.pt*")), damage_archive,
             alone(lambda t: ["inspect", str(t)])),
        Kind("onnx", 18, graphs, damage_onnx, alone(lambda t: ["inspect", str(t)])),
        Kind("onnx run", 4, [made / "small.onnx"], damage_onnx, alone(lambda t: ["run", str(t), "--flow", "ort"] + QUICK)),
        Kind("tokenizer", 10, texts, lambda rng, d: damage_json(rng, d) if d[:1] == b"{" else damage_bytes(rng, d), tokenizer),
        Kind("image", 10, sorted((data / "images").glob("*.*")), damage_bytes, image),
        Kind("preprocessor", 5, [made / "preprocessor_config.json"], damage_json, preprocessor),
        Kind("report", 8, [made / "r/report.json"], damage_json,
             alone(lambda t: ["report", str(t), "--format", "table,csv,md,html,json"])),
        Kind("replay", 3, [made / "r/report.json"], damage_json, alone(lambda t: ["op", "--from", str(t), "--list"])),
        Kind("journal", 6, [made / "sweep/journal.jsonl"], damage_lines, alone(lambda t: ["report", str(t), "--format", "table,csv,html"])),
        Kind("resume", 4, [made / "sweep/journal.jsonl"], damage_lines, resumed),
        Kind("quantized", 12, quantized_sources,
             lambda rng, d: damage_json(rng, d) if d[:1] == b"{" else damage_safetensors(rng, d), quantized),
        Kind("kineto", 8, kineto, lambda rng, d: damage_gzip(rng, d, damage_events), analyze),
        Kind("kineto plain", 4, [plain], damage_events, analyze),
        Kind("ort trace", 6, [short], damage_events, analyze),
        Kind("nsys", 8, [nsys_export(made / "nsys.sqlite")], damage_database, analyze),
        Kind("limits", 4, kept, damage_json, limits),
        Kind("layers", 6, [trt / "trt10_layers.json", trt / "trt8_layers.json"], damage_json,
             alone(lambda t: ["analyze", "--tensorrt", str(trt / t.name.replace("layers", "profile")), "--layers", str(t)])),
        Kind("profile", 6, [trt / "trt10_profile.json", trt / "trt8_profile.json"], damage_json,
             alone(lambda t: ["analyze", "--layers", str(trt / t.name.replace("profile", "layers")), "--tensorrt", str(t)])),
    ]


def limit_memory():
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (TIME, TIME + 5))


def try_case(program, kind, number, seed, work, keep):
    rng = random.Random(f"{seed} {kind.name} {number}")
    source = rng.choice(kind.sources)
    folder = Path(tempfile.mkdtemp(prefix="case", dir=work))
    try:
        target, arguments = kind.prepare(source, folder, kind.damage(rng, source.read_bytes()))
        temporary = folder / "tmp"
        temporary.mkdir()
        environment = dict(os.environ, TMPDIR=str(temporary), XDG_CACHE_HOME=str(folder / "cache"), TERM="dumb")
        begin = time.monotonic()
        problem = None
        process = subprocess.Popen([program] + arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment,
                                   cwd=folder, preexec_fn=limit_memory)
        try:
            out, err = process.communicate(timeout=WAIT)
        except subprocess.TimeoutExpired:
            process.kill()
            out, err = process.communicate()
            problem = f"took more than {WAIT} s"
        both = out + err
        if problem is None:
            if process.returncode == -signal.SIGXCPU: problem = f"took more than {TIME} s of the processor"
            elif process.returncode not in CODES: problem = f"exit code {process.returncode}"
            elif match := WORDS.search(err.replace(str(folder).encode(), b"")): problem = f"prints {match.group()!r}"
            elif b"\x1b" in out: problem = "prints an escape code"  # names of kernels may well have std:: in them
            elif process.returncode == 3 and target.name.encode() not in both and target.parent.name.encode() not in err:
                problem = "does not name the file"
            elif process.returncode != 0 and not err.strip(): problem = "says nothing on standard error"
            elif any(temporary.iterdir()): problem = f"leaves {[p.name for p in temporary.iterdir()]}"
        if problem and keep:
            place = Path(keep) / f"{kind.name.replace(' ', '_')}-{number}"
            shutil.rmtree(place, ignore_errors=True)
            shutil.copytree(folder, place)
        return problem, source, arguments, both[-600:], process.returncode, time.monotonic() - begin
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("fixtures", type=Path)
    parser.add_argument("--count", type=int, default=4500)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--only", help="kinds of files by name, separated by commas")
    parser.add_argument("--keep", help="a folder for the files of the cases that fail")
    options = parser.parse_args()
    program = str(Path(options.program).resolve())
    work = Path(tempfile.mkdtemp(prefix="hostile"))
    failures, codes = 0, {}
    try:
        all_kinds = kinds(options.fixtures.resolve(), program, work)
        if options.only: all_kinds = [k for k in all_kinds if k.name in options.only.split(",")]
        total = sum(k.weight for k in all_kinds)
        cases = [(k, i) for k in all_kinds for i in range(options.count * k.weight // total)]
        with ThreadPoolExecutor(options.jobs) as pool:
            run = lambda case: (case, try_case(program, case[0], case[1], options.seed, work, options.keep))
            for (kind, number), (problem, source, arguments, said, code, seconds) in pool.map(run, cases):
                codes.setdefault(kind.name, {}).setdefault(code, 0)
                codes[kind.name][code] += 1
                if seconds > 10: print(f"slow: {kind.name} {number} ({source.name}): {seconds:.1f} s", flush=True)
                if problem is None: continue
                failures += 1
                print(f"FAIL {kind.name} {number} ({source}): {problem}\n  {' '.join(arguments)}\n  "
                      + said.decode(errors="replace").strip().replace("\x1b", "<ESC>").replace("\n", "\n  "), flush=True)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    for name, counts in codes.items(): print(f"{name:14}", "  ".join(f"exit {c}: {n}" for c, n in sorted(counts.items())))
    print(f"{sum(sum(c.values()) for c in codes.values()) - failures} passed, {failures} failed")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
