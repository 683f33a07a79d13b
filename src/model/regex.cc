#include "model/regex.h"

#include <algorithm>

#include <re2/re2.h>

#include "model/quote.h"

namespace aevum::model {
namespace {

constexpr std::size_t kMaxSet = 100'000;       // alternatives of a set; longer patterns are rare
constexpr std::int64_t kRe2Memory = 64 << 20;  // of one compiled expression and its automata

constexpr std::string_view kSpecial = "\\.+*?()|[]{}^$";

bool IsLiteral(std::string_view text) {
  return text.find_first_of(kSpecial) == std::string_view::npos;
}

// Takes literal text from the front, up to a '|' or the end; escaped signs stand for themselves.
// False when there is something else.
bool TakeLiteral(std::string_view* pattern, std::string* literal) {
  while (!pattern->empty() && pattern->front() != '|') {
    const bool escaped = pattern->front() == '\\';
    if (escaped) pattern->remove_prefix(1);
    const bool special =
        !pattern->empty() && kSpecial.find(pattern->front()) != std::string_view::npos;
    if (pattern->empty() || special != escaped) return false;
    *literal += pattern->front();
    pattern->remove_prefix(1);
  }
  return true;
}

// "a|b|c", also inside one pair of parentheses, when every alternative is literal text.
std::vector<std::string> ParseSet(std::string_view pattern) {
  if (pattern.starts_with("(?:") && pattern.ends_with(")")) {
    pattern.remove_prefix(3);
    pattern.remove_suffix(1);
  } else if (pattern.starts_with("(") && pattern.ends_with(")")) {
    pattern.remove_prefix(1);
    pattern.remove_suffix(1);
  }
  std::vector<std::string> set;
  while (true) {
    if (set.size() == kMaxSet || !TakeLiteral(&pattern, &set.emplace_back())) return {};
    if (pattern.empty()) break;
    pattern.remove_prefix(1);
  }
  std::sort(set.begin(), set.end());
  set.erase(std::unique(set.begin(), set.end()), set.end());
  return set;
}

bool IsAscii(std::string_view text) {
  return std::none_of(text.begin(), text.end(), [](char c) { return (c & 0x80) != 0; });
}

// RE2 in C++ differs from RE2 in Go in two spellings: Go has no \C, and takes (?<name>x) for
// (?P<name>x), which Debian's RE2 does not know yet.
StatusOr<std::string> TranslateFromGo(std::string_view pattern) {
  std::string out;
  bool in_class = false;
  std::size_t class_start = 0;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    const std::string_view rest = pattern.substr(i);
    if (rest.starts_with("\\C"))
      return InvalidArgument("error parsing regexp: invalid escape sequence: `\\C`");
    if (rest.starts_with("\\Q") && !in_class) {
      const std::string_view quoted = rest.substr(0, rest.find("\\E"));
      out += quoted;
      i += quoted.size() - 1;
      continue;
    }
    if (rest[0] == '\\') {
      out += rest.substr(0, 2);
      ++i;
      continue;
    }
    if (in_class) {
      // A ']' that comes first is an ordinary character.
      const bool first = i == class_start || (i == class_start + 1 && pattern[class_start] == '^');
      in_class = rest[0] != ']' || first;
    } else if (rest[0] == '[') {
      in_class = true;
      class_start = i + 1;
    } else if (rest.starts_with("(?<") && !rest.starts_with("(?<=") && !rest.starts_with("(?<!")) {
      out += "(?P<";
      i += 2;
      continue;
    }
    out += rest[0];
  }
  return out;
}

// What Prometheus says, so that people find it.
std::string_view ErrorText(RE2::ErrorCode code) {
  switch (code) {
    case RE2::ErrorBadEscape:
      return "invalid escape sequence";
    case RE2::ErrorBadCharClass:
      return "invalid character class";
    case RE2::ErrorBadCharRange:
      return "invalid character class range";
    case RE2::ErrorMissingBracket:
      return "missing closing ]";
    case RE2::ErrorMissingParen:
      return "missing closing )";
    case RE2::ErrorUnexpectedParen:
      return "unexpected )";
    case RE2::ErrorTrailingBackslash:
      return "trailing backslash at end of expression";
    case RE2::ErrorRepeatArgument:
      return "missing argument to repetition operator";
    case RE2::ErrorRepeatSize:
      return "invalid repeat count";
    case RE2::ErrorRepeatOp:
      return "invalid nested repetition operator";
    case RE2::ErrorBadPerlOp:
      return "invalid or unsupported Perl syntax";
    case RE2::ErrorBadUTF8:
      return "invalid UTF-8";
    case RE2::ErrorBadNamedCapture:
      return "invalid named capture";
    case RE2::ErrorPatternTooLarge:
      return "expression too large";
    default:
      return "internal error";
  }
}

bool IsWildcard(std::string_view text) { return text == ".*" || text == ".+"; }

}  // namespace

