# What `pip wheel` needs besides a build (scikit-build-core has set SKBUILD): the libraries to build against, fetched as
# ./nongemm fetches them, and the certainty that they are the ones that the wheel will ask for.
if(NOT NONGEMM_TORCH AND NOT DEFINED ENV{NONGEMM_TORCH})
  execute_process(COMMAND ${CMAKE_SOURCE_DIR}/tools/setup.sh --libraries RESULT_VARIABLE status)
  if(NOT status EQUAL 0)
    message(FATAL_ERROR "the libraries that a wheel is built against could not be fetched: see above")
  endif()
endif()
find_package(TorchWheel REQUIRED)
find_package(OrtWheel REQUIRED)

# The loader takes libonnxruntime.so.1 of any later release; LibTorch's C++ interface is one release's own.
file(STRINGS ${TorchWheel_ROOT}/include/torch/headeronly/version.h lines REGEX "define TORCH_VERSION_(MAJOR|MINOR|PATCH) ")
string(REGEX MATCHALL "[0-9]+" numbers "${lines}")
list(JOIN numbers "." built_torch)
file(GLOB built_ort RELATIVE ${OrtWheel_LIBRARY_DIR} ${OrtWheel_LIBRARY_DIR}/libonnxruntime.so.1.*)
string(REPLACE "libonnxruntime.so." "" built_ort "${built_ort}")
file(READ ${CMAKE_SOURCE_DIR}/pyproject.toml project)
foreach(package IN ITEMS "torch==${built_torch}" "onnxruntime==${built_ort}")
  if(NOT project MATCHES "\"${package}\"")
    message(FATAL_ERROR "this build is against ${package}, which is not what pyproject.toml has the wheel depend on: "
                        "write it there, or build against the other (NONGEMM_TORCH, NONGEMM_ORT, tools/wheels.txt)")
  endif()
endforeach()
