# Compiler flags, sanitizers and the linker: everything that is the same for every target of the project.

add_library(nongemm_flags INTERFACE)
target_include_directories(nongemm_flags INTERFACE ${CMAKE_SOURCE_DIR}/src ${CMAKE_BINARY_DIR}/generated)
# Programs, too, although -fPIE would do for them: headers are precompiled once for both.
target_compile_options(nongemm_flags INTERFACE -fPIC -Wall -Wextra)
# gcc 12 warns of overlapping copies inside std::string that cannot happen (GCC bug 105651), and gcc 13 of references
# into containers that were found through a temporary iterator or name; gcc 14 knows better.
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  target_compile_options(nongemm_flags INTERFACE -Wno-restrict)
  # More of that kind, which gcc keeps to itself in a system's header but not where that header was precompiled.
  target_compile_options(nongemm_flags INTERFACE -Wno-array-bounds -Wno-stringop-overflow -Wno-stringop-overread)
  if(CMAKE_CXX_COMPILER_VERSION VERSION_GREATER_EQUAL 13 AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 14)
    target_compile_options(nongemm_flags INTERFACE -Wno-dangling-reference)
  endif()
endif()
# gcc says that of what a file has to itself wherever the file is not the one on the command line.
if(NONGEMM_QUICK_BUILD AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  target_compile_options(nongemm_flags INTERFACE -Wno-subobject-linkage)
endif()
if(NONGEMM_WERROR)
  # A precompiled header that the compiler does not take costs time and nothing else.
  target_compile_options(nongemm_flags INTERFACE -Werror -Wno-error=invalid-pch)
endif()

if(NONGEMM_SANITIZE)
  add_compile_options(-fsanitize=${NONGEMM_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${NONGEMM_SANITIZE})
  # What sanitizers add to the code makes gcc see paths that leave variables unset, as its manual says of this warning.
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    add_compile_options(-Wno-maybe-uninitialized)
  endif()
endif()

if(NONGEMM_FUZZ)
  if(NOT CMAKE_CXX_COMPILER_ID MATCHES Clang)
    message(FATAL_ERROR "fuzzing needs clang, not ${CMAKE_CXX_COMPILER_ID}: use the preset fuzz")
  endif()
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()

# Threads, dlopen.
find_package(Threads REQUIRED)

# GNU ld needs seconds for what the others link in a fraction of one. LLD is not among them with gcc: gcc 12 describes the
# empty cold parts of functions by unwind entries of length 0, and LLD 14 keeps one entry for an address, maybe that one,
# so that an exception ends the program where it passes (tools/check_unwind.py looks for that in what was built).
set(NONGEMM_LINKER "" CACHE STRING "mold, gold, bfd or lld; the first of mold and gold that is there when empty")
include(CheckLinkerFlag)
if(NONGEMM_LINKER)
  set(nongemm_linkers ${NONGEMM_LINKER})
elseif(CMAKE_CXX_COMPILER_ID MATCHES Clang)
  set(nongemm_linkers mold lld gold)
else()
  set(nongemm_linkers mold gold)
endif()
set(nongemm_linker "the compiler's own")
foreach(linker IN LISTS nongemm_linkers)
  check_linker_flag(CXX -fuse-ld=${linker} NONGEMM_HAS_${linker})
  if(NONGEMM_HAS_${linker})
    add_link_options(-fuse-ld=${linker})
    set(nongemm_linker ${linker})
    break()
  endif()
endforeach()
if(NONGEMM_LINKER AND NOT nongemm_linker STREQUAL NONGEMM_LINKER)
  message(FATAL_ERROR "the linker ${NONGEMM_LINKER} was asked for, and ${CMAKE_CXX_COMPILER} cannot use it")
endif()
# What differs from machine to machine, in one line that logs keep and tools/setup.sh says.
set(nongemm_launcher "no ccache")
if(CMAKE_CXX_COMPILER_LAUNCHER)
  list(GET CMAKE_CXX_COMPILER_LAUNCHER -1 nongemm_launcher)
endif()
set(NONGEMM_TOOLCHAIN "${CMAKE_CXX_COMPILER_ID} ${CMAKE_CXX_COMPILER_VERSION}, linker ${nongemm_linker}, ${nongemm_launcher}")
message(STATUS "toolchain: ${NONGEMM_TOOLCHAIN}")
file(WRITE ${CMAKE_BINARY_DIR}/toolchain.txt "${NONGEMM_TOOLCHAIN}\n")
