# Third-party libraries. Distribution packages come through CMake or pkg-config; torch and ONNX Runtime from PyPI wheels.
# A package that only some folders need is a target that may be missing: deps::NAME.
find_package(PkgConfig REQUIRED)
find_package(fmt REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(CLI11 REQUIRED)
find_package(PNG REQUIRED)
find_package(ZLIB REQUIRED)
# It defines a macro for those who link it, and what every target precompiles has to be compiled with the same macros.
target_link_libraries(nongemm_flags INTERFACE fmt::fmt)

# nongemm_pkg_config(NAME MODULE): target deps::NAME from the pkg-config module MODULE.
function(nongemm_pkg_config name module)
  pkg_check_modules(${name} REQUIRED IMPORTED_TARGET GLOBAL ${module})
  add_library(deps::${name} ALIAS PkgConfig::${name})
endfunction()

nongemm_pkg_config(jpeg libjpeg)
nongemm_pkg_config(pcre2 libpcre2-8)
nongemm_pkg_config(sqlite3 sqlite3)
nongemm_pkg_config(utf8proc libutf8proc)
nongemm_pkg_config(tomlplusplus tomlplusplus)

# Header only, without a CMake or pkg-config file.
find_path(PROTOZERO_INCLUDE_DIR protozero/pbf_reader.hpp REQUIRED)
add_library(deps_protozero INTERFACE IMPORTED GLOBAL)
target_include_directories(deps_protozero INTERFACE ${PROTOZERO_INCLUDE_DIR})
add_library(deps::protozero ALIAS deps_protozero)

if(NONGEMM_TESTS)
  find_package(GTest REQUIRED)
endif()
if(NONGEMM_BENCHMARKS)
  find_package(benchmark QUIET)
endif()

find_package(TorchWheel)
find_package(OrtWheel)
find_package(TensorRT)
