# evs_add_plugin(NAME SOURCES file... [LIBRARIES lib...]) - a loadable module "evs-NAME.so" for the evs plugin host.
#
# The linker script is what keeps a plugin's C++ symbols out of the host application: hidden visibility alone leaves
# weak template instances behind. -z nodelete: a module that uses thread_local or Asio cannot be unloaded safely.
set(EVS_PLUGIN_MAP ${CMAKE_CURRENT_LIST_DIR}/evs-plugin.map)

function(evs_add_plugin name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LIBRARIES" ${ARGN})
  set(target evs-${name})
  add_library(${target} MODULE ${ARG_SOURCES})
  set_target_properties(${target} PROPERTIES PREFIX "" CXX_VISIBILITY_PRESET hidden C_VISIBILITY_PRESET hidden
    VISIBILITY_INLINES_HIDDEN ON POSITION_INDEPENDENT_CODE ON LINK_DEPENDS ${EVS_PLUGIN_MAP})
  if(DEFINED EVS_PLUGIN_BUILD_DIR)
    set_target_properties(${target} PROPERTIES LIBRARY_OUTPUT_DIRECTORY ${EVS_PLUGIN_BUILD_DIR})
  endif()
  target_link_libraries(${target} PRIVATE evs::plugin ${ARG_LIBRARIES})
  target_link_options(${target} PRIVATE -Wl,--version-script=${EVS_PLUGIN_MAP} -Wl,-z,relro,-z,now,-z,nodelete)
  if(NOT EVS_SANITIZE)
    target_link_options(${target} PRIVATE -Wl,--no-undefined)
  endif()
endfunction()
