# Finds ONNX Runtime: NONGEMM_ORT (environment or cache: a folder with include/ and lib/), then ${NONGEMM_DEPS}/onnxruntime.
# Defines Ort::headers (the C API headers). The library is loaded at run time; OrtWheel_LIBRARY_DIR says where it lies.
set(NONGEMM_ORT "$ENV{NONGEMM_ORT}" CACHE PATH "An existing ONNX Runtime: a folder with include/ and lib/")
if(NONGEMM_ORT)
  set(ort_root ${NONGEMM_ORT})
else()
  set(ort_root ${NONGEMM_DEPS}/onnxruntime)
endif()

find_path(OrtWheel_INCLUDE_DIR onnxruntime_c_api.h
          PATHS ${ort_root}/include ${ort_root}/include/onnxruntime ${ort_root}/include/onnxruntime/core/session
          NO_DEFAULT_PATH NO_CACHE)
find_path(OrtWheel_LIBRARY_DIR libonnxruntime.so.1 PATHS ${ort_root}/lib ${ort_root}/capi NO_DEFAULT_PATH NO_CACHE)

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(OrtWheel REQUIRED_VARS OrtWheel_INCLUDE_DIR
                                  REASON_FAILURE_MESSAGE "no ONNX Runtime in ${ort_root}: the onnxruntime flow is left out")

if(OrtWheel_FOUND AND NOT TARGET Ort::headers)
  add_library(Ort::headers INTERFACE IMPORTED)
  target_include_directories(Ort::headers INTERFACE ${OrtWheel_INCLUDE_DIR})
endif()
