// What clients may ask of a store of blocks beyond the StoreAPI, in its fields `hints`.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/status.h"
#include "model/matcher.h"

namespace aevum::wire {

// The request whose hints these are.
enum class HintsOf : std::uint8_t { kSeries, kLabelNames, kLabelValues };

// The block_matchers out of the bytes of a google.protobuf.Any: conditions on the external labels
// of a block and on __block_id. None when there are no hints. InvalidArgument when they are those
// of another request, or damaged.
StatusOr<model::Matchers> DecodeBlockMatchers(HintsOf request, std::string_view any);
// The other way; "" for no matchers.
std::string EncodeBlockMatchers(HintsOf request, const model::Matchers& matchers);

// The hints of a response: the blocks, by ULID, that were asked.
std::string EncodeQueriedBlocks(HintsOf request, std::span<const std::string> blocks);

}  // namespace aevum::wire
