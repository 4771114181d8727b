"""Writes ONNX cases that no exporter of PyTorch writes: branches, loops, functions, nodes without names, operators that
PyTorch lacks, and operators of a library.

    python make_onnx_parts.py OUTPUT     writes OUTPUT/{import,import_ort}/<case> and OUTPUT/custom_onnx_operator

Cases in `import_ort` are for that flow alone, with outputs of ONNX's reference evaluator. Those in `import` have outputs of ONNX Runtime in Python; the
library's operator is computed by numpy.
"""

import pathlib
import sys

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator
from safetensors.numpy import save_file

FLOAT, INT64, BOOL = TensorProto.FLOAT, TensorProto.INT64, TensorProto.BOOL
node = helper.make_node
info = helper.make_tensor_value_info


def weight(name, *shape):
    return numpy_helper.from_array(random.standard_normal(shape).astype(np.float32), name)


def numbers(name, values, dtype=np.int64):
    return numpy_helper.from_array(np.array(values, dtype), name)


def branches():
    """Two branches of a condition that the data decides, and one that is known; the branches use what lies outside."""
    then = helper.make_graph(
        [node("MatMul", ["x", "w"], ["then_y"], name="/gate/then/MatMul"), node("Relu", ["then_y"], ["then_z"])],
        "then", [], [info("then_z", FLOAT, [2, 4])],
    )
    otherwise = helper.make_graph(
        [node("Mul", ["x", "half"], ["else_z"])], "else", [], [info("else_z", FLOAT, [2, 4])],
        [numpy_helper.from_array(np.array(0.5, np.float32), "half")],
    )
    same = helper.make_graph([node("Identity", ["z"], ["same_z"])], "same", [], [info("same_z", FLOAT, [2, 4])])
    nothing = helper.make_graph([node("Neg", ["z"], ["neg_z"])], "nothing", [], [info("neg_z", FLOAT, [2, 4])])
    nodes = [
        node("ReduceSum", ["x"], ["sum"], keepdims=0),
        node("Greater", ["sum", "zero"], ["positive"]),
        node("If", ["positive"], ["z"], name="/gate/If", then_branch=then, else_branch=otherwise),
        node("Shape", ["x"], ["shape"]),
        node("Gather", ["shape", "one"], ["columns"]),
        node("Equal", ["columns", "four"], ["is_four"]),
        node("If", ["is_four"], ["y"], then_branch=same, else_branch=nothing),
    ]
    constants = [weight("w", 4, 4), numbers("zero", 0, np.float32), numbers("one", 1), numbers("four", 4)]
    return helper.make_graph(nodes, "branches", [info("x", FLOAT, [2, 4])], [info("y", FLOAT, [2, 4])], constants)


def loops():
    """A loop with a counter, a state and results of every turn; a scan in both directions."""
    body = helper.make_graph(
        [
            node("Cast", ["turn"], ["turn_f"], to=FLOAT),
            node("MatMul", ["state", "w"], ["moved"]),
            node("Add", ["moved", "turn_f"], ["added"]),
            node("Tanh", ["added"], ["next"]),
            node("Identity", ["going"], ["goes_on"]),
            node("ReduceMax", ["next"], ["seen"], keepdims=0),
        ],
        "body",
        [info("turn", INT64, []), info("going", BOOL, []), info("state", FLOAT, [2, 4])],
        [info("goes_on", BOOL, []), info("next", FLOAT, [2, 4]), info("seen", FLOAT, [])],
    )
    step = helper.make_graph(
        [node("Add", ["sum_in", "row"], ["sum_out"]), node("Mul", ["sum_out", "row"], ["product"])],
        "step",
        [info("sum_in", FLOAT, [4]), info("row", FLOAT, [4])],
        [info("sum_out", FLOAT, [4]), info("product", FLOAT, [4])],
    )
    nodes = [
        node("Loop", ["three", "", "x"], ["last", "all"], name="/steps/Loop", body=body),
        node("Scan", ["start", "last"], ["sum", "products"], name="scan", body=step, num_scan_inputs=1,
             scan_input_directions=[1], scan_output_directions=[1]),
    ]
    constants = [weight("w", 4, 4), numbers("three", 3), numbers("start", [0] * 4, np.float32)]
    outputs = [info("all", FLOAT, [3]), info("sum", FLOAT, [4]), info("products", FLOAT, [2, 4])]
    return helper.make_graph(nodes, "loops", [info("x", FLOAT, [2, 4])], outputs, constants)


