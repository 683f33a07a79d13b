#include "cli/flags.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdlib>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include "base/byte_size.h"
#include "base/environment.h"
#include "base/files.h"

namespace aevum::cli {
namespace {

template <typename N>
Status ParseNumber(const std::string& text, N* value) {
  const char* const last = text.data() + text.size();
  const auto [end, error] = std::from_chars(text.data(), last, *value);
  if (error != std::errc() || end != last || text.empty())
    return InvalidArgument("not a number: \"{}\"", text);
  return OkStatus();
}

template <typename N>
StatusOr<N> NumberFrom(const std::string& text) {
  N value{};
  RETURN_IF_ERROR(ParseNumber(text, &value));
  return value;
}

StatusOr<std::string> OneOf(const std::vector<std::string>& allowed, const std::string& input) {
  if (std::find(allowed.begin(), allowed.end(), input) == allowed.end())
    return InvalidArgument("must be one of {}, got \"{}\"", fmt::join(allowed, ", "), input);
  return input;
}

template <typename T>
Status Assign(StatusOr<T> parsed, T* value) {
  if (!parsed.ok()) return parsed.status();
  *value = *std::move(parsed);
  return OkStatus();
}

// As CLI11 wants it: "-o,--output".
std::string NamesOf(const FlagText& text) {
  return (text.short_name == '\0' ? "" : fmt::format("-{},", text.short_name)) + "--" + text.name;
}

}  // namespace

StatusOr<std::pair<std::string, std::string>> ParseQuotedPair(const std::string& text) {
  const auto invalid = [&] {
    return InvalidArgument("expected name=\"value\" with the value in double quotes, got {}", text);
  };
  const std::size_t equals = text.find('=');
  if (equals == std::string::npos || equals == 0) return invalid();
  const std::string_view quoted = std::string_view(text).substr(equals + 1);
  if (quoted.size() < 2 || quoted.front() != '"' || quoted.back() != '"') return invalid();
  std::string value;
  const std::string_view inner = quoted.substr(1, quoted.size() - 2);
  for (std::size_t i = 0; i < inner.size(); ++i) {
    if (inner[i] == '"') return invalid();
    if (inner[i] == '\\') {
      ++i;
      if (i == inner.size() || (inner[i] != '"' && inner[i] != '\\')) return invalid();
    }
    value += inner[i];
  }
  return std::pair(text.substr(0, equals), value);
}

CLI::Option* FlagSet::Finish(CLI::Option* option, const FlagText& text, Render render) {
  option->group(text.visibility == Visibility::kHidden ? "" : group_);
  if (render) values_.emplace_back(text.name, std::move(render));
  return option;
}

CLI::Option* FlagSet::Add(const FlagText& text, std::function<Status(const std::string&)> parse,
                          Render render, Repeat repeat) {
  CLI::Option* option = app_.add_option_function<std::vector<std::string>>(
      NamesOf(text),
      [parse = std::move(parse), name = text.name, repeat](const std::vector<std::string>& inputs) {
        if (repeat == Repeat::kOnce && inputs.size() > 1) {
          throw CLI::ValidationError("--" + name, "can't be given more than once");
        }
        for (const std::string& input : inputs) {
          if (const Status status = parse(input); !status.ok()) {
            throw CLI::ValidationError("--" + name, std::string(status.message()));
          }
        }
      },
      text.help);
  option->type_name(text.value_name)->type_size(1)->allow_extra_args(false);
  option->default_str(render());
  return Finish(option, text, std::move(render));
}

void FlagSet::String(FlagText text, std::string* value) {
  Add(
      text,
      [value](const std::string& input) {
        *value = input;
        return OkStatus();
      },
      [value] { return *value; });
}

template <typename T>
void FlagSet::AddList(const FlagText& text, std::vector<T>* values,
                      std::function<StatusOr<T>(const std::string&)> parse,
                      std::function<std::string(const T&)> show) {
  auto first = std::make_shared<bool>(true);
  Add(
      text,
      [values, first, parse = std::move(parse)](const std::string& input) {
        if (std::exchange(*first, false)) values->clear();
        return Assign(parse(input), &values->emplace_back());
      },
      [values, show = std::move(show)] {
        std::string shown;
        for (const T& value : *values) shown += (shown.empty() ? "" : ",") + show(value);
        return shown;
      },
      Repeat::kMany);
}

void FlagSet::Strings(FlagText text, std::vector<std::string>* values) {
  AddList<std::string>(
      text, values, [](const std::string& input) { return input; },
      [](const std::string& value) { return value; });
}

void FlagSet::Bool(FlagText text, bool* value) {
  CLI::Option* option = app_.add_flag(NamesOf(text) + ",!--no-" + text.name, *value, text.help)
                            ->disable_flag_override();
  option->default_str(*value ? "true" : "");
  Finish(option, text, [value] { return *value ? "true" : "false"; });
}

void FlagSet::Int(FlagText text, std::int64_t* value) {
  text.value_name = "INT";
  Add(
      text, [value](const std::string& input) { return ParseNumber(input, value); },
      [value] { return std::to_string(*value); });
}

void FlagSet::Uint(FlagText text, std::uint64_t* value) {
  text.value_name = "INT";
  Add(
      text, [value](const std::string& input) { return ParseNumber(input, value); },
      [value] { return std::to_string(*value); });
}

void FlagSet::Double(FlagText text, double* value) {
  text.value_name = "NUMBER";
  Add(
      text, [value](const std::string& input) { return ParseNumber(input, value); },
      [value] { return fmt::format("{}", *value); });
}

void FlagSet::Ints(FlagText text, std::vector<std::int64_t>* values) {
  text.value_name = "INT";
  AddList<std::int64_t>(text, values, NumberFrom<std::int64_t>,
                        [](std::int64_t value) { return std::to_string(value); });
}

void FlagSet::Doubles(FlagText text, std::vector<double>* values) {
  text.value_name = "NUMBER";
  AddList<double>(text, values, NumberFrom<double>,
                  [](double value) { return fmt::format("{}", value); });
}

void FlagSet::Enum(FlagText text, std::vector<std::string> allowed, std::string* value) {
  text.value_name = fmt::format("{}", fmt::join(allowed, "|"));
  Add(
      text,
      [value, allowed = std::move(allowed)](const std::string& input) {
        return Assign(OneOf(allowed, input), value);
      },
      [value] { return *value; });
}

void FlagSet::Enums(FlagText text, std::vector<std::string> allowed,
                    std::vector<std::string>* values) {
  text.value_name = fmt::format("{}", fmt::join(allowed, "|"));
  AddList<std::string>(
      text, values,
      [allowed = std::move(allowed)](const std::string& input) { return OneOf(allowed, input); },
      [](const std::string& value) { return value; });
}

void FlagSet::GoDuration(FlagText text, Nanoseconds* value) {
  text.value_name = "DURATION";
  Add(
      text, [value](const std::string& input) { return Assign(ParseGoDuration(input), value); },
      [value] { return FormatGoDuration(*value); });
}

void FlagSet::GoDurations(FlagText text, std::vector<Nanoseconds>* values) {
  text.value_name = "DURATION";
  AddList<Nanoseconds>(text, values, ParseGoDuration, FormatGoDuration);
}

void FlagSet::PrometheusDuration(FlagText text, Nanoseconds* value) {
  text.value_name = "DURATION";
  Add(
      text,
      [value](const std::string& input) { return Assign(ParsePrometheusDuration(input), value); },
      [value] { return FormatPrometheusDuration(*value); });
}

void FlagSet::Time(FlagText text, TimeOrDuration* value, std::string shown_default) {
  text.value_name = "TIME";
  auto shown = std::make_shared<std::string>(std::move(shown_default));
  Add(
      text,
      [value, shown](const std::string& input) {
        *shown = input;
        return Assign(TimeOrDuration::Parse(input), value);
      },
      [shown] { return *shown; });
}

void FlagSet::Bytes(FlagText text, std::uint64_t* value) {
  text.value_name = "BYTES";
  Add(
      text, [value](const std::string& input) { return Assign(ParseByteSize(input), value); },
      [value] { return *value == 0 ? std::string("0") : fmt::format("{}B", *value); });
}

void FlagSet::QuotedPairs(FlagText text, std::vector<std::pair<std::string, std::string>>* values) {
  text.value_name = "NAME=\"VALUE\"";
  Add(
      text,
      [values](const std::string& input) {
        ASSIGN_OR_RETURN(auto pair, ParseQuotedPair(input));
        values->push_back(std::move(pair));
        return OkStatus();
      },
      [values] {
        std::string shown;
        for (const auto& [name, value] : *values) {
          shown += fmt::format("{}{}=\"{}\"", shown.empty() ? "" : ",", name, value);
        }
        return shown;
      },
      Repeat::kMany);
}

void FlagSet::ContentPair(FlagText text, Content* value) {
  value->name = text.name;
  FlagText path = text;
  path.name += "-file";
  path.value_name = "FILE";
  path.help = "Path to a file with the content of --" + text.name + ".";
  String(std::move(path), &value->path);
  text.value_name = "CONTENT";
  text.help += " Exclusive with --" + text.name + "-file.";
  String(std::move(text), &value->inline_text);
}

void FlagSet::Require(const std::string& name) { app_.get_option("--" + name)->required(); }

void FlagSet::Refused(FlagText text, std::string reason) {
  text.help = "Not available: " + reason;
  auto refuse = [reason](const std::string&) {
    return Unimplemented("is not available: {}", reason);
  };
  Add(text, refuse, [] { return std::string(); });
}

void FlagSet::RefusedBool(FlagText text, std::string reason) {
  const std::string name = "--" + text.name;
  CLI::Option* option = app_.add_flag_callback(
      name, [name, reason] { throw CLI::ValidationError(name, "is not available: " + reason); },
      "Not available: " + reason);
  Finish(option, text, nullptr);
  app_.add_flag("--no-" + text.name)->group("");  // its default, so nothing changes
}

std::vector<std::pair<std::string, std::string>> FlagSet::Values() const {
  std::vector<std::pair<std::string, std::string>> values;
  for (const auto& [name, render] : values_) values.emplace_back(name, render());
  std::sort(values.begin(), values.end());
  return values;
}

StatusOr<std::string> ReadContent(const FlagSet::Content& content, bool expand_environment) {
  if (!content.inline_text.empty() && !content.path.empty()) {
    return InvalidArgument("both --{0} and --{0}-file are given; keep one", content.name);
  }
  std::string text = content.inline_text;
  if (!content.path.empty()) {
    auto file = ReadFile(content.path);
    if (!file.ok()) return Annotate(file.status(), "--" + content.name + "-file");
    text = *std::move(file);
  }
  if (!expand_environment) return text;
  auto expanded = ExpandEnvironment(text);
  if (!expanded.ok()) return Annotate(expanded.status(), "--" + content.name);
  return expanded;
}

}  // namespace aevum::cli
