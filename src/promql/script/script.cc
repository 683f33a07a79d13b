#include "promql/script/script.h"

#include <chrono>
#include <memory>
#include <utility>

#include <re2/re2.h>

#include "base/duration.h"

namespace aevum::promql::script {
namespace {

std::string_view Trim(std::string_view text) {
  constexpr std::string_view kSpaces = " \t\r";
  const std::size_t begin = text.find_first_not_of(kSpaces);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kSpaces) - begin + 1);
}

// Takes the next word.
std::string_view TakeWord(std::string_view* text) {
  *text = Trim(*text);
  const std::string_view word = text->substr(0, text->find_first_of(" \t"));
  text->remove_prefix(word.size());
  *text = Trim(*text);
  return word;
}

Status TakeDuration(std::string_view* text, std::int64_t* out_ms) {
  ASSIGN_OR_RETURN(const Nanoseconds duration, ParsePrometheusDuration(TakeWord(text)));
  *out_ms = std::chrono::duration_cast<std::chrono::milliseconds>(duration).count();
  return OkStatus();
}

Status TakeKeyword(std::string_view* text, std::string_view keyword) {
  const std::string_view word = TakeWord(text);
  if (word == keyword) return OkStatus();
  return InvalidArgument("expected \"{}\", got \"{}\"", keyword, word);
}

// from <start> to <end> step <step>
Status TakeRange(std::string_view* text, TimestampMs* start, TimestampMs* end, std::int64_t* step) {
  RETURN_IF_ERROR(TakeKeyword(text, "from"));
  RETURN_IF_ERROR(TakeDuration(text, start));
  RETURN_IF_ERROR(TakeKeyword(text, "to"));
  RETURN_IF_ERROR(TakeDuration(text, end));
  RETURN_IF_ERROR(TakeKeyword(text, "step"));
  RETURN_IF_ERROR(TakeDuration(text, step));
  if (*end < *start) return InvalidArgument("the end is before the start");
  if (*step <= 0) return InvalidArgument("the step is not above zero");
  return OkStatus();
}

// The lines of a script, without comments and surrounding blanks.
class Lines {
 public:
  explicit Lines(std::string_view text) : rest_(text) { Advance(); }

  bool AtEnd() const { return ended_; }
  std::string_view line() const { return line_; }
  int number() const { return number_; }
  void Advance() {
    ended_ = rest_.empty();
    const std::size_t end = rest_.find('\n');
    line_ = Trim(rest_.substr(0, end));
    rest_.remove_prefix(end == std::string_view::npos ? rest_.size() : end + 1);
    if (line_.starts_with('#')) line_ = {};
    ++number_;
  }
  // True when there is another line of the command at hand.
  bool InBlock() const { return !ended_ && !line_.empty(); }

 private:
  std::string_view rest_;
  std::string_view line_;
  int number_ = 0;
  bool ended_ = false;
};

// Gives the samples of a line their start timestamps, from the line before.
Status ApplyStarts(const SeriesLine& starts, SeriesLine* series) {
  if (starts.labels != series->labels || starts.values.size() != series->values.size()) {
    return InvalidArgument("an @st line is not that of the next line: {} and {} values of {}",
                           starts.values.size(), series->values.size(), series->labels.ToString());
  }
  for (std::size_t i = 0; i < series->values.size(); ++i)
    series->values[i].start_offset_ms = starts.values[i].start_offset_ms;
  return OkStatus();
}

Status ParseLoad(Lines* lines, Load* load) {
  std::string_view head = lines->line();
  const std::string_view command = TakeWord(&head);
  if (command != "load" && command != "load_with_nhcb") {
    return InvalidArgument("unknown command: {}", command);
  }
  load->with_custom_buckets = command == "load_with_nhcb";
  RETURN_IF_ERROR(TakeDuration(&head, &load->step_ms));
  if (!head.empty()) return InvalidArgument("unexpected behind the step: {}", head);
  std::optional<SeriesLine> starts;
  for (lines->Advance(); lines->InBlock(); lines->Advance()) {
    if (IsStartLine(lines->line()) && !starts) {
      ASSIGN_OR_RETURN(starts, ParseStartLine(lines->line()));
      continue;
    }
    ASSIGN_OR_RETURN(SeriesLine series, ParseSeriesLine(lines->line()));
    if (starts) RETURN_IF_ERROR(ApplyStarts(*starts, &series));
    starts.reset();
    load->series.push_back(std::move(series));
  }
  if (starts) return InvalidArgument("an @st line has no line of samples");
  return OkStatus();
}

// Reads the rest of an expect line: nothing, "msg: text" or "regex: pattern".
Status ParsePattern(std::string_view text, TextPattern* out) {
  if (text.empty()) return OkStatus();
  const std::size_t colon = text.find(':');
  const std::string_view kind = Trim(text.substr(0, colon));
  if (colon == std::string_view::npos || (kind != "msg" && kind != "regex")) {
    return InvalidArgument("an expectation has neither msg nor regex: {}", text);
  }
  out->kind = kind == "msg" ? TextPattern::Kind::kExact : TextPattern::Kind::kRegex;
  out->text = Trim(text.substr(colon + 1));
  if (out->kind == TextPattern::Kind::kRegex && !re2::RE2(out->text, re2::RE2::Quiet).ok()) {
    return InvalidArgument("bad regular expression: {}", out->text);
  }
  return OkStatus();
}

