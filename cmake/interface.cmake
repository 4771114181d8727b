# What the program and its modules have to agree on: the headers that both sides of the border include. A module says
# which ones it was built with (src/flows/module.cpp), since one of another build would end the program at its first call.
file(GLOB interface_headers
     ${CMAKE_SOURCE_DIR}/src/flows/*.h ${CMAKE_SOURCE_DIR}/src/record/*.h ${CMAKE_SOURCE_DIR}/src/flows/device/*.h ${CMAKE_SOURCE_DIR}/src/flows/torch/cuda/graph.h
     ${CMAKE_SOURCE_DIR}/src/graph/*.h ${CMAKE_SOURCE_DIR}/src/base/dtype.h ${CMAKE_SOURCE_DIR}/src/base/error.h
     ${CMAKE_SOURCE_DIR}/src/spec/device.h ${CMAKE_SOURCE_DIR}/src/spec/runtime_options.h
     ${CMAKE_SOURCE_DIR}/src/base/init_spec.h ${CMAKE_SOURCE_DIR}/src/base/process_state.h ${CMAKE_SOURCE_DIR}/src/base/tensor.h ${CMAKE_SOURCE_DIR}/src/weights/draw.h)
set(interface_hashes)
foreach(header IN LISTS interface_headers)
  file(SHA256 ${header} hash)
  list(APPEND interface_hashes ${hash})
endforeach()
string(SHA256 NONGEMM_INTERFACE "${interface_hashes}")
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${interface_headers})

set(NONGEMM_INTERFACE_SOURCE ${CMAKE_BINARY_DIR}/generated/interface.cpp)
file(CONFIGURE OUTPUT ${NONGEMM_INTERFACE_SOURCE} CONTENT [[
extern "C" __attribute__((visibility("default"))) const char nongemm_interface[];
const char nongemm_interface[] = "@NONGEMM_INTERFACE@";
]] @ONLY)
