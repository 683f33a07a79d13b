// Reads the golden vectors: lines of JSON, compressed, with samples in columns.
#pragma once

#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "chunk/chunk.h"

namespace aevum::store::testing {

// Of a file under `<shared>/golden/vectors`, or of this module's testdata when that is absent.
// Empty when neither is there.
std::vector<nlohmann::json> ReadVectors(const std::string& name);

// What gzip compressed; "" when the bytes are not that.
std::string Gunzip(std::string text);

// "1.5", "+Inf", "NaN", "stale", "NaN:<bits>".
double ReadFloat(const std::string& text);
// [[t, value], ...] where a value is a float or a histogram.
chunk::Columns ReadSamples(const nlohmann::json& samples);

// One line a sample, with all bits and fields: for comparing and for reading what differs.
std::string ToText(const chunk::Columns& columns);

}  // namespace aevum::store::testing
