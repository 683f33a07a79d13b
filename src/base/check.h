// Checks of our own reasoning. A failed one is a bug: the process says where and ends.
#pragma once

namespace aevum::internal {

[[noreturn]] void CheckFailed(const char* file, int line, const char* condition);

}  // namespace aevum::internal

// Always on. No check may depend on bytes from outside: those get a Status.
#define AEVUM_CHECK(condition)                                        \
  do {                                                                \
    if (!(condition)) [[unlikely]]                                    \
      ::aevum::internal::CheckFailed(__FILE__, __LINE__, #condition); \
  } while (false)

// On in the dev and sanitizer presets; for what is too hot to check in a release.
#ifdef AEVUM_DEBUG_CHECKS
#define AEVUM_DCHECK(condition) AEVUM_CHECK(condition)
#else
#define AEVUM_DCHECK(condition) \
  do {                          \
  } while (false)
#endif
