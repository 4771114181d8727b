#include "flows/inductor/compile_script.h"

namespace nongemm::inductor_flow {

// Provenance says which nodes a kernel computes (kernel_information.json in the package); what torch sums up by kernel
// is kept by each of its parts as well ("sources"), since a view in a kernel is no sign that it computes the view's
// origin. On the host every kernel is bracketed with a RecordFunction, which costs nothing while nobody listens; on
// CUDA the brackets gather their arguments in each launch, and CUPTI tells kernels by name anyway.
const char* const kCompileScript = R"python(
import json
import sys


def main():
    request = json.loads(sys.argv[1])
    import torch
    import torch._inductor.config as config

    try:
        import torchvision  # operators of detection models
    except Exception:
        pass
    on_host = request["device"] == "cpu"
    if not on_host and not torch.cuda.is_available():
        raise RuntimeError("the torch of this Python finds no CUDA device")
    if request["threads"] > 0:
        torch.set_num_threads(request["threads"])
    config.trace.provenance_tracking_level = 1
    config.cpp.enable_kernel_profile = on_host
    # A number written into its code, which a mask then chooses, is C++ that no compiler takes (Swin's masks).
    config.always_keep_tensor_constants = on_host
    if request["mode"] == "max-autotune":
        config.max_autotune = True
        config.coordinate_descent_tuning = True
    import torch._inductor.debug as debug

    plain = debug.create_kernel_information_json

    def with_sources():
        kernels = plain()
        sources = debug._inductor_post_to_pre_grad_nodes.get("postToPre", {})
        for kernel in kernels.values():
            kernel["sources"] = {node: sources.get(node, []) for node in kernel["post_grad_nodes"]}
        return kernels

    debug.create_kernel_information_json = with_sources
    print("loading", flush=True)
    program = torch.export.load(sys.argv[2])
    if not on_host:
        from torch.export.passes import move_to_device_pass

        program = move_to_device_pass(program, request["device"])
    print("compiling", flush=True)
    with torch.no_grad():
        torch._inductor.aoti_compile_and_package(program, package_path=sys.argv[3])


try:
    main()
except BaseException as error:
    import traceback

    traceback.print_exc()
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    print("error: %s: %s" % (type(error).__name__, " ".join(lines)[:600]), flush=True)
    sys.exit(3)
)python";

}  // namespace nongemm::inductor_flow
