#include "chunk/testing/vectors.h"

#include <bit>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string_view>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <isa-l/igzip_lib.h>

namespace aevum::chunk::testing {
namespace {

using nlohmann::json;

std::vector<model::Span> ReadSpans(const json& spans) {
  std::vector<model::Span> out;
  for (const json& span : spans) {
    out.push_back({.offset = span[0].get<std::int32_t>(), .length = span[1].get<std::uint32_t>()});
  }
  return out;
}

double ReadNumber(const json& value) {
  return value.is_string() ? ReadFloat(value.get<std::string>()) : value.get<double>();
}

std::vector<double> ReadBuckets(const json& buckets, bool deltas) {
  std::vector<double> out;
  double sum = 0;
  for (const json& bucket : buckets) {
    const double value = ReadNumber(bucket);
    sum = deltas ? sum + value : value;
    out.push_back(sum);
  }
  return out;
}

model::FloatHistogram ReadHistogram(const json& j) {
  const bool deltas = j.at("kind") == "int";
  model::FloatHistogram h;
  h.reset_hint = static_cast<model::ResetHint>(j.at("hint").get<int>());
  h.schema = j.at("schema").get<std::int32_t>();
  h.zero_threshold = ReadNumber(j.at("zero_threshold"));
  h.zero_count = ReadNumber(j.at("zero_count"));
  h.count = ReadNumber(j.at("count"));
  h.sum = ReadNumber(j.at("sum"));
  if (j.contains("pos_spans")) h.positive_spans = ReadSpans(j.at("pos_spans"));
  if (j.contains("neg_spans")) h.negative_spans = ReadSpans(j.at("neg_spans"));
  if (j.contains("pos")) h.positive_buckets = ReadBuckets(j.at("pos"), deltas);
  if (j.contains("neg")) h.negative_buckets = ReadBuckets(j.at("neg"), deltas);
  if (j.contains("custom")) h.custom_values = ReadBuckets(j.at("custom"), /*deltas=*/false);
  return h;
}

std::string ToText(const model::FloatHistogram& h) {
  const auto spans = [](const std::vector<model::Span>& list) {
    std::string text;
    for (const model::Span& span : list) text += fmt::format("{}:{} ", span.offset, span.length);
    return text;
  };
  return fmt::format("hint {} schema {} zero {} {} count {} sum {:x} [{}] {} [{}] {} {}",
                     static_cast<int>(h.reset_hint), h.schema, h.zero_threshold, h.zero_count,
                     h.count, Bits(h.sum), spans(h.positive_spans),
                     fmt::join(h.positive_buckets, ","), spans(h.negative_spans),
                     fmt::join(h.negative_buckets, ","), fmt::join(h.custom_values, ","));
}

std::string Gunzip(std::string text) {
  std::string out;
  std::string buffer(1 << 16, '\0');
  inflate_state state;
  isal_inflate_init(&state);
  state.crc_flag = ISAL_GZIP;
  state.next_in = reinterpret_cast<std::uint8_t*>(text.data());
  state.avail_in = static_cast<std::uint32_t>(text.size());
  while (state.block_state != ISAL_BLOCK_FINISH) {
    state.next_out = reinterpret_cast<std::uint8_t*>(buffer.data());
    state.avail_out = static_cast<std::uint32_t>(buffer.size());
    if (isal_inflate(&state) != ISAL_DECOMP_OK) return {};
    const std::size_t size = buffer.size() - state.avail_out;
    if (size == 0 && state.block_state != ISAL_BLOCK_FINISH) return {};
    out.append(buffer, 0, size);
  }
  return out;
}

std::string ReadBytes(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(file), {});
}

}  // namespace

std::string ReadGzip(const std::string& path) {
  std::string bytes = ReadBytes(path);
  return bytes.empty() ? bytes : Gunzip(std::move(bytes));
}

std::vector<json> ReadVectors(const std::string& name) {
  std::string text;
  for (const char* directory :
       {AEVUM_SHARED_DIR "/golden/vectors/", AEVUM_SOURCE_DIR "/src/store/testdata/"}) {
    text = ReadBytes(directory + name);
    if (!text.empty()) break;
  }
  if (name.ends_with(".gz")) text = Gunzip(std::move(text));
  std::vector<json> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(json::parse(line));
  return lines;
}

std::string FromHex(const std::string& hex) {
  std::string bytes;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2)
    bytes += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
  return bytes;
}

std::uint64_t Bits(double value) { return std::bit_cast<std::uint64_t>(value); }

double ReadFloat(const std::string& text) {
  if (text == "stale") return std::bit_cast<double>(kStaleNanBits);
  if (text == "NaN") return std::bit_cast<double>(kNormalNanBits);
  if (text.starts_with("NaN:")) {
    return std::bit_cast<double>(std::strtoull(text.c_str() + 4, nullptr, 16));
  }
  return std::strtod(text.c_str(), nullptr);
}

Columns ReadSamples(const json& samples) {
  Columns columns;
  for (const json& sample : samples) {
    const auto time = sample[0].get<TimestampMs>();
    if (sample[1].is_object()) {
      columns.histogram_times.push_back(time);
      columns.histograms.push_back(ReadHistogram(sample[1]));
    } else {
      columns.times.push_back(time);
      columns.values.push_back(ReadNumber(sample[1]));
    }
  }
  return columns;
}

std::string ToText(const Columns& columns) {
  std::string text;
  std::size_t h = 0;
  const auto add_histograms = [&](TimestampMs before) {
    for (; h < columns.histogram_times.size() && columns.histogram_times[h] < before; ++h) {
      text += fmt::format("{} {}\n", columns.histogram_times[h], ToText(columns.histograms[h]));
    }
  };
  for (std::size_t f = 0; f < columns.times.size(); ++f) {
    add_histograms(columns.times[f]);
    text +=
        fmt::format("{} {} ({:x})\n", columns.times[f], columns.values[f], Bits(columns.values[f]));
  }
  add_histograms(kMaxTime);
  return text;
}

}  // namespace aevum::chunk::testing
