# The kinds of targets the project has. Every folder of src/ uses these functions, so that flags, output folders and run
# paths are decided here alone.

# The program and its modules, without tests: what ./nongemm builds.
add_custom_target(runtime)
# The same without what only a CUDA device can use: what it builds where there is no NVIDIA driver.
add_custom_target(host_runtime)
add_dependencies(runtime host_runtime)
# Every fuzz target.
add_custom_target(fuzzers)

# Libraries that build, read and write descriptions: a run spends no time in them. -O1 compiles them in four fifths of the
# time. Not among them: whatever goes through tensors, weights, events of traces or a session.
set(nongemm_unhurried
    nongemm nongemm_compare nongemm_generate nongemm_import nongemm_import_files nongemm_lowering nongemm_models
    nongemm_passes nongemm_prepare nongemm_programs nongemm_report nongemm_spec nongemm_studies nongemm_study)

# nongemm_quick_build(TARGET BATCH [file...]): where NONGEMM_QUICK_BUILD is on, BATCH sources of TARGET go to one call of the
# compiler, except the files that are named: what these call as others in the target do would get into each other's way.
# tools/lint_unity.py looks for that, whichever files meet in today's batches.
#
# Half of what a file takes goes to headers, to what they have the compiler instantiate and to code for it that the linker
# throws away as soon as another file has brought the same.
function(nongemm_quick_build target batch)
  if(NOT NONGEMM_QUICK_BUILD)
    return()
  endif()
  set_target_properties(${target} PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE ${batch})
  set_source_files_properties(${ARGN} PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON)
  if(target IN_LIST nongemm_unhurried)
    nongemm_little_optimised(${target})
  endif()
endfunction()

# nongemm_little_optimised(TARGET): -O1, where NONGEMM_QUICK_BUILD is on.
function(nongemm_little_optimised target)
  if(NONGEMM_QUICK_BUILD)
    # At -O1 gcc sees paths that leave variables unset, as its manual says of this warning; -O2 knows better.
    target_compile_options(${target} PRIVATE -O1)
    if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
      target_compile_options(${target} PRIVATE -Wno-maybe-uninitialized)
    endif()
  endif()
endfunction()

# nongemm_unoptimised(TARGET): -O0, where NONGEMM_QUICK_BUILD is on. For tests, and what they precompile: a compiler takes a
# precompiled header only if both are optimised, or neither.
function(nongemm_unoptimised target)
  if(NONGEMM_QUICK_BUILD)
    target_compile_options(${target} PRIVATE -O0)
  endif()
endfunction()

