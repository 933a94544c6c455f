// WEFT_CHECK(condition) << is for programmer errors only and stays on in release builds: it prints
// the condition and the place, and aborts. Bad input is never a CHECK; it is an absl::Status.
// WEFT_TRY(status expression) and WEFT_ASSIGN(declaration, statusor expression) return the error to
// the caller.
#pragma once

#include <cstdio>
#include <cstdlib>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#define WEFT_CHECK(condition)                                                            \
  do {                                                                                   \
    if (!(condition)) [[unlikely]] {                                                     \
      std::fprintf(stderr, "%s:%d: check failed: %s\n", __FILE__, __LINE__, #condition); \
      std::abort();                                                                      \
    }                                                                                    \
  } while (false)

#define WEFT_CHECK_OK(expression)                             \
  do {                                                        \
    const ::absl::Status weft_check_status = (expression);    \
    if (!weft_check_status.ok()) [[unlikely]] {               \
      std::fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, \
                   weft_check_status.ToString().c_str());     \
      std::abort();                                           \
    }                                                         \
  } while (false)

#define WEFT_TRY(expression)                       \
  do {                                             \
    ::absl::Status weft_try_status = (expression); \
    if (!weft_try_status.ok()) [[unlikely]]        \
      return weft_try_status;                      \
  } while (false)

#define WEFT_CONCATENATE_INNER(a, b) a##b
#define WEFT_CONCATENATE(a, b) WEFT_CONCATENATE_INNER(a, b)
#define WEFT_ASSIGN(declaration, expression) \
  WEFT_ASSIGN_INNER(WEFT_CONCATENATE(weft_assign_, __LINE__), declaration, expression)
#define WEFT_ASSIGN_INNER(result, declaration, expression) \
  auto result = (expression);                              \
  if (!result.ok()) [[unlikely]]                           \
    return std::move(result).status();                     \
  declaration = *std::move(result)
