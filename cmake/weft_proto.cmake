# weft_proto(<name> DIRECTORY <import root> [GRPC] [LINK <target>...]): weft_<name>_proto from every
# *.proto under the import root's weft/ folder. Generated code is a target of its own, without our
# warnings.
function(weft_proto name)
  cmake_parse_arguments(ARG "GRPC" "DIRECTORY" "LINK;IMPORT" ${ARGN})
  set(root ${PROJECT_SOURCE_DIR}/${ARG_DIRECTORY})
  set(out ${PROJECT_BINARY_DIR}/generated)
  file(MAKE_DIRECTORY ${out})
  file(GLOB_RECURSE protos CONFIGURE_DEPENDS RELATIVE ${root} ${root}/*.proto)
  set(imports -I${root})
  foreach(import IN LISTS ARG_IMPORT)
    list(APPEND imports -I${PROJECT_SOURCE_DIR}/${import})
  endforeach()
  set(generated)
  foreach(proto IN LISTS protos)
    string(REGEX REPLACE "\\.proto$" "" stem ${proto})
    set(outputs ${out}/${stem}.pb.cc ${out}/${stem}.pb.h)
    set(plugin)
    if(ARG_GRPC)
      list(APPEND outputs ${out}/${stem}.grpc.pb.cc ${out}/${stem}.grpc.pb.h)
      set(plugin --grpc_out=${out} --plugin=protoc-gen-grpc=$<TARGET_FILE:gRPC::grpc_cpp_plugin>)
    endif()
    add_custom_command(
      OUTPUT ${outputs}
      COMMAND protobuf::protoc ${imports} --cpp_out=${out} ${plugin} ${proto}
      DEPENDS ${root}/${proto} COMMENT "protoc ${proto}" VERBATIM)
    list(APPEND generated ${outputs})
  endforeach()
  add_library(weft_${name}_proto STATIC ${generated})
  target_include_directories(weft_${name}_proto SYSTEM PUBLIC ${out})
  target_compile_options(weft_${name}_proto PRIVATE -w)
  # protoc's code is not what the checks for undefined behaviour are for, and they take long. The
  # other sanitizers stay: with them protobuf's headers declare other layouts.
  if(WEFT_SANITIZE)
    target_compile_options(weft_${name}_proto PRIVATE -fno-sanitize=undefined)
  endif()
  target_link_libraries(weft_${name}_proto PUBLIC protobuf::libprotobuf ${ARG_LINK})
  if(ARG_GRPC)
    target_link_libraries(weft_${name}_proto PUBLIC gRPC::grpc++)
  endif()
endfunction()