# nongemm_library(NAME SOURCES file... [ALONE file...] [LIBS target...]): a static library; without sources a header-only one.
function(nongemm_library name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;ALONE;LIBS")
  if(arg_SOURCES)
    add_library(${name} STATIC ${arg_SOURCES} ${arg_ALONE})
    target_link_libraries(${name} PUBLIC nongemm_flags ${arg_LIBS})
    nongemm_precompile(${name} base)
    nongemm_quick_build(${name} 12 ${arg_ALONE})
  else()
    add_library(${name} INTERFACE)
    target_link_libraries(${name} INTERFACE nongemm_flags ${arg_LIBS})
  endif()
endfunction()

# nongemm_program(NAME SOURCES file... [ALONE file...] [LIBS target...]): an installed program, bin/NAME.
function(nongemm_program name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;ALONE;LIBS")
  add_executable(${name} ${arg_SOURCES} ${arg_ALONE})
  target_link_libraries(${name} PRIVATE nongemm_flags ${arg_LIBS} ${CMAKE_DL_LIBS})
  nongemm_precompile(${name} base)
  nongemm_quick_build(${name} 12 ${arg_ALONE})
  add_dependencies(host_runtime ${name})
  install(TARGETS ${name} RUNTIME DESTINATION ${NONGEMM_INSTALL_PROGRAM})
endfunction()

# nongemm_flow(NAME SOURCES file... [ALONE file...] [LIBS target...] [REQUIRES target...] [RPATH folder...])
#
# A flow is a module, lib/nongemm/libnongemm_flow_NAME.so, that the program loads when the flow is asked for: the program
# itself links no framework and starts at once. Left out, with a note, when a target named in REQUIRES is missing.
# Tests link the same objects as nongemm_flow_NAME. Folders in RPATH are searched for shared libraries at run time.
function(nongemm_flow name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;ALONE;LIBS;REQUIRES;RPATH")
  foreach(required IN LISTS arg_REQUIRES)
    if(NOT TARGET ${required})
      message(STATUS "flow ${name}: left out, ${required} was not found")
      return()
    endif()
  endforeach()

  set(objects nongemm_flow_${name})
  add_library(${objects} OBJECT ${arg_SOURCES} ${arg_ALONE})
  target_link_libraries(${objects} PUBLIC nongemm_flags ${arg_LIBS} ${arg_REQUIRES} ${CMAKE_DL_LIBS})
  if(TARGET nongemm_precompiled_${name})
    nongemm_precompile(${objects} ${name})
  else()
    nongemm_precompile(${objects} base)
  endif()
  nongemm_quick_build(${objects} 6 ${arg_ALONE})

  set(module nongemm_flow_${name}_module)
  add_library(${module} MODULE ${NONGEMM_INTERFACE_SOURCE} ${CMAKE_SOURCE_DIR}/src/flows/attach.cpp)
  target_link_libraries(${module} PRIVATE ${objects})
  # What the module takes from static libraries stays its own; whatever it does not resolve is an error here, not at run
  # time, except inside the frameworks' libraries.
  target_link_options(${module} PRIVATE -Wl,--exclude-libs,ALL -Wl,-z,defs
                                        -Wl,--unresolved-symbols=ignore-in-shared-libs)
  set_target_properties(${module} PROPERTIES OUTPUT_NAME nongemm_flow_${name}
                                             LIBRARY_OUTPUT_DIRECTORY ${NONGEMM_MODULE_DIR}
                                             BUILD_RPATH "${arg_RPATH}")
  nongemm_install_rpath(${module} ${arg_RPATH})
  add_dependencies(host_runtime ${module})
  install(TARGETS ${module} LIBRARY DESTINATION ${NONGEMM_INSTALL_MODULES})
endfunction()

# What a test needs beyond its program when sanitizers watch it.
function(nongemm_sanitized_test name)
  if(NOT NONGEMM_SANITIZE)
    return()
  endif()
  # Up to gcc 13 the runtime looks for a header before thread-local blocks that glibc has not written since 2.25, and where
  # something there looks like one, LeakSanitizer's tracer dies of it: not to see these blocks at all avoids that.
  # AddressSanitizer's dlopen stands in for libc's and has the loader search its own run path instead of our module's.
  set_tests_properties(${name} PROPERTIES
    ENVIRONMENT "ASAN_OPTIONS=intercept_tls_get_addr=0;UBSAN_OPTIONS=print_stacktrace=1;LSAN_OPTIONS=suppressions=${CMAKE_SOURCE_DIR}/tests/leaks.supp:print_suppressions=0"
    ENVIRONMENT_MODIFICATION "LD_LIBRARY_PATH=path_list_append:${OrtWheel_LIBRARY_DIR}")
endfunction()

# In a header, not on command lines: what does not need them compiles alike in every checkout, and ccache sees it.
file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/generated/test_paths.h CONTENT [[
#pragma once
#define NONGEMM_SHARED_DIR "@NONGEMM_SHARED_DIR@"
#define NONGEMM_SOURCE_DIR "@CMAKE_SOURCE_DIR@"
#define NONGEMM_BINARY_DIR "@CMAKE_BINARY_DIR@"
]] @ONLY)

# The main function of all test programs: a skipped test fails unless tests/skips.txt excuses it.
if(NONGEMM_TESTS)
  add_library(nongemm_test_main STATIC ${CMAKE_SOURCE_DIR}/tests/test_main.cpp ${CMAKE_SOURCE_DIR}/tests/skips.cpp)
  target_link_libraries(nongemm_test_main PUBLIC GTest::gmock PRIVATE nongemm_flags)
endif()

# nongemm_test(NAME SOURCES file... [LIBS target...] [LABELS label...] [TIMEOUT seconds])
#
# One GoogleTest program and one ctest entry, run in the source folder. "test_paths.h" has NONGEMM_SHARED_DIR (fixtures),
# NONGEMM_SOURCE_DIR and NONGEMM_BINARY_DIR (bin/nongemm lies there) as string macros. Labels: "gpu" for tests that need
# a device; they are left out on machines without one.
function(nongemm_test name)
  if(NOT NONGEMM_TESTS)
    return()
  endif()
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "TIMEOUT" "SOURCES;LIBS;LABELS")
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 600)
  endif()
  add_executable(${name} ${arg_SOURCES})
  target_link_libraries(${name} PRIVATE nongemm_flags ${arg_LIBS} nongemm_test_main ${CMAKE_DL_LIBS})
  nongemm_precompile(${name} test)
  nongemm_unoptimised(${name})  # -O1 takes half as much again for all of these files
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
  add_test(NAME ${name} COMMAND ${name} --gtest_brief=1 WORKING_DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR})
  set_tests_properties(${name} PROPERTIES TIMEOUT ${arg_TIMEOUT} LABELS "${arg_LABELS}")
  nongemm_sanitized_test(${name})
