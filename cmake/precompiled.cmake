# Headers that are parsed once instead of in every file. Third parties' alone: a change of our own would compile everything
# anew. Nothing may lean on them: lint compiles sources and headers without (tools/lint_sources.py).
#
# nongemm_precompile(TARGET [FRAMEWORK]): has TARGET use the headers that were precompiled for FRAMEWORK: `base`, `test` or
# `torch`. All are compiled with the flags of nongemm_flags and nothing else, as a compiler takes a precompiled header only
# with the flags it was made with.

# Each is a target of its own with an empty source, for CMake compiles a header only where it compiles a source.
set(nongemm_empty_source ${CMAKE_BINARY_DIR}/generated/empty.cpp)
file(CONFIGURE OUTPUT ${nongemm_empty_source} CONTENT "" @ONLY)

# nongemm_precompiled_headers(FRAMEWORK HEADERS header... [LIBS target...])
function(nongemm_precompiled_headers framework)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "HEADERS;LIBS")
  add_library(nongemm_precompiled_${framework} OBJECT ${nongemm_empty_source})
  target_link_libraries(nongemm_precompiled_${framework} PRIVATE nongemm_flags ${arg_LIBS})
  target_precompile_headers(nongemm_precompiled_${framework} PRIVATE ${arg_HEADERS})
endfunction()

function(nongemm_precompile target framework)
  if(TARGET nongemm_precompiled_${framework})
    target_precompile_headers(${target} REUSE_FROM nongemm_precompiled_${framework})
  endif()
endfunction()

set(nongemm_base_headers
    <algorithm> <array> <cstdint> <filesystem> <fstream> <functional> <map> <memory> <optional> <set> <span> <sstream> <string>
    <string_view> <tuple> <unordered_map> <unordered_set> <utility> <variant> <vector> <fmt/format.h>)

nongemm_precompiled_headers(base HEADERS ${nongemm_base_headers})
if(NONGEMM_TESTS)
  nongemm_precompiled_headers(test HEADERS ${nongemm_base_headers} <gmock/gmock.h> <gtest/gtest.h> LIBS GTest::gmock)
  nongemm_unoptimised(nongemm_precompiled_test)
endif()
if(TARGET Torch::headers)
  nongemm_precompiled_headers(torch
    HEADERS ${nongemm_base_headers} <ATen/Context.h> <ATen/Parallel.h> <ATen/core/Tensor.h> <ATen/core/dispatch/Dispatcher.h>
            <ATen/core/ivalue.h> <c10/core/DeviceGuard.h> <c10/core/InferenceMode.h> <torch/library.h>
    LIBS Torch::headers)
endif()
