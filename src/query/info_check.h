// What an endpoint says of itself, looked at before it is believed.
#pragma once

#include <string>
#include <vector>

#include "base/status.h"
#include "wire/store_api.h"

namespace aevum::query {

// Makes good what can be, and appends to `complaints` what it was; each once, for the log:
//   times the wrong way round: nobody knows which are meant, so that all of time is. A store that
//     has nothing says so with the last time before the first one, which is no fault.
// InvalidArgument for what nobody means: more than a hundred thousand sets of labels or TSDBs,
// labels of more than 64 KiB, a name of a component with more than 128 bytes. Such an endpoint is
// not used, since what it says would be compared, logged and shown again and again.
Status CheckInfo(wire::InfoResponse* info, std::vector<std::string>* complaints);

// Label sets for logs and metrics, not more than a thousand bytes of them, as Thanos cuts them.
std::string LabelSetsText(const std::vector<model::Labels>& sets);

}  // namespace aevum::query
