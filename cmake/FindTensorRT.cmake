# Finds TensorRT's headers: TENSORRT_ROOT (environment or cache: a folder with NvInfer.h, or with include/), then where
# distribution packages put them. NvOnnxParser.h is needed, too; for TensorRT 8 it may lie in the same folder.
# Defines TensorRT::headers and TensorRT_VERSION. The libraries are loaded at run time.
set(TENSORRT_ROOT "$ENV{TENSORRT_ROOT}" CACHE PATH "TensorRT: a folder with NvInfer.h and NvOnnxParser.h, or with include/")
find_path(TensorRT_INCLUDE_DIR NvInfer.h
          HINTS ${TENSORRT_ROOT} ${TENSORRT_ROOT}/include ${NONGEMM_DEPS}/tensorrt/include
          PATH_SUFFIXES x86_64-linux-gnu NO_CACHE)
find_path(TensorRT_PARSER_DIR NvOnnxParser.h HINTS ${TensorRT_INCLUDE_DIR} PATH_SUFFIXES x86_64-linux-gnu NO_CACHE)

if(TensorRT_INCLUDE_DIR)
  # Newer headers define NV_TENSORRT_MAJOR by way of another macro.
  file(STRINGS ${TensorRT_INCLUDE_DIR}/NvInferVersion.h version_lines
       REGEX "define (NV_TENSORRT|TRT)_(MAJOR|MINOR|PATCH)(_ENTERPRISE)? +[0-9]+")
  set(TensorRT_VERSION)
  foreach(part MAJOR MINOR PATCH)
    string(REGEX MATCH "(NV_TENSORRT|TRT)_${part}(_ENTERPRISE)? +([0-9]+)" match "${version_lines}")
    list(APPEND TensorRT_VERSION ${CMAKE_MATCH_3})
  endforeach()
  list(JOIN TensorRT_VERSION "." TensorRT_VERSION)
endif()

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(TensorRT REQUIRED_VARS TensorRT_INCLUDE_DIR TensorRT_PARSER_DIR
                                  VERSION_VAR TensorRT_VERSION
                                  REASON_FAILURE_MESSAGE "the tensorrt flow is left out (TENSORRT_ROOT names a folder with its headers)")

if(TensorRT_FOUND AND NOT TARGET TensorRT::headers)
  add_library(TensorRT::headers INTERFACE IMPORTED)
  target_include_directories(TensorRT::headers SYSTEM INTERFACE ${TensorRT_INCLUDE_DIR} ${TensorRT_PARSER_DIR})
endif()
