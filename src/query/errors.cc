#include "query/errors.h"

namespace aevum::query {

ApiError ToApiError(StatusCode code) {
  switch (code) {
    case StatusCode::kInvalidArgument:
      return {400, "bad_data"};
    case StatusCode::kCancelled:
      return {503, "canceled"};
    case StatusCode::kDeadlineExceeded:
      return {503, "timeout"};
    case StatusCode::kInternal:
      return {500, "internal"};
    default:
      return {422, "execution"};
  }
}

}  // namespace aevum::query
