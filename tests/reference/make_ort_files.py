"""Small ONNX models that the ort flow's tests read: src/flows/ort/test_data/. Needs the onnx package."""

import pathlib

import onnx
from onnx import TensorProto, helper

FOLDER = pathlib.Path(__file__).parents[2] / "src/flows/ort/test_data"


def loop_model():
    """x is scaled three times in a loop, whose body takes the factor from outside."""
    value = lambda name, shape: helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
    count = helper.make_tensor_value_info("i", TensorProto.INT64, [])
    go_on = helper.make_tensor_value_info("go", TensorProto.BOOL, [])
    went_on = helper.make_tensor_value_info("goes", TensorProto.BOOL, [])
    body = helper.make_graph(
        [
            helper.make_node("Mul", ["carried", "scale"], ["n1/v2"], name="n1//aten.mul"),
            helper.make_node("Identity", ["go"], ["goes"], name="n0//foreach"),
        ],
        "body",
        [count, go_on, value("carried", [2])],
        [went_on, value("n1/v2", [2])],
    )
    loop = helper.make_node("Loop", ["trips", "", "x"], ["y"], name="n0//foreach.2", body=body)
    graph = helper.make_graph(
        [loop],
        "loop",
        [value("x", [2])],
        [value("y", [2])],
        [
            helper.make_tensor("trips", TensorProto.INT64, [], [3]),
            helper.make_tensor("scale", TensorProto.FLOAT, [], [0.5]),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 8
    onnx.checker.check_model(model)
    return model


if __name__ == "__main__":
    FOLDER.mkdir(parents=True, exist_ok=True)
    onnx.save(loop_model(), FOLDER / "loop.onnx")
