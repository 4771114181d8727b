# What the program and its modules have to agree on: the headers that both sides of the border include. A module says
# which ones it was built with (src/flows/module.cpp), since one of another build would end the program at its first call.
file(GLOB interface_headers
     ${CMAKE_SOURCE_DIR}/src/flows/*.h ${CMAKE_SOURCE_DIR}/src/record/*.h ${CMAKE_SOURCE_DIR}/src/flows/device/*.h ${CMAKE_SOURCE_DIR}/src/flows/torch/cuda/graph.h
     ${CMAKE_SOURCE_DIR}/src/graph/*.h ${CMAKE_SOURCE_DIR}/src/base/dtype.h ${CMAKE_SOURCE_DIR}/src/base/error.h
     ${CMAKE_SOURCE_DIR}/src/spec/device.h ${CMAKE_SOURCE_DIR}/src/spec/runtime_options.h
     ${CMAKE_SOURCE_DIR}/src/base/init_spec.h ${CMAKE_SOURCE_DIR}/src/base/process_state.h ${CMAKE_SOURCE_DIR}/src/base/tensor.h ${CMAKE_SOURCE_DIR}/src/weights/draw.h)

# nongemm_hash_headers(VARIABLE header...): configured again when one of them changes.
function(nongemm_hash_headers variable)
  set(hashes)
  foreach(header IN LISTS ARGN)
    file(SHA256 ${header} hash)
    list(APPEND hashes ${hash})
  endforeach()
  string(SHA256 hash "${hashes}")
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${ARGN})
  set(${variable} ${hash} PARENT_SCOPE)
endfunction()
nongemm_hash_headers(NONGEMM_INTERFACE ${interface_headers})

set(NONGEMM_INTERFACE_SOURCE ${CMAKE_BINARY_DIR}/generated/interface.cpp)
file(CONFIGURE OUTPUT ${NONGEMM_INTERFACE_SOURCE} CONTENT [[
extern "C" __attribute__((visibility("default"))) const char nongemm_interface[];
const char nongemm_interface[] = "@NONGEMM_INTERFACE@";
]] @ONLY)
