# Finds the C++ part of a PyTorch installation without its TorchConfig.cmake, which wants a whole CUDA toolkit.
#
# Looked for in NONGEMM_TORCH (environment or cache: a libtorch folder, a site-packages/torch folder or a Python
# environment) and then in ${NONGEMM_DEPS}/torch.
#
# Defines Torch::cpu (libtorch_cpu and libc10 with the ATen headers), Torch::headers (headers alone) and
# TorchWheel_LIBRARY_DIR.
set(NONGEMM_TORCH "$ENV{NONGEMM_TORCH}" CACHE PATH "An existing torch: libtorch, site-packages/torch or a Python environment")

set(torch_candidates)
if(NONGEMM_TORCH)
  file(GLOB torch_candidates ${NONGEMM_TORCH} ${NONGEMM_TORCH}/torch ${NONGEMM_TORCH}/libtorch
       ${NONGEMM_TORCH}/lib/python3*/site-packages/torch ${NONGEMM_TORCH}/lib/python3*/dist-packages/torch)
  set(torch_hint "NONGEMM_TORCH=${NONGEMM_TORCH} holds no torch: expected include/ATen and lib/libtorch_cpu.so there")
else()
  set(torch_candidates ${NONGEMM_DEPS}/torch)
  set(torch_hint "no torch in ${NONGEMM_DEPS}: run ./nongemm, which fetches it, or set NONGEMM_TORCH")
endif()

find_path(TorchWheel_ROOT include/ATen/core/dispatch/Dispatcher.h PATHS ${torch_candidates} NO_DEFAULT_PATH NO_CACHE)
if(TorchWheel_ROOT)
  string(REGEX REPLACE "/$" "" TorchWheel_ROOT ${TorchWheel_ROOT})
  find_library(TorchWheel_CPU torch_cpu PATHS ${TorchWheel_ROOT}/lib NO_DEFAULT_PATH NO_CACHE)
  find_library(TorchWheel_C10 c10 PATHS ${TorchWheel_ROOT}/lib NO_DEFAULT_PATH NO_CACHE)
endif()

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(TorchWheel REQUIRED_VARS TorchWheel_ROOT TorchWheel_CPU TorchWheel_C10
                                  REASON_FAILURE_MESSAGE ${torch_hint})

# Who names a torch wants that one or an error; without one there are still the commands that need none.
if(NONGEMM_TORCH AND NOT TorchWheel_FOUND)
  message(FATAL_ERROR ${torch_hint})
endif()

if(TorchWheel_FOUND AND NOT TARGET Torch::cpu)
  set(TorchWheel_LIBRARY_DIR ${TorchWheel_ROOT}/lib)
  # cuda_runtime_api.h and cupti.h for the CUDA module; beside torch in the wheels' own layout.
  file(GLOB TorchWheel_CUDA_INCLUDE_DIR ${TorchWheel_ROOT}/../nvidia/cu13/include)

  add_library(Torch::headers INTERFACE IMPORTED)
  target_include_directories(Torch::headers INTERFACE ${TorchWheel_ROOT}/include
                                                      ${TorchWheel_ROOT}/include/torch/csrc/api/include)
  add_library(Torch::c10 SHARED IMPORTED)
  set_target_properties(Torch::c10 PROPERTIES IMPORTED_LOCATION ${TorchWheel_C10})
  add_library(Torch::cpu SHARED IMPORTED)
  set_target_properties(Torch::cpu PROPERTIES IMPORTED_LOCATION ${TorchWheel_CPU})
  target_link_libraries(Torch::cpu INTERFACE Torch::c10 Torch::headers)
  # libtorch_cpu names libcudart and libcupti, which its own RPATH finds when it is loaded, not while linking.
  target_link_options(Torch::cpu INTERFACE -Wl,--unresolved-symbols=ignore-in-shared-libs)
endif()