// Reads what follows "expect ".
Status ParseExpectation(std::string_view text, Eval* eval) {
  const std::string_view kind = TakeWord(&text);
  if (kind == "range") {
    eval->range_vector = true;
    RETURN_IF_ERROR(TakeKeyword(&text, "vector"));
    return TakeRange(&text, &eval->vector_start_ms, &eval->vector_end_ms, &eval->vector_step_ms);
  }
  if (kind == "string") {
    ASSIGN_OR_RETURN(eval->text, ParseQuoted(&text));
    return OkStatus();
  }
  if (kind == "fail") return ParsePattern(text, &eval->fail.emplace());
  if (kind == "warn") return ParsePattern(text, &eval->warnings.emplace_back());
  if (kind == "info") return ParsePattern(text, &eval->infos.emplace_back());
  if (!text.empty()) return InvalidArgument("unexpected behind {}: {}", kind, text);
  if (kind == "no_warn") {
    eval->no_warnings = true;
  } else if (kind == "no_info") {
    eval->no_infos = true;
  } else if (kind == "ordered") {
    eval->ordered = true;
  } else {
    return InvalidArgument("unknown expectation: {}", kind);
  }
  return OkStatus();
}

Status CheckExpectations(const Eval& eval) {
  if (eval.no_warnings && !eval.warnings.empty()) {
    return InvalidArgument("warn and no_warn exclude one another");
  }
  if (eval.no_infos && !eval.infos.empty()) {
    return InvalidArgument("info and no_info exclude one another");
  }
  return OkStatus();
}

// Reads one line of what is expected.
Status ParseExpected(std::string_view line, Eval* eval) {
  constexpr std::string_view kMessage = "expected_fail_message";
  constexpr std::string_view kRegex = "expected_fail_regexp";
  if (line.starts_with(kMessage)) {
    eval->fail = {TextPattern::Kind::kExact, std::string(Trim(line.substr(kMessage.size())))};
    return OkStatus();
  }
  if (line.starts_with(kRegex)) {
    eval->fail = {TextPattern::Kind::kRegex, std::string(Trim(line.substr(kRegex.size())))};
    return OkStatus();
  }
  std::string_view rest = line;
  if (TakeWord(&rest) == "expect") return ParseExpectation(rest, eval);
  if (double number = 0; ParseNumber(line, &number)) {
    eval->scalar = number;
    return OkStatus();
  }
  ASSIGN_OR_RETURN(SeriesLine series, ParseSeriesLine(line));
  if (!eval->range && !eval->range_vector && series.values.size() != 1) {
    return InvalidArgument("an instant query needs one value for each series, got {}",
                           series.values.size());
  }
  eval->series.push_back(std::move(series));
  return OkStatus();
}

// The old forms: eval_fail, eval_warn, eval_info, eval_ordered.
Status ApplySuffix(std::string_view command, Eval* eval) {
  if (command == "eval") return OkStatus();
  if (command == "eval_fail") {
    eval->fail.emplace();
  } else if (command == "eval_warn") {
    eval->warnings.emplace_back();
  } else if (command == "eval_info") {
    eval->infos.emplace_back();
  } else if (command == "eval_ordered") {
    eval->ordered = true;
  } else {
    return InvalidArgument("unknown command: {}", command);
  }
  return OkStatus();
}

Status ParseEval(Lines* lines, Eval* eval) {
  eval->line = lines->number();
  std::string_view head = lines->line();
  RETURN_IF_ERROR(ApplySuffix(TakeWord(&head), eval));
  const std::string_view kind = TakeWord(&head);
  eval->range = kind == "range";
  if (eval->range) {
    RETURN_IF_ERROR(TakeRange(&head, &eval->start_ms, &eval->end_ms, &eval->step_ms));
  } else if (kind == "instant") {
    RETURN_IF_ERROR(TakeKeyword(&head, "at"));
    RETURN_IF_ERROR(TakeDuration(&head, &eval->start_ms));
    eval->end_ms = eval->start_ms;
  } else {
    return InvalidArgument("neither instant nor range: {}", kind);
  }
  eval->query = head;
  for (lines->Advance(); lines->InBlock(); lines->Advance()) {
    RETURN_IF_ERROR(ParseExpected(lines->line(), eval));
  }
  return CheckExpectations(*eval);
}

StatusOr<Command> ParseCommand(Lines* lines) {
  const std::string_view line = lines->line();
  if (line == "clear") {
    lines->Advance();
    return Command(Clear{});
  }
  if (line.starts_with("load")) {
    Load load;
    RETURN_IF_ERROR(ParseLoad(lines, &load));
    return Command(std::move(load));
  }
  if (line.starts_with("eval")) {
    Eval eval;
    RETURN_IF_ERROR(ParseEval(lines, &eval));
    return Command(std::move(eval));
  }
  return InvalidArgument("unknown command: {}", line);
}

}  // namespace

bool TextPattern::Matches(std::string_view actual) const {
  switch (kind) {
    case Kind::kAny:
      return true;
    case Kind::kExact:
      return actual == text;
    case Kind::kRegex:
      return re2::RE2::PartialMatch(re2::StringPiece(actual.data(), actual.size()), text);
  }
  return false;
}

StatusOr<std::vector<Command>> ParseScript(std::string_view text) {
  std::vector<Command> commands;
  Lines lines(text);
  while (!lines.AtEnd()) {
    if (lines.line().empty()) {
      lines.Advance();
      continue;
    }
    StatusOr<Command> command = ParseCommand(&lines);
    if (!command.ok()) {
      return Annotate(command.status(), fmt::format("line {}", lines.number()));
    }
    commands.push_back(std::move(*command));
  }
  return commands;
}

}  // namespace aevum::promql::script
