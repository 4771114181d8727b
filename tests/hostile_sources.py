"""Small sound files that hostile_round.py damages and no fixture has: quantized checkpoints, an export of Nsight Systems."""
import json, random, sqlite3
from pathlib import Path

HIDDEN, INNER, VOCABULARY, GROUP = 64, 64, 32, 32
MODEL = {"model_type": "llama", "vocab_size": VOCABULARY, "hidden_size": HIDDEN, "intermediate_size": INNER, "num_hidden_layers": 1,
         "num_attention_heads": 2, "num_key_value_heads": 2, "max_position_embeddings": 16, "torch_dtype": "float16"}
WIDTHS = {"F16": 2, "F32": 4, "I8": 1, "I32": 4, "I64": 8, "F8_E4M3": 1}


def safetensors(tensors):
    """@param tensors name -> (dtype, shape, bytes)"""
    header, data = {}, b""
    for name, (dtype, shape, content) in tensors.items():
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [len(data), len(data) + len(content)]}
        data += content
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + data


def quantized_llama(method):
    """Random levels: what is read matters here, not what comes out."""
    rng = random.Random(method)

    def tensor(dtype, *shape):
        count = WIDTHS[dtype]
        for size in shape: count *= size
        content = bytes(count)
        if dtype in ("I8", "I32"): content = rng.randbytes(count)
        if dtype == "F16": content = b"\x00\x1c" * (count // 2)  # 2^-8
        if dtype == "F32": content = b"\x00\x00\x80\x3b" * (count // 4)
        return dtype, list(shape), content

    def layer(rows, columns):
        groups = columns // GROUP
        if method == "gptq":
            return {"qweight": tensor("I32", columns // 8, rows), "qzeros": tensor("I32", groups, rows // 8),
                    "scales": tensor("F16", groups, rows),
                    "g_idx": ("I32", [columns], b"".join((k // GROUP).to_bytes(4, "little") for k in range(columns)))}
        if method == "awq":
            return {"qweight": tensor("I32", columns, rows // 8), "qzeros": tensor("I32", groups, rows // 8),
                    "scales": tensor("F16", groups, rows)}
        if method == "packed":
            return {"weight_packed": tensor("I32", rows, columns // 8), "weight_scale": tensor("F16", rows, groups),
                    "weight_shape": ("I64", [2], rows.to_bytes(8, "little") + columns.to_bytes(8, "little"))}
        kind = "I8" if method == "w8a8" else "F8_E4M3"
        return {"weight": tensor(kind, rows, columns), "weight_scale": tensor("F32", rows, 1)}

    tensors = {"model.embed_tokens.weight": tensor("F16", VOCABULARY, HIDDEN), "model.norm.weight": tensor("F16", HIDDEN),
               "lm_head.weight": tensor("F16", VOCABULARY, HIDDEN)}
    at = "model.layers.0."
    for norm in ("input_layernorm", "post_attention_layernorm"): tensors[f"{at}{norm}.weight"] = tensor("F16", HIDDEN)
    for name in ("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj", "self_attn.o_proj", "mlp.gate_proj", "mlp.up_proj",
                 "mlp.down_proj"):
        for part, value in layer(HIDDEN, HIDDEN).items(): tensors[f"{at}{name}.{part}"] = value

    def compressed(kind, bits, strategy, inputs, form):
        weights = {"num_bits": bits, "type": kind, "strategy": strategy, "symmetric": True, "dynamic": False}
        if strategy == "group": weights["group_size"] = GROUP
        group = {"targets": ["Linear"], "weights": weights}
        if inputs: group["input_activations"] = {"num_bits": bits, "type": kind, "strategy": "token", "symmetric": True, "dynamic": True}
        return {"quant_method": "compressed-tensors", "format": form, "ignore": ["lm_head"], "config_groups": {"group_0": group}}

    config = {"gptq": {"quant_method": "gptq", "bits": 4, "group_size": GROUP, "desc_act": False, "sym": False},
              "awq": {"quant_method": "awq", "bits": 4, "group_size": GROUP, "version": "gemm", "zero_point": True},
              "packed": compressed("int", 4, "group", False, "pack-quantized"),
              "w8a8": compressed("int", 8, "channel", True, "int-quantized"),
              "fp8": compressed("float", 8, "channel", True, "float-quantized")}[method]
    return json.dumps(dict(MODEL, quantization_config=config)), safetensors(tensors)


def quantized_folders(place, shared):
    """Folders with a config.json and a model.safetensors each."""
    folders = []
    for method in ("gptq", "awq", "packed", "w8a8", "fp8"):
        folder = place / method
        folder.mkdir(parents=True)
        config, weights = quantized_llama(method)
        (folder / "config.json").write_text(config)
        (folder / "model.safetensors").write_bytes(weights)
        folders.append(folder)
    for name in ("llama_int8", "gpt2_int8"):
        folder = place / name
        folder.mkdir()
        for source, target in (("config_int8.json", "config.json"), ("model_int8.safetensors", "model.safetensors")):
            (folder / target).write_bytes((shared / "quantized" / name / source).read_bytes())
        folders.append(folder)
    return folders


def nsys_export(path):
    """The tables that src/traces/nsys reads, by the schema that Nsight Systems publishes."""
    process = 77 << 24
    thread = process + 3
    base = sqlite3.connect(path)
    base.executescript("""
        CREATE TABLE StringIds (id INTEGER NOT NULL PRIMARY KEY, value TEXT NOT NULL);
        CREATE TABLE NVTX_EVENTS (start INT NOT NULL, end INT, eventType INT NOT NULL, rangeId INT, text TEXT, globalTid INT, textId INT);
        CREATE TABLE CUPTI_ACTIVITY_KIND_RUNTIME (start INT, end INT, eventClass INT, globalTid INT, correlationId INT, nameId INT);
        CREATE TABLE CUPTI_ACTIVITY_KIND_KERNEL (start INT, end INT, deviceId INT, contextId INT, streamId INT, correlationId INT,
          globalPid INT, demangledName INT, shortName INT);
        CREATE TABLE CUPTI_ACTIVITY_KIND_MEMCPY (start INT, end INT, deviceId INT, streamId INT, correlationId INT, globalPid INT,
          bytes INT, copyKind INT);
        CREATE TABLE TARGET_INFO_GPU (id INT, name TEXT);
        INSERT INTO StringIds VALUES (1, 'void gemm<int>(int)'), (2, 'gemm'), (3, 'cudaLaunchKernel_v7000'), (4, 'block 3'),
          (5, 'cudaStreamSynchronize_v3020');
        INSERT INTO TARGET_INFO_GPU VALUES (0, 'NVIDIA H200');""")
    for i in range(40):
        at = 1000 * i
        base.execute("INSERT INTO NVTX_EVENTS VALUES (?, ?, 59, NULL, ?, ?, NULL)",
                     (at, at + 900, f"aten::addmm, op_id = {i}, sizes = [[4], [2, 3], [3, 4]]", thread))
        base.execute("INSERT INTO CUPTI_ACTIVITY_KIND_RUNTIME VALUES (?, ?, 0, ?, ?, 3)", (at + 100, at + 110, thread, i))
        base.execute("INSERT INTO CUPTI_ACTIVITY_KIND_KERNEL VALUES (?, ?, 0, 1, 7, ?, ?, 1, 2)", (at + 300, at + 800, i, process))
    base.execute("INSERT INTO CUPTI_ACTIVITY_KIND_MEMCPY VALUES (50000, 50400, 0, 7, 99, ?, 4096, 2)", (process,))
    base.commit()
    base.close()
    return path