endfunction()

# nongemm_test_again(ENTRY PROGRAM [FILTER pattern] [ENVIRONMENT NAME=value...] [LABELS label...])
#
# A further ctest entry of a test program: some of its tests (GoogleTest's filter), or all of them elsewhere.
function(nongemm_test_again entry program)
  if(NOT TARGET ${program} OR NOT NONGEMM_TESTS)
    return()
  endif()
  cmake_parse_arguments(PARSE_ARGV 2 arg "" "FILTER" "ENVIRONMENT;LABELS")
  set(filter)
  if(arg_FILTER)
    set(filter "--gtest_filter=${arg_FILTER}")
  endif()
  add_test(NAME ${entry} COMMAND ${program} --gtest_brief=1 ${filter} WORKING_DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR})
  set_tests_properties(${entry} PROPERTIES TIMEOUT 600 LABELS "${arg_LABELS}")
  nongemm_sanitized_test(${entry})
  foreach(variable IN LISTS arg_ENVIRONMENT)
    string(REPLACE "=" "=set:" modification ${variable})
    set_property(TEST ${entry} APPEND PROPERTY ENVIRONMENT_MODIFICATION ${modification})
  endforeach()
endfunction()

# nongemm_fuzzer(NAME SOURCES file... [LIBS target...])
#
# A fuzz target: LLVMFuzzerTestOneInput over one reader of untrusted input. In the fuzz preset (clang) it is a libFuzzer
# program, bin/NAME, to be started by hand: `build/fuzz/bin/NAME FOLDER/corpus/NAME`. Everywhere else the same source is a test
# that replays the files in the folder corpus/NAME beside it, so that what fuzzing found stays found.
function(nongemm_fuzzer name)
  if(NOT NONGEMM_TESTS AND NOT NONGEMM_FUZZ)
    return()
  endif()
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;LIBS")
  add_executable(${name} ${arg_SOURCES})
  target_link_libraries(${name} PRIVATE nongemm_flags ${arg_LIBS})
  add_dependencies(fuzzers ${name})
  if(NONGEMM_FUZZ)
    target_link_options(${name} PRIVATE -fsanitize=fuzzer)
    return()
  endif()
  target_sources(${name} PRIVATE ${CMAKE_SOURCE_DIR}/cmake/fuzz_replay.cpp)
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
  add_test(NAME ${name} COMMAND ${name} corpus/${name} WORKING_DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR})
  set_tests_properties(${name} PROPERTIES TIMEOUT 600 LABELS fuzz)
  nongemm_sanitized_test(${name})
endfunction()
