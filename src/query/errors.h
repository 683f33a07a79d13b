// The one table from our codes to what the HTTP API answers.
#pragma once

#include <string_view>

#include "base/status.h"

namespace aevum::query {

struct ApiError {
  int http_status;
  std::string_view type;  // errorType of the envelope
};

ApiError ToApiError(StatusCode code);

}  // namespace aevum::query
