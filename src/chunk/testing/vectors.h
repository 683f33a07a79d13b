// Reads the golden vectors: lines of JSON, compressed, with samples in columns. For tests.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "chunk/chunk.h"

namespace aevum::chunk::testing {

// The text of a compressed file; empty when there is none.
std::string ReadGzip(const std::string& path);

// Of a file under `<shared>/golden/vectors`, or of the testdata of store when that is absent.
// Empty when neither is there.
std::vector<nlohmann::json> ReadVectors(const std::string& name);

// Bytes out of pairs of digits.
std::string FromHex(const std::string& hex);
// "1.5", "+Inf", "NaN", "stale", "NaN:<bits>".
double ReadFloat(const std::string& text);
// [[t, value], ...] where a value is a float or a histogram.
chunk::Columns ReadSamples(const nlohmann::json& samples);

std::uint64_t Bits(double value);

// One line a sample, with all bits and fields: for comparing and for reading what differs.
std::string ToText(const chunk::Columns& columns);

}  // namespace aevum::chunk::testing
