# evs_add_test: the one way to add a test. Its label is its layer (docs/testing.md), and the layer decides two things for all of
# its tests alike, so that nobody decides them by hand; tests/unit/arch/layers.py looks.
#
#   what is built   the target tests_LAYER builds all that the layer's tests run, and no more: tools/check --label LAYER
#   what runs       a test has the machine to itself: it measures time, or kills and stops processes and counts on who runs meanwhile. Where
#   beside it       one process computes (..._BESIDE), as many tests run at a time as there are cores. Where several processes wait for each other
#                   most of the time (..._IN_TURN), one of them runs at a time, beside those; first, so that there is something left to run beside it.
set(EVS_TEST_LAYERS unit scenario sim conformance torture e2e fuzz bench)
set(EVS_TEST_LAYERS_BESIDE unit sim fuzz)
set(EVS_TEST_LAYERS_IN_TURN e2e)

foreach(layer IN LISTS EVS_TEST_LAYERS)
  add_custom_target(tests_${layer})
endforeach()

# evs_add_test(NAME name LABEL layer [LONG] [TIMEOUT s] COMMAND ... [ENVIRONMENT A=a ...] [DEPENDS target...] [PROPERTIES name value ...]):
# LONG: hours; the label `long` beside the layer. DEPENDS: what it runs or loads that neither COMMAND nor ENVIRONMENT names, by
# $<TARGET_FILE:> or as the program. Whoever is told where plugins are may load any of them.
function(evs_add_test)
  cmake_parse_arguments(PARSE_ARGV 0 ARG "LONG" "NAME;LABEL;TIMEOUT" "COMMAND;ENVIRONMENT;DEPENDS;PROPERTIES")
  if(NOT ARG_LABEL IN_LIST EVS_TEST_LAYERS)
    message(FATAL_ERROR "test ${ARG_NAME}: LABEL '${ARG_LABEL}' is none of ${EVS_TEST_LAYERS}")
  endif()
  add_test(NAME ${ARG_NAME} COMMAND ${ARG_COMMAND})
  set(labels ${ARG_LABEL})
  if(ARG_LONG)
    list(APPEND labels long)
  endif()
  set(beside RUN_SERIAL ON)
  if(ARG_LABEL IN_LIST EVS_TEST_LAYERS_BESIDE)
    set(beside RUN_SERIAL OFF)
  elseif(ARG_LABEL IN_LIST EVS_TEST_LAYERS_IN_TURN)
    set(beside RUN_SERIAL OFF RESOURCE_LOCK in_turn COST 1000)
  endif()
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 120)
  endif()
  set_tests_properties(${ARG_NAME} PROPERTIES LABELS "${labels}" TIMEOUT ${ARG_TIMEOUT} ${beside}
    ENVIRONMENT "${ARG_ENVIRONMENT}" ${ARG_PROPERTIES})

  set(needed ${ARG_DEPENDS})
  string(REGEX MATCHALL "<TARGET_FILE:[^>]+>" named "${ARG_COMMAND};${ARG_ENVIRONMENT}")
  list(TRANSFORM named REPLACE "<TARGET_FILE:(.+)>" "\\1")
  list(GET ARG_COMMAND 0 program)
  list(APPEND needed ${program} ${named})
  if("${ARG_ENVIRONMENT}" MATCHES "EVS_PLUGIN_PATH=")
    list(APPEND needed evs-transport-shm evs-transport-loopback)
  endif()
  foreach(target IN LISTS needed)
    if(TARGET ${target})
      add_dependencies(tests_${ARG_LABEL} ${target})
    endif()
  endforeach()
endfunction()
