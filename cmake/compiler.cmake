# The language, the flags and the machine that everything is built for.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)

if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "" FORCE)
endif()

find_program(WEFT_CCACHE ccache)
if(WEFT_CCACHE)
  # The two options that precompiled headers need with ccache.
  set(CMAKE_CXX_COMPILER_LAUNCHER
      ${CMAKE_COMMAND} -E env CCACHE_SLOPPINESS=pch_defines,time_macros ${WEFT_CCACHE})
endif()

add_library(weft_flags INTERFACE)
target_include_directories(weft_flags INTERFACE ${PROJECT_SOURCE_DIR})
# x86-64-v3 is the baseline that `weft` checks at start. Contraction stays off: a fused multiply-add
# is written where it is meant, so that the bits depend on the source and not on the optimiser. No
# result depends on floating-point traps or errno; without them loops with selections vectorise.
target_compile_options(weft_flags INTERFACE
  $<$<COMPILE_LANGUAGE:CXX>:-march=x86-64-v3 -ffp-contract=off -fno-trapping-math -fno-math-errno
    -Wall -Wextra -Wpedantic -Wshadow
    -Wnon-virtual-dtor -Wconversion -Wno-sign-conversion>)
if(WEFT_WERROR)
  target_compile_options(weft_flags INTERFACE $<$<COMPILE_LANGUAGE:CXX>:-Werror>)
endif()
if(WEFT_HOST_THREADS)
  target_compile_definitions(weft_flags INTERFACE WEFT_HOST_THREADS=1)
endif()
if(CMAKE_CXX_COMPILER_ID STREQUAL GNU)
  # GCC 12 sees uninitialised bytes in every std::string that leaves an absl::StatusOr, and at -O3
  # copies of 2^63 bytes in strings (its bug 105651).
  target_compile_options(weft_flags INTERFACE
    $<$<COMPILE_LANGUAGE:CXX>:-Wno-maybe-uninitialized -Wno-restrict>)
endif()
if(CMAKE_CXX_COMPILER_ID MATCHES Clang)
  target_compile_options(weft_flags INTERFACE
    $<$<COMPILE_LANGUAGE:CXX>:-Wno-gnu-zero-variadic-macro-arguments>)
endif()

if(WEFT_SANITIZE)
  # -O1 and line numbers alone build in three fifths of the time of -O2 -g.
  add_compile_options(-fsanitize=${WEFT_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all
    -O1 -g1)
  if(WEFT_SANITIZE MATCHES address)
    # The address sanitizer stops at the accesses that these checks would announce; they take a
    # quarter of the time.
    add_compile_options(-fno-sanitize=null,object-size,vptr)
  endif()
  add_link_options(-fsanitize=${WEFT_SANITIZE})
endif()
if(WEFT_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()

if(WEFT_CUDA)
  if(NOT DEFINED CMAKE_CUDA_COMPILER)
    find_program(WEFT_NVCC nvcc HINTS /usr/local/cuda/bin)
    if(NOT WEFT_NVCC)
      message(FATAL_ERROR
        "WEFT_CUDA is on, but no nvcc was found on PATH or in /usr/local/cuda/bin")
    endif()
    set(CMAKE_CUDA_COMPILER ${WEFT_NVCC})
  endif()
  enable_language(CUDA)
  if(NOT DEFINED CMAKE_CUDA20_STANDARD_COMPILE_OPTION)  # CMake 3.25 stops at CUDA17
    set(CMAKE_CUDA20_STANDARD_COMPILE_OPTION "-std=c++20")
    set(CMAKE_CUDA20_EXTENSION_COMPILE_OPTION "-std=c++20")
  endif()
  set(CMAKE_CUDA_STANDARD 20)
  set(CMAKE_CUDA_STANDARD_REQUIRED ON)
  find_package(CUDAToolkit REQUIRED)
endif()