def functions():
    """Functions that call functions, with attributes, defaults and an operand that is left out."""
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("own", 1)]
    scaled = helper.make_function(
        "own", "Scaled", ["a", "bias"], ["b"],
        [
            node("Constant", [], ["factor"]),
            node("LeakyRelu", ["a"], ["soft"]),
            node("Mul", ["soft", "factor"], ["b"]),
        ],
        opsets, ["factor"], [helper.make_attribute("slope", 0.25)],
    )
    for inner, name, outer in ((0, "value_float", "factor"), (1, "alpha", "slope")):
        reference = scaled.node[inner].attribute.add()
        reference.name, reference.ref_attr_name, reference.type = name, outer, onnx.AttributeProto.FLOAT
    block = helper.make_function(
        "own", "Block", ["x", "w"], ["y"],
        [
            node("MatMul", ["x", "w"], ["h"], name="MatMul_1"),
            node("Scaled", ["h"], ["s"], domain="own", factor=1.5),
            node("Add", ["x", "s"], ["y"]),
        ],
        opsets,
    )
    nodes = [
        node("Block", ["x", "w0"], ["h"], name="layers.0", domain="own"),
        node("Block", ["h", "w1"], ["g"], name="layers.1", domain="own"),
        node("Scaled", ["g"], ["y"], domain="own", factor=2.0, slope=0.5),
    ]
    graph = helper.make_graph(
        nodes, "functions", [info("x", FLOAT, ["rows", 4])], [info("y", FLOAT, ["rows", 4])],
        [weight("w0", 4, 4), weight("w1", 4, 4)],
    )
    return graph, [scaled, block], opsets


def edges():
    """Where definitions differ at their edges: factors that are rounded away, padding beyond half a window, limits that are
    left out, lengths of zero, places outside."""
    resized = [
        node("Resize", ["x", "", f], [f"r{i}"], mode=mode, nearest_mode="floor",
             coordinate_transformation_mode="asymmetric" if mode == "nearest" else "half_pixel")
        for i, (mode, f) in enumerate((m, f) for m in ("nearest", "linear", "cubic") for f in ("up", "down"))
    ]
    nodes = resized + [
        node("AveragePool", ["x"], ["averaged"], kernel_shape=[3, 3], pads=[2, 2, 2, 2], count_include_pad=1),
        node("MaxPool", ["x"], ["largest"], kernel_shape=[3, 3], pads=[2, 2, 2, 2]),
        node("Clip", ["x"], ["same"]),
        node("Mul", ["x", "mask"], ["masked"]),
        node("LpNormalization", ["masked"], ["unit"], axis=1, p=2),
        node("LpNormalization", ["masked"], ["shares"], axis=1, p=1),
        node("ReduceMax", ["x"], ["top"], axes=[1, 2, 3], keepdims=0),
        node("Mul", ["top", "nothing"], ["zero"]),
        node("Cast", ["zero"], ["start"], to=INT64),
        node("Add", ["start", "places"], ["asked"]),
        node("OneHot", ["asked", "depth", "off_on"], ["hot"]),
        node("GatherElements", ["x", "ends"], ["gathered"], axis=-2),
        node("ScatterElements", ["x", "ends", "gathered"], ["scattered"], axis=-2),
    ]
    mask = np.ones((1, 2, 9, 13), np.float32)
    mask[..., 4] = 0
    constants = [numbers("up", [1, 1, 1.7, 1.7], np.float32), numbers("down", [1, 1, 0.7, 0.7], np.float32),
                 numbers("mask", mask, np.float32), numbers("nothing", 0, np.float32), numbers("places", [1, -1, 7, -9]),
                 numbers("depth", 4), numbers("off_on", [-1, 2], np.float32),
                 numbers("ends", np.resize([-1, 0, 3, -9, 8, -4], (1, 2, 1, 13)))]
    sizes = {"r0": [1, 2, 15, 22], "r1": [1, 2, 6, 9], "averaged": [1, 2, 11, 15], "hot": [4, 4], "gathered": [1, 2, 1, 13]}
    sizes |= {"r2": sizes["r0"], "r3": sizes["r1"], "r4": sizes["r0"], "r5": sizes["r1"], "largest": sizes["averaged"]}
    names = [*(n.output[0] for n in resized), "averaged", "largest", "same", "unit", "shares", "hot", "gathered", "scattered"]
    outputs = [info(name, FLOAT, sizes.get(name, [1, 2, 9, 13])) for name in names]
    return helper.make_graph(nodes, "edges", [info("x", FLOAT, [1, 2, 9, 13])], outputs, constants)


