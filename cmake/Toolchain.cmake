# Compiler flags, warnings, the linker and the compiler cache.

set(AEVUM_SANITIZER "" CACHE STRING "address, thread or empty; which sanitizer the flags of the preset switch on")

find_program(AEVUM_CCACHE ccache)
if(AEVUM_CCACHE)
  # sloppiness lets precompiled headers be cached; hash_dir off lets two checkouts share the cache.
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime CCACHE_NOHASHDIR=1 CCACHE_BASEDIR=${PROJECT_SOURCE_DIR} ${AEVUM_CCACHE})
endif()

find_program(AEVUM_MOLD mold)
if(AEVUM_MOLD)
  add_link_options(-fuse-ld=mold)
endif()

# PromQL results are compared bit by bit, so no fused multiply-add.
add_compile_options(-ffp-contract=off -fno-math-errno)

add_library(aevum_warnings INTERFACE)
target_compile_options(aevum_warnings INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wnon-virtual-dtor -Woverloaded-virtual
  -Wimplicit-fallthrough -Wno-missing-field-initializers -Werror=unused-result $<$<BOOL:${AEVUM_WERROR}>:-Werror>)
if(AEVUM_SANITIZER AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # GCC loses track of initialisation through the instrumentation and warns of what is not there.
  target_compile_options(aevum_warnings INTERFACE -Wno-maybe-uninitialized)
endif()
if(CMAKE_BUILD_TYPE STREQUAL "Release" AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # https://gcc.gnu.org/bugzilla/show_bug.cgi?id=105651: false alarms on assignments to strings.
  target_compile_options(aevum_warnings INTERFACE -Wno-restrict)
endif()
if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  # std::stable_sort of libstdc++ 12 uses a function that it deprecates itself.
  target_compile_options(aevum_warnings INTERFACE -Wno-deprecated-declarations)
endif()