StatusOr<std::unique_ptr<re2::RE2>> CompileAnchored(std::string_view pattern) {
  ASSIGN_OR_RETURN(const std::string translated, TranslateFromGo(pattern));
  RE2::Options options;
  options.set_dot_nl(true);
  options.set_log_errors(false);
  options.set_max_mem(kRe2Memory);
  // Alone first: a pattern such as "a)(b" is only well formed together with our parentheses, and an
  // error should not show them.
  auto alone = std::make_unique<RE2>(translated, options);
  if (!alone->ok()) {
    return InvalidArgument("error parsing regexp: {}: `{}`", ErrorText(alone->error_code()),
                           pattern);
  }
  auto compiled = std::make_unique<RE2>("^(?s:" + translated + ")$", options);
  if (!compiled->ok()) {
    return InvalidArgument("error parsing regexp: {}: `{}`", ErrorText(compiled->error_code()),
                           pattern);
  }
  return compiled;
}

RegexMatcher::~RegexMatcher() = default;

StatusOr<std::shared_ptr<const RegexMatcher>> RegexMatcher::Compile(std::string_view pattern) {
  std::shared_ptr<RegexMatcher> matcher(new RegexMatcher());
  matcher->ChoosePath(pattern);
  if (matcher->path_ != Path::kRe2) return std::shared_ptr<const RegexMatcher>(std::move(matcher));

  ASSIGN_OR_RETURN(matcher->re2_, CompileAnchored(pattern));
  return std::shared_ptr<const RegexMatcher>(std::move(matcher));
}

void RegexMatcher::ChoosePath(std::string_view pattern) {
  if (pattern == ".*") {
    path_ = Path::kAnything;
    return;
  }
  if (pattern == ".+") {
    path_ = Path::kNotEmpty;
    return;
  }
  set_ = ParseSet(pattern);
  if (!set_.empty()) {
    path_ = Path::kSet;
    return;
  }
  const std::string_view first = pattern.substr(0, 2);
  const std::string_view last = pattern.size() >= 2 ? pattern.substr(pattern.size() - 2) : "";
  if (pattern.size() > 2 && IsWildcard(last) && IsLiteral(pattern.substr(0, pattern.size() - 2))) {
    path_ = Path::kPrefix;
    literal_ = pattern.substr(0, pattern.size() - 2);
    needs_more_ = last == ".+";
  } else if (pattern.size() > 2 && IsWildcard(first) && IsLiteral(pattern.substr(2))) {
    path_ = Path::kSuffix;
    literal_ = pattern.substr(2);
    needs_more_ = first == ".+";
  } else if (pattern.size() > 4 && first == ".*" && last == ".*" &&
             IsLiteral(pattern.substr(2, pattern.size() - 4))) {
    path_ = Path::kContains;
    literal_ = pattern.substr(2, pattern.size() - 4);
  } else if (pattern.find('|') == std::string_view::npos) {
    // The last literal byte may belong to a quantifier ("ab*"), so it is left out.
    const std::size_t special = pattern.find_first_of("\\.+*?()[]{}^$");
    if (special != std::string_view::npos && special > 1) {
      required_prefix_ = pattern.substr(0, special - 1);
      // Not the middle of a character of several bytes.
      while (!required_prefix_.empty() && (required_prefix_.back() & 0x80) != 0)
        required_prefix_.pop_back();
    }
  }
}

bool RegexMatcher::Matches(std::string_view value) const {
  const std::size_t least = literal_.size() + (needs_more_ ? 1 : 0);
  switch (path_) {
    case Path::kSet:
      return std::binary_search(set_.begin(), set_.end(), value);
    case Path::kAnything:
      return true;
    case Path::kNotEmpty:
      return !value.empty();
    case Path::kPrefix:
      return value.size() >= least && value.starts_with(literal_);
    case Path::kSuffix:
      return value.size() >= least && value.ends_with(literal_);
    case Path::kContains:
      return value.find(literal_) != std::string_view::npos;
    case Path::kRe2:
      break;
  }
  if (!value.starts_with(required_prefix_)) return false;
  // RE2's '.' does not match a byte that is not UTF-8; Go's matches it as U+FFFD.
  if (!IsAscii(value) && !IsValidUtf8(value))
    return RE2::FullMatch(ReplaceInvalidUtf8(value), *re2_);
  return RE2::FullMatch(re2::StringPiece(value.data(), value.size()), *re2_);
}

}  // namespace aevum::model
