# The web application of ui/, built by Node.js and packed for the binary.
#
# AEVUM_WEB  AUTO: with the pages where there is Node.js 18 or newer and npm, else without them
#            ON:   with the pages, an error where they can't be built
#            OFF:  without
set(AEVUM_WEB AUTO CACHE STRING "The web application in the binary: AUTO, ON or OFF")
set_property(CACHE AEVUM_WEB PROPERTY STRINGS AUTO ON OFF)

# Sets `result` to the reason why the pages can't be built, "" when they can.
function(aevum_web_obstacle result)
  find_program(AEVUM_NODE node)
  find_program(AEVUM_NPM npm)
  find_package(Python3 QUIET COMPONENTS Interpreter)
  set(obstacle "")
  if(NOT AEVUM_NODE OR NOT AEVUM_NPM)
    set(obstacle "there is no node and npm")
  elseif(NOT Python3_FOUND)
    set(obstacle "there is no python3")
  else()
    execute_process(COMMAND ${AEVUM_NODE} --version OUTPUT_VARIABLE version ERROR_QUIET
                    OUTPUT_STRIP_TRAILING_WHITESPACE)
    string(REGEX REPLACE "^v" "" version "${version}")
    if(NOT version VERSION_GREATER_EQUAL 18)
      set(obstacle "${AEVUM_NODE} is version '${version}', not 18 or newer")
    endif()
  endif()
  set(${result} "${obstacle}" PARENT_SCOPE)
endfunction()

# Sets `result` to the pack that the build makes of the application, "" when it is left out.
function(aevum_web_pack result)
  set(${result} "" PARENT_SCOPE)
  if(AEVUM_WEB STREQUAL "AUTO" OR AEVUM_WEB)
    aevum_web_obstacle(obstacle)
    if(obstacle STREQUAL "")
      set(pack ${CMAKE_BINARY_DIR}/web/pages.pack)
      file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/ui/src/* ${PROJECT_SOURCE_DIR}/ui/public/*)
      list(FILTER sources EXCLUDE REGEX "\\.test\\.tsx?$")
      file(GLOB settings CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/ui/*.json ${PROJECT_SOURCE_DIR}/ui/*.ts
           ${PROJECT_SOURCE_DIR}/ui/*.js ${PROJECT_SOURCE_DIR}/ui/index.html)
      add_custom_command(OUTPUT ${pack}
        COMMAND ${PROJECT_SOURCE_DIR}/scripts/build-web ${CMAKE_BINARY_DIR}/web/bundle
        COMMAND Python3::Interpreter ${PROJECT_SOURCE_DIR}/cmake/pack_web.py ${CMAKE_BINARY_DIR}/web/bundle ${pack}
        DEPENDS ${sources} ${settings} ${PROJECT_SOURCE_DIR}/scripts/build-web
          ${PROJECT_SOURCE_DIR}/cmake/pack_web.py
        COMMENT "Building the web application" VERBATIM)
      set(${result} ${pack} PARENT_SCOPE)
    elseif(AEVUM_WEB STREQUAL "AUTO")
      message(STATUS "The web pages are left out: ${obstacle} (scripts/install-deps --web)")
    else()
      message(FATAL_ERROR "AEVUM_WEB=ON: ${obstacle} (scripts/install-deps --web)")
    endif()
  else()
    message(STATUS "The web pages are left out: AEVUM_WEB=${AEVUM_WEB}")
  endif()
endfunction()
