# What an installed evs offers to others: the library and its headers, the plugins, the tool, and two ways to find them.
#
#   find_package(evs)        evs::evs, evs::plugin, evs_add_plugin(), EVS_PLUGIN_DIR
#   pkg-config evs           --cflags --libs, --variable=plugindir
#
# A plugin out of the tree gets the linker script and the flags that ours have: evs_add_plugin() is one and the same file.
include(CMakePackageConfigHelpers)

set(EVS_CMAKE_INSTALL_DIR ${CMAKE_INSTALL_LIBDIR}/cmake/evs)

set_target_properties(evs_shared PROPERTIES EXPORT_NAME evs)
set_target_properties(evs_plugin PROPERTIES EXPORT_NAME plugin)
install(TARGETS evs_shared evs_plugin EXPORT evsTargets
  LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}
  INCLUDES DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(EXPORT evsTargets NAMESPACE evs:: DESTINATION ${EVS_CMAKE_INSTALL_DIR})
install(DIRECTORY ${CMAKE_SOURCE_DIR}/bus/include/ DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
  FILES_MATCHING PATTERN "*.h" PATTERN "*.hpp")

foreach(plugin evs-transport-shm evs-transport-loopback)
  if(TARGET ${plugin})
    install(TARGETS ${plugin} LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}/evs/plugins)
  endif()
endforeach()

if(TARGET evs_command)
  # Found beside its library wherever the tree was installed, without ldconfig.
  set_target_properties(evs_command PROPERTIES INSTALL_RPATH "$ORIGIN/../${CMAKE_INSTALL_LIBDIR}")
endif()

configure_package_config_file(${CMAKE_CURRENT_LIST_DIR}/evsConfig.cmake.in ${CMAKE_BINARY_DIR}/evsConfig.cmake
  INSTALL_DESTINATION ${EVS_CMAKE_INSTALL_DIR})
write_basic_package_version_file(${CMAKE_BINARY_DIR}/evsConfigVersion.cmake COMPATIBILITY SameMajorVersion)
install(FILES ${CMAKE_BINARY_DIR}/evsConfig.cmake ${CMAKE_BINARY_DIR}/evsConfigVersion.cmake
  ${CMAKE_CURRENT_LIST_DIR}/EvsPlugin.cmake ${CMAKE_CURRENT_LIST_DIR}/evs-plugin.map DESTINATION ${EVS_CMAKE_INSTALL_DIR})

# evs.pc finds the rest from where it lies itself, so that a prefix may be moved, or chosen at `cmake --install --prefix`. A directory that was given as an absolute path stays there.
set(EVS_PC_PREFIX ${CMAKE_INSTALL_PREFIX})
if(NOT IS_ABSOLUTE "${CMAKE_INSTALL_LIBDIR}")
  file(RELATIVE_PATH up /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
  string(REGEX REPLACE "/$" "" up "${up}")
  set(EVS_PC_PREFIX "\${pcfiledir}/${up}")
endif()
foreach(kind INCLUDEDIR LIBDIR)
  set(EVS_PC_${kind} ${CMAKE_INSTALL_${kind}})
  if(NOT IS_ABSOLUTE "${CMAKE_INSTALL_${kind}}")
    set(EVS_PC_${kind} "\${prefix}/${CMAKE_INSTALL_${kind}}")
  endif()
endforeach()
configure_file(${CMAKE_CURRENT_LIST_DIR}/evs.pc.in ${CMAKE_BINARY_DIR}/evs.pc @ONLY)
install(FILES ${CMAKE_BINARY_DIR}/evs.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
