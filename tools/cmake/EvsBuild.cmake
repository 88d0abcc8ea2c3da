# What every target of the tree shares: the language level, the warnings, and the hardening of modules that are loaded
# into other people's processes.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_C_STANDARD 11)
set(CMAKE_C_EXTENSIONS ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_CXX_VISIBILITY_PRESET hidden)
set(CMAKE_C_VISIBILITY_PRESET hidden)
set(CMAKE_VISIBILITY_INLINES_HIDDEN ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(THREADS_PREFER_PTHREAD_FLAG ON)
find_package(Threads REQUIRED)

if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release)
endif()

set(EVS_SANITIZE "" CACHE STRING "Sanitizers for every target, as the compiler spells them: address,undefined or thread")

add_library(evs_flags INTERFACE)
target_compile_options(evs_flags INTERFACE -Wall -Wextra -Wshadow -Wpointer-arith -Wcast-qual
  $<$<COMPILE_LANGUAGE:CXX>:-Wnon-virtual-dtor -Woverloaded-virtual> $<$<CXX_COMPILER_ID:GNU>:-fno-gnu-unique>
  -fstack-protector-strong -ffile-prefix-map=${CMAKE_SOURCE_DIR}=.)
target_compile_definitions(evs_flags INTERFACE _GNU_SOURCE $<$<CONFIG:Release>:_FORTIFY_SOURCE=2>)
target_link_libraries(evs_flags INTERFACE Threads::Threads)
if(EVS_SANITIZE)
  target_compile_options(evs_flags INTERFACE -fsanitize=${EVS_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  target_link_options(evs_flags INTERFACE -fsanitize=${EVS_SANITIZE})
  if(EVS_SANITIZE MATCHES "undefined")
    # Its look at a virtual table goes through a pipe: a process without descriptors would be told that every object is of the wrong type.
    target_compile_options(evs_flags INTERFACE -fno-sanitize=vptr)
  endif()
  # GCC's TSan knows no stand-alone fences: each fence of ours stands beside an atomic operation that orders the same
  # data for it (docs/shm-layout.md).
  target_compile_options(evs_flags INTERFACE $<$<COMPILE_LANG_AND_ID:CXX,GNU>:-Wno-tsan>)
endif()

set(EVS_PLUGIN_INSTALL_DIR ${CMAKE_INSTALL_FULL_LIBDIR}/evs/plugins)
# Where the build leaves its plugins: tests and tools run from the build tree look here.
set(EVS_PLUGIN_BUILD_DIR ${CMAKE_BINARY_DIR}/lib/evs/plugins)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)
set(CMAKE_LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/lib)
set(CMAKE_ARCHIVE_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/lib)

# evs_add_plugin(transport-NAME SOURCES a.cc ... LIBRARIES ...): a module that exports its entry symbol and nothing else.
include(EvsPlugin)
