// Command lines: typed flags in groups, help, and the list that /api/v1/status/flags shows.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/duration.h"
#include "base/status.h"

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace aevum::cli {

// What the help does with a flag.
enum class Visibility : std::uint8_t { kShown, kHidden };

// A flag's name without dashes, and what the help says of it.
struct FlagText {
  std::string name;
  std::string help;
  std::string value_name = "VALUE";
  Visibility visibility = Visibility::kShown;
  char short_name = '\0';  // "-o" beside "--output"; none without
};

// Declares the flags of one command, in groups, on a CLI11 app. The variables that flags write to
// must outlive the parse; their values beforehand are the defaults that the help shows.
class FlagSet {
 public:
  explicit FlagSet(CLI::App& app) : app_(app) {}

  // The flags declared from here on stand under this heading.
  void Group(std::string heading) { group_ = std::move(heading); }

  void String(FlagText text, std::string* value);
  // May be given several times.
  void Strings(FlagText text, std::vector<std::string>* values);
  // --name and --no-name.
  void Bool(FlagText text, bool* value);
  void Int(FlagText text, std::int64_t* value);
  void Ints(FlagText text, std::vector<std::int64_t>* values);
  void Uint(FlagText text, std::uint64_t* value);
  void Double(FlagText text, double* value);
  void Doubles(FlagText text, std::vector<double>* values);
  // One of `allowed`.
  void Enum(FlagText text, std::vector<std::string> allowed, std::string* value);
  void Enums(FlagText text, std::vector<std::string> allowed, std::vector<std::string>* values);
  void GoDuration(FlagText text, Nanoseconds* value);
  void GoDurations(FlagText text, std::vector<Nanoseconds>* values);
  void PrometheusDuration(FlagText text, Nanoseconds* value);
  void Time(FlagText text, TimeOrDuration* value, std::string shown_default);
  // Bytes as "0" or a whole number with a unit, all to base 2: "512MB", "1GiB".
  void Bytes(FlagText text, std::uint64_t* value);
  // name="value" with the value a quoted string; may be given several times.
  void QuotedPairs(FlagText text, std::vector<std::pair<std::string, std::string>>* values);

  // The pair --name (content) and --name-file (path), read with ReadContent after the parse.
  struct Content {
    std::string name;
    std::string inline_text;
    std::string path;
  };
  void ContentPair(FlagText text, Content* value);

  // A command line without this flag, which was declared before, can't be right.
  void Require(const std::string& name);

  // A flag of the contract that this version can't honour. Using it is an error that gives
  // `reason`; the help lists it as not available.
  void Refused(FlagText text, std::string reason);
  void RefusedBool(FlagText text, std::string reason);

  // All flags with the values that hold after the parse, sorted by name.
  std::vector<std::pair<std::string, std::string>> Values() const;

 private:
  using Render = std::function<std::string()>;
  enum class Repeat : std::uint8_t { kOnce, kMany };
  // A flag whose text goes through `parse`, an error of which names the flag.
  CLI::Option* Add(const FlagText& text, std::function<Status(const std::string&)> parse,
                   Render render, Repeat repeat = Repeat::kOnce);
  CLI::Option* Finish(CLI::Option* option, const FlagText& text, Render render);
  // A flag that may be given several times; the first use replaces the default.
  template <typename T>
  void AddList(const FlagText& text, std::vector<T>* values,
               std::function<StatusOr<T>(const std::string&)> parse,
               std::function<std::string(const T&)> show);

  CLI::App& app_;
  std::string group_ = "Flags";
  std::vector<std::pair<std::string, Render>> values_;
};

// The text of a content pair: inline or from the file, "" when neither is given. InvalidArgument
// when both are. With `expand_environment`, $(NAME) becomes the variable's value, and a name that
// is not set is an error.
StatusOr<std::string> ReadContent(const FlagSet::Content& content, bool expand_environment);

// name="value" with the escapes \" and \\ in the value, as QuotedPairs takes it.
StatusOr<std::pair<std::string, std::string>> ParseQuotedPair(const std::string& text);

}  // namespace aevum::cli
