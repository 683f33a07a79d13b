// Fields that the requests of several services have in common.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "model/matcher.h"
#include "wire/store_api.h"

namespace aevum::wire {

// A message that can't be read is the caller's fault, whatever the reader calls it.
Status NotTheMessage(const Status& status, std::string_view message);

// A partial response strategy. InvalidArgument when it is not known.
StatusOr<PartialResponse> ReadPartialResponse(std::uint64_t value);

void PutStrings(std::string& out, std::uint32_t field, const std::vector<std::string>& strings);
// Nothing when it is empty.
void PutText(std::string& out, std::uint32_t field, std::string_view text);

// LabelMatcher { type = 1, name = 2, value = 3 }, one field each.
void PutMatchers(std::string& out, std::uint32_t field, const model::Matchers& matchers);
// Adds one LabelMatcher. InvalidArgument when it does not compile or has an unknown type.
Status ReadMatcher(std::string_view bytes, model::Matchers* matchers);

void PutShardInfo(std::string& out, std::uint32_t field, const ShardInfo& shard);
StatusOr<ShardInfo> ReadShardInfo(std::string_view bytes);

}  // namespace aevum::wire