def unmapped():
    """What PyTorch has no operator for, in the middle of what it has; a loop whose turns the data decides."""
    body = helper.make_graph(
        [
            node("Mul", ["v", "two"], ["doubled"]),
            node("ReduceMax", ["doubled"], ["largest"], keepdims=0),
            node("Less", ["largest", "limit"], ["small"]),
        ],
        "body",
        [info("turn", INT64, []), info("going", BOOL, []), info("v", FLOAT, [3, 2, 5])],
        [info("small", BOOL, []), info("doubled", FLOAT, [3, 2, 5])],
    )
    nodes = [
        node("MatMul", ["x", "w"], ["projected"], name="project"),
        node("LSTM", ["projected", "wi", "wr"], ["states"], name="recurrent", hidden_size=5),
        node("Squeeze", ["states", "one"], ["flat"]),
        node("Abs", ["flat"], ["positive"]),
        node("Loop", ["", "yes", "positive"], ["grown"], name="grow", body=body),
        node("Softmax", ["grown"], ["y"], axis=-1),
    ]
    constants = [weight("w", 6, 4), weight("wi", 1, 20, 4), weight("wr", 1, 20, 5), numbers("one", [1]),
                 numbers("two", 2, np.float32), numbers("limit", 3, np.float32), numbers("yes", True, np.bool_)]
    values = [info("flat", FLOAT, [3, 2, 5])]
    return helper.make_graph(nodes, "unmapped", [info("x", FLOAT, [3, 2, 6])], [info("y", FLOAT, [3, 2, 5])], constants,
                             value_info=values)


def quantized():
    """Weights and activations in int8, as quantization tools write them."""
    nodes = [
        node("QuantizeLinear", ["x", "xs", "xz"], ["xq"]),
        node("DequantizeLinear", ["xq", "xs", "xz"], ["xd"]),
        node("DequantizeLinear", ["wq", "ws", "wz"], ["wd"], axis=1),
        node("MatMul", ["xd", "wd"], ["h"]),
        node("Relu", ["h"], ["y"]),
    ]
    constants = [numbers("xs", 0.05, np.float32), numbers("xz", 3, np.int8), numbers("ws", [0.02, 0.03, 0.01], np.float32),
                 numbers("wz", [0, 0, 0], np.int8),
                 numbers("wq", random.integers(-100, 100, (4, 3)), np.int8)]
    graph = helper.make_graph(nodes, "quantized", [info("x", FLOAT, [2, 4])], [info("y", FLOAT, [2, 3])], constants)
    return graph, [], [helper.make_opsetid("", 21)]


def own_operator():
    nodes = [
        node("MatMul", ["x", "w"], ["up"], name="up"),
        node("ScaledRmsNorm", ["up", "scale", "x"], ["first"], name="norm.0", domain="example", eps=1e-5),
        node("ScaledRmsNorm", ["first", "scale"], ["y"], name="norm.1", domain="example", eps=1e-6),
    ]
    graph = helper.make_graph(nodes, "own_operator", [info("x", FLOAT, [3, 8])], [info("y", FLOAT, [3, 8])],
                              [weight("w", 8, 8), weight("scale", 8)])
    return graph, [], [helper.make_opsetid("", 17), helper.make_opsetid("example", 1)]


def own_operator_outputs(inputs, model):
    w, scale = (numpy_helper.to_array(t) for t in model.graph.initializer)

    def norm(v, eps):
        return v / np.sqrt((v.astype(np.float64) ** 2).mean(-1, keepdims=True) + eps) * scale

    x = inputs["x"]
    return [norm(norm(x @ w + x, 1e-5), 1e-6).astype(np.float32)]


CASES = {
    "import/onnx_branches": branches,
    "import/onnx_loops": loops,
    "import/onnx_functions": functions,
    "import/onnx_edges": edges,
    "import_ort/unmapped": unmapped,
    "import_ort/quantized": quantized,
    "custom_onnx_operator": own_operator,
}


def main():
    global random
    for name, make in CASES.items():
        random = np.random.default_rng(0)
        made = make()
        graph, functions, opsets = made if isinstance(made, tuple) else (made, [], [helper.make_opsetid("", 17)])
        model = helper.make_model(graph, opset_imports=opsets, functions=functions, ir_version=10)
        if make is not own_operator:
            onnx.checker.check_model(model)
        inputs = {}
        for value in graph.input:
            dims = [d.dim_value or 3 for d in value.type.tensor_type.shape.dim]
            inputs[value.name] = random.standard_normal(dims).astype(np.float32)
        if make is own_operator:
            outputs = own_operator_outputs(inputs, model)
        elif name.startswith("import_ort/"):
            outputs = ReferenceEvaluator(model).run(None, inputs)
        else:
            outputs = onnxruntime.InferenceSession(model.SerializeToString()).run(None, inputs)
        folder = pathlib.Path(sys.argv[1]) / name
        folder.mkdir(parents=True, exist_ok=True)
        onnx.save(model, folder / "model.onnx")
        save_file(inputs, folder / "inputs.safetensors")
        named = {v.name: np.ascontiguousarray(o).reshape(np.shape(o)) for v, o in zip(graph.output, outputs)}
        save_file(named, folder / "outputs.safetensors")
        print(name, sum(f.stat().st_size for f in folder.iterdir()) // 1024, "KiB")


if __name__ == "__main__":
    main()
