// The request parser, fed in pieces: no input may crash, and where it is cut makes no
// difference to what a handler sees.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "net/http/request_parser.h"

namespace {

using aevum::net::RequestParser;

// Not whether it failed or waits for more: an error in an unfinished header is found sooner or
// later.
struct Outcome {
  bool done;
  std::string path;
  std::string body;
  bool operator==(const Outcome&) const = default;
};

// As a connection does: what is not taken comes again, with more behind it.
Outcome Parse(std::string_view text, std::size_t piece) {
  RequestParser::Limits limits;
  limits.header_bytes = 4096;
  limits.body_bytes = 4096;
  RequestParser parser(limits, std::make_shared<aevum::MemoryBudget>("test", 1 << 24));
  std::string waiting;
  const auto active = [&] {
    return parser.state() == RequestParser::State::kHeader ||
           parser.state() == RequestParser::State::kBody;
  };
  while (active() && !text.empty()) {
    waiting += text.substr(0, piece);
    text.remove_prefix(std::min(piece, text.size()));
    std::size_t used = 1;
    while (active() && !waiting.empty() && used > 0) {
      used = parser.Feed(waiting);
      AEVUM_CHECK(used <= waiting.size());
      waiting.erase(0, used);
    }
  }
  const bool done = parser.state() == RequestParser::State::kDone;
  return {done, done ? parser.request().path : "", done ? parser.request().body : ""};
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (size > 4096) return 0;  // beyond the limits the place of the cut decides which one is met
  const Outcome whole = Parse(text, size + 1);
  AEVUM_CHECK(whole == Parse(text, 7) && whole == Parse(text, 1));
  return 0;
}
