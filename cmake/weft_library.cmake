# weft_library(<folder> [KERNELS] [LINK <target>...] [TEST_LINK <target>...]
#   [TEST_HEADERS <header>...]): the library and the tests of one folder.
#
# Every *.cc of the folder goes into weft_<folder> (slashes become underscores), every *_test.cc
# into the test program <folder>_test, every *_benchmark.cc into <folder>_benchmark. With KERNELS,
# each *_kernels.cc is compiled by nvcc as well when WEFT_CUDA is on (through a generated one-line
# .cu file, because a source file can have only one language). Labels follow from test names: a
# suite with "Threads" in its name is labelled `threads`, one with "Long" `long`, one with "Device"
# `gpu`.
function(weft_library folder)
  cmake_parse_arguments(ARG "KERNELS" "" "LINK;TEST_LINK;TEST_HEADERS" ${ARGN})
  string(REPLACE "/" "_" name ${folder})
  set(directory ${PROJECT_SOURCE_DIR}/${folder})
  file(GLOB sources CONFIGURE_DEPENDS ${directory}/*.cc)
  set(tests ${sources})
  set(benchmarks ${sources})
  list(FILTER sources EXCLUDE REGEX "_(test|benchmark|fuzz)\\.cc$")
  list(FILTER tests INCLUDE REGEX "_test\\.cc$")
  list(FILTER benchmarks INCLUDE REGEX "_benchmark\\.cc$")

  if(sources)
    add_library(weft_${name} STATIC ${sources})
    set(visibility PUBLIC)
    # Most of a file's time goes into headers. Kernels stay apart, as nvcc has them; some are for
    # one kind of processor.
    set(apart ${sources})
    list(FILTER apart INCLUDE REGEX "(_kernels|_avx2|_avx512)\\.cc$")
    set_source_files_properties(${apart} TARGET_DIRECTORY weft_${name}
      PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON)
    set_target_properties(weft_${name} PROPERTIES UNITY_BUILD ${WEFT_UNITY})
  else()
    add_library(weft_${name} INTERFACE)
    set(visibility INTERFACE)
  endif()
  target_link_libraries(weft_${name} ${visibility} weft_flags ${ARG_LINK})
  if(ARG_KERNELS)
    target_link_libraries(weft_${name} ${visibility} TBB::tbb Threads::Threads)
    weft_cuda_kernels(weft_${name} ${visibility} "${sources}")
  endif()
  if(tests)
    weft_test(${name}_test SOURCES ${tests} LINK weft_${name} ${ARG_TEST_LINK}
      HEADERS ${ARG_TEST_HEADERS})
  endif()
  if(benchmarks)
    add_executable(${name}_benchmark ${benchmarks})
    target_link_libraries(${name}_benchmark PRIVATE weft_${name} benchmark::benchmark_main)
  endif()
endfunction()

# weft_test(<name> SOURCES <file>... [LINK <target>...] [HEADERS <header>...]): a GoogleTest
# program, one CTest test per TEST. HEADERS are precompiled beside those of every test.
function(weft_test name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LINK;HEADERS" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE ${ARG_LINK} weft_flags GTest::gmock GTest::gtest_main)
  list(LENGTH ARG_SOURCES count)
  set(headers <gmock/gmock.h> <gtest/gtest.h> <absl/status/statusor.h> <algorithm> <map> <random>
    <string> <vector>)
  if(ARG_HEADERS)
    target_precompile_headers(${name} PRIVATE ${headers} ${ARG_HEADERS})
  elseif(count GREATER 1)
    weft_test_headers("${headers}")
    target_precompile_headers(${name} REUSE_FROM weft_test_headers)
  endif()
  set(common DISCOVERY_MODE PRE_TEST DISCOVERY_TIMEOUT 60
      WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
  gtest_discover_tests(${name} ${common} TEST_FILTER "*Threads*.*:-*Long*.*"
    TEST_SUFFIX "" TEST_LIST ${name}_threads PROPERTIES LABELS threads TIMEOUT 300)
  gtest_discover_tests(${name} ${common} TEST_FILTER "*Device*.*:-*Long*.*"
    TEST_LIST ${name}_device PROPERTIES LABELS gpu TIMEOUT 300)
  gtest_discover_tests(${name} ${common} TEST_FILTER "*Long*.*"
    TEST_LIST ${name}_long PROPERTIES LABELS long TIMEOUT 7200)
  gtest_discover_tests(${name} ${common} TEST_FILTER "*:-*Threads*.*:*Device*.*:*Long*.*"
    TEST_LIST ${name}_rest PROPERTIES TIMEOUT 300)
endfunction()

# What every test includes, compiled once for all of them.
function(weft_test_headers headers)
  if(TARGET weft_test_headers)
    return()
  endif()
  set(source ${PROJECT_BINARY_DIR}/test_headers.cc)
  file(CONFIGURE OUTPUT ${source} CONTENT "")
  add_executable(weft_test_headers EXCLUDE_FROM_ALL ${source})
  target_link_libraries(weft_test_headers PRIVATE weft_flags GTest::gmock GTest::gtest_main)
  target_precompile_headers(weft_test_headers PRIVATE ${headers})
endfunction()

# Adds the nvcc-compiled half of a library whose kernels are in *_kernels.cc.
function(weft_cuda_kernels target visibility sources)
  if(NOT WEFT_CUDA)
    return()
  endif()
  target_compile_definitions(${target} ${visibility} WEFT_CUDA=1)
  target_link_libraries(${target} ${visibility} CUDA::cudart_static)
  foreach(source IN LISTS sources)
    if(source MATCHES "_kernels\\.cc$")
      get_filename_component(stem ${source} NAME_WE)
      set(stub ${CMAKE_CURRENT_BINARY_DIR}/${target}/${stem}.cu)
      file(CONFIGURE OUTPUT ${stub} CONTENT "#include \"${source}\"\n")
      target_sources(${target} PRIVATE ${stub})
    endif()
  endforeach()
  target_compile_options(${target} PRIVATE
    $<$<COMPILE_LANGUAGE:CUDA>:-fmad=false -Werror=all-warnings>)
endfunction()
