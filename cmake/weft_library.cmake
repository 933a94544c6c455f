# weft_library(<folder> [KERNELS] [LINK <target>...]): the library and the tests of one folder.
#
# Every *.cc of the folder goes into weft_<folder> (slashes become underscores), every *_test.cc
# into the test program <folder>_test, every *_benchmark.cc into <folder>_benchmark. With KERNELS,
# each *_kernels.cc is compiled by nvcc as well when WEFT_CUDA is on (through a generated one-line
# .cu file, because a source file can have only one language). Labels follow from test names: a
# suite with "Threads" in its name is labelled `threads`, one with "Long" `long`, one with "Device"
# `gpu`.
function(weft_library folder)
  cmake_parse_arguments(ARG "KERNELS" "" "LINK;TEST_LINK" ${ARGN})
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
    weft_test(${name}_test SOURCES ${tests} LINK weft_${name} ${ARG_TEST_LINK})
  endif()
  if(benchmarks)
    add_executable(${name}_benchmark ${benchmarks})
    target_link_libraries(${name}_benchmark PRIVATE weft_${name} benchmark::benchmark_main)
  endif()
endfunction()

# weft_test(<name> SOURCES <file>... [LINK <target>...]): a GoogleTest program, one CTest test per
# TEST.
function(weft_test name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LINK" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE ${ARG_LINK} weft_flags GTest::gmock GTest::gtest_main)
  list(LENGTH ARG_SOURCES count)
  if(count GREATER 3)
    target_precompile_headers(${name} PRIVATE
      <gmock/gmock.h> <gtest/gtest.h> <absl/status/statusor.h>)
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
