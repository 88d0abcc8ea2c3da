# cmake -D BUILD=... -D SOURCE=... -D WORK=... -D CONFORMANCE=... -P run.cmake
#
# Installs the build into a prefix of its own, copies the template beside this file's project, renames it, builds it with
# what was installed, runs the conformance suite on the result, and a bus over it in two ways. The first step that fails ends it.
function(run)
  execute_process(COMMAND ${ARGN} RESULT_VARIABLE result OUTPUT_VARIABLE output ERROR_VARIABLE output)
  if(NOT result EQUAL 0)
    message(FATAL_ERROR "${ARGN}\nended with ${result}:\n${output}")
  endif()
  set(output "${output}" PARENT_SCOPE)
endfunction()

cmake_host_system_information(RESULT cores QUERY NUMBER_OF_LOGICAL_CORES)
file(REMOVE_RECURSE ${WORK})
set(prefix ${WORK}/prefix)
set(project ${WORK}/project)
file(MAKE_DIRECTORY ${project}/plugin)
run(${CMAKE_COMMAND} --install ${BUILD} --prefix ${prefix})

file(GLOB parts ${SOURCE}/plugins/loopback/*.cc ${SOURCE}/plugins/loopback/*.h)
foreach(part ${parts})
  get_filename_component(name ${part} NAME)
  file(READ ${part} text)
  string(REPLACE "\"loopback\"" "\"echo\"" text "${text}")
  file(WRITE ${project}/plugin/${name} "${text}")
endforeach()
file(COPY ${SOURCE}/tests/conformance/out_of_tree/CMakeLists.txt ${SOURCE}/tests/conformance/host_apps/own_plugin_host.cc
  DESTINATION ${project})

run(${CMAKE_COMMAND} -S ${project} -B ${WORK}/build -D CMAKE_PREFIX_PATH=${prefix} -D CMAKE_BUILD_TYPE=Release
  -D CMAKE_C_COMPILER=${C_COMPILER} -D CMAKE_CXX_COMPILER=${CXX_COMPILER} "-D CMAKE_CXX_FLAGS=${CXX_FLAGS}")
run(${CMAKE_COMMAND} --build ${WORK}/build --parallel ${cores})

file(GLOB_RECURSE plugin ${WORK}/build/evs-transport-echo.so)
get_filename_component(directory ${plugin} DIRECTORY)
run(nm -D --defined-only ${plugin})
string(REGEX MATCHALL "[^\n]+\n" exported "${output}")
list(LENGTH exported count)
if(NOT count EQUAL 1 OR NOT output MATCHES "evs_plugin_entry_v1")
  message(FATAL_ERROR "${plugin} exports more than its entry, or less:\n${output}")
endif()

run(${CONFORMANCE} ${plugin})

# The application that has no plugin of that name, one that finds it on the path, and one that has it linked in.
execute_process(COMMAND ${CMAKE_COMMAND} -E env --unset=EVS_PLUGIN_PATH ${WORK}/build/own_plugin_host echo
  RESULT_VARIABLE result ERROR_VARIABLE output OUTPUT_QUIET)
if(result EQUAL 0 OR NOT output MATCHES "evs-transport-echo.so is in none of")
  message(FATAL_ERROR "without a path the plugin should not have been found: ${output}")
endif()
run(${CMAKE_COMMAND} -E env EVS_PLUGIN_PATH=${directory} ${WORK}/build/own_plugin_host echo)
if(NOT output MATCHES "delivered over echo")
  message(FATAL_ERROR "${output}")
endif()
run(${CMAKE_COMMAND} -E env --unset=EVS_PLUGIN_PATH ${WORK}/build/own_plugin_host_linked --register echo)
if(NOT output MATCHES "delivered over echo")
  message(FATAL_ERROR "${output}")
endif()
file(REMOVE_RECURSE ${WORK})
