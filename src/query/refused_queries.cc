#include "query/refused_queries.h"

#include <sys/stat.h>

#include <algorithm>
#include <utility>

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/registry.h>
#include <yaml-cpp/yaml.h>

#include "base/files.h"
#include "model/regex.h"
#include "net/yaml_fields.h"
#include "promql/printer.h"

namespace aevum::query {
namespace {

constexpr std::size_t kFileLimitBytes = 4 << 20;

std::string_view Trimmed(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n";
  const std::size_t first = text.find_first_not_of(kSpace);
  if (first == std::string_view::npos) return "";
  return text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}

bool Contains(const model::Matchers& all, const model::Matchers& wanted) {
  return std::all_of(wanted.begin(), wanted.end(), [&](const model::Matcher& matcher) {
    return std::find(all.begin(), all.end(), matcher) != all.end();
  });
}

// Calls `visit` with the matchers of each selector until it says true. The depth of trees is
// bounded by the parser.
template <typename Visit>
bool AnySelector(const promql::Expr& expr, const Visit& visit) {
  using promql::ExprKind;
  const auto below = [&](const promql::ExprPtr& child) {
    return child != nullptr && AnySelector(*child, visit);
  };
  switch (expr.kind) {
    case ExprKind::kVectorSelector:
      return visit(static_cast<const promql::VectorSelector&>(expr).matchers);
    case ExprKind::kMatrixSelector:
      return visit(static_cast<const promql::MatrixSelector&>(expr).selector->matchers);
    case ExprKind::kSubquery:
      return below(static_cast<const promql::SubqueryExpr&>(expr).expr);
    case ExprKind::kCall: {
      const auto& args = static_cast<const promql::Call&>(expr).args;
      return std::any_of(args.begin(), args.end(), below);
    }
    case ExprKind::kAggregate: {
      const auto& aggregate = static_cast<const promql::AggregateExpr&>(expr);
      return below(aggregate.expr) || below(aggregate.param);
    }
    case ExprKind::kBinary: {
      const auto& binary = static_cast<const promql::BinaryExpr&>(expr);
      return below(binary.lhs) || below(binary.rhs);
    }
    case ExprKind::kUnary:
      return below(static_cast<const promql::UnaryExpr&>(expr).expr);
    case ExprKind::kParen:
      return below(static_cast<const promql::ParenExpr&>(expr).expr);
    default:
      return false;
  }
}

}  // namespace

class RefusedQueriesReader {
 public:
  RefusedQueriesReader(RefusedQueries* list, const promql::ParseOptions& options)
      : list_(list), options_(options) {}

  Status Read(const YAML::Node& root) {
    if (!root.IsDefined() || root.IsNull()) return OkStatus();
    if (!root.IsSequence()) return net::YamlError(root, "the file is not a list of entries");
    for (const YAML::Node& node : root) RETURN_IF_ERROR(ReadEntry(node));
    return OkStatus();
  }

 private:
  using Kind = RefusedQueries::Kind;

  Status ReadEntry(const YAML::Node& node) {
    RefusedQueries::Entry entry;
    int kinds = 0;
    const auto of_kind = [&](Kind kind, net::YamlReader read) {
      return [&, kind, read = std::move(read)](const YAML::Node& value) {
        ++kinds;
        entry.kind = kind;
        return read(value);
      };
    };
    if (!node.IsMap()) return net::YamlError(node, "an entry is not a map");
    RETURN_IF_ERROR(net::ReadYamlMap(
        node, "an entry",
        {{"query", of_kind(Kind::kQuery, [&](const auto& v) { return ReadQuery(v, &entry); })},
         {"pattern",
          of_kind(Kind::kPattern, [&](const auto& v) { return ReadPattern(v, &entry); })},
         {"matchers",
          of_kind(Kind::kMatchers, [&](const auto& v) { return ReadMatchers(v, &entry); })},
         {"reason", net::YamlString(&entry.reason)}}));
    if (kinds != 1)
      return net::YamlError(node, "an entry needs one of the fields query, pattern and matchers");
    if (entry.reason.empty())
      return net::YamlError(node, "an entry needs the field reason, which users are told");
    list_->entries_.push_back(std::move(entry));
    return OkStatus();
  }

  Status ReadQuery(const YAML::Node& node, RefusedQueries::Entry* entry) const {
    RETURN_IF_ERROR(net::YamlString(&entry->query)(node));
    entry->query = Trimmed(entry->query);
    const auto expr = promql::Parse(entry->query, options_);
    if (!expr.ok()) return net::YamlError(node, std::string(expr.status().message()));
    entry->canonical = promql::ToString(**expr);
    return OkStatus();
  }

  static Status ReadPattern(const YAML::Node& node, RefusedQueries::Entry* entry) {
    std::string pattern;
    RETURN_IF_ERROR(net::YamlString(&pattern)(node));
    if (pattern.empty()) return net::YamlError(node, "is empty");
    auto compiled = model::RegexMatcher::Compile(pattern);
    if (!compiled.ok()) return net::YamlError(node, std::string(compiled.status().message()));
    entry->pattern = *std::move(compiled);
    return OkStatus();
  }

  static Status ReadMatchers(const YAML::Node& node, RefusedQueries::Entry* entry) {
    std::vector<std::string> texts;
    if (node.IsScalar()) {
      texts.push_back(node.Scalar());
    } else {
      RETURN_IF_ERROR(net::YamlStrings(&texts)(node));
    }
    if (texts.empty()) return net::YamlError(node, "is empty");
    for (const std::string& text : texts) {
      auto selector = promql::ParseSelector(text);
      if (!selector.ok()) return net::YamlError(node, std::string(selector.status().message()));
      if (selector->empty()) return net::YamlError(node, "a selector without matchers");
      entry->selectors.push_back(*std::move(selector));
    }
    return OkStatus();
  }

  RefusedQueries* const list_;
  const promql::ParseOptions& options_;
};

StatusOr<RefusedQueries> RefusedQueries::Parse(std::string_view yaml,
                                               const promql::ParseOptions& options) {
  RefusedQueries list;
  RefusedQueriesReader reader(&list, options);
  RETURN_IF_ERROR(net::WithYaml(yaml, [&](const YAML::Node& root) { return reader.Read(root); }));
  return list;
}

const RefusedQueries::Entry* RefusedQueries::Find(std::string_view text,
                                                  const promql::Expr* expr) const {
  text = Trimmed(text);
  const std::string canonical = expr == nullptr ? "" : promql::ToString(*expr);
  const auto refuses = [&](const Entry& entry) {
    switch (entry.kind) {
      case Kind::kQuery:
        return entry.query == text || (expr != nullptr && entry.canonical == canonical);
      case Kind::kPattern:
        return entry.pattern->Matches(text);
      case Kind::kMatchers:
        break;
    }
    return expr != nullptr && AnySelector(*expr, [&](const model::Matchers& selector) {
             return std::any_of(
                 entry.selectors.begin(), entry.selectors.end(),
                 [&](const model::Matchers& wanted) { return Contains(selector, wanted); });
           });
  };
  const auto found = std::find_if(entries_.begin(), entries_.end(), refuses);
  return found == entries_.end() ? nullptr : &*found;
}

const RefusedQueries::Entry* RefusedQueries::FindSelector(const model::Matchers& selector) const {
  const auto found = std::find_if(entries_.begin(), entries_.end(), [&](const Entry& entry) {
    return std::any_of(entry.selectors.begin(), entry.selectors.end(),
                       [&](const model::Matchers& wanted) { return Contains(selector, wanted); });
  });
  return found == entries_.end() ? nullptr : &*found;
}

RefusedQueriesFile::RefusedQueriesFile(std::string path, promql::ParseOptions options,
                                       Logger logger, prometheus::Registry& metrics)
    : path_(std::move(path)), options_(options), logger_(std::move(logger)) {
  auto& refused = prometheus::BuildCounter()
                      .Name("aevum_query_refused_total")
                      .Help("Queries that the list of refused queries did not let through.")
                      .Register(metrics);
  refused_[static_cast<int>(RefusedQueries::Kind::kQuery)] = &refused.Add({{"kind", "query"}});
  refused_[static_cast<int>(RefusedQueries::Kind::kPattern)] = &refused.Add({{"kind", "pattern"}});
  refused_[static_cast<int>(RefusedQueries::Kind::kMatchers)] =
      &refused.Add({{"kind", "matchers"}});
  entries_ = &prometheus::BuildGauge()
                  .Name("aevum_query_refused_entries")
                  .Help("Entries of the list of refused queries that holds.")
                  .Register(metrics)
                  .Add({});
  reloaded_ = &prometheus::BuildGauge()
                   .Name("aevum_query_refused_last_reload_successful")
                   .Help("Whether the file of refused queries could be used when it changed last.")
                   .Register(metrics)
                   .Add({});
}

StatusOr<std::shared_ptr<RefusedQueriesFile>> RefusedQueriesFile::Open(
    std::string path, promql::ParseOptions options, Logger logger, prometheus::Registry& metrics) {
  std::shared_ptr<RefusedQueriesFile> file(
      new RefusedQueriesFile(std::move(path), options, std::move(logger), metrics));
  MutexLock lock(file->mutex_);
  file->seen_ = file->Look();
  ASSIGN_OR_RETURN(file->current_, file->Load());
  file->entries_->Set(static_cast<double>(file->current_->size()));
  file->reloaded_->Set(1);
  return file;
}

RefusedQueriesFile::FileState RefusedQueriesFile::Look() const {
  struct stat found{};
  if (::stat(path_.c_str(), &found) != 0) return {};
  return {found.st_mtim.tv_sec * 1'000'000'000 + found.st_mtim.tv_nsec,
          static_cast<std::uint64_t>(found.st_size), found.st_ino};
}

StatusOr<std::shared_ptr<const RefusedQueries>> RefusedQueriesFile::Load() const {
  const std::string where = "refused queries " + path_;
  const StatusOr<std::string> text = ReadFile(path_, kFileLimitBytes);
  if (!text.ok()) return Annotate(text.status(), where);
  StatusOr<RefusedQueries> list = RefusedQueries::Parse(*text, options_);
  if (!list.ok()) return Annotate(list.status(), where);
  return std::shared_ptr<const RefusedQueries>(
      std::make_shared<const RefusedQueries>(*std::move(list)));
}

std::shared_ptr<const RefusedQueries> RefusedQueriesFile::Get() {
  MutexLock lock(mutex_);
  const FileState state = Look();
  if (state == seen_) return current_;
  seen_ = state;
  StatusOr<std::shared_ptr<const RefusedQueries>> list = Load();
  reloaded_->Set(list.ok() ? 1 : 0);
  if (list.ok()) {
    current_ = *std::move(list);
    entries_->Set(static_cast<double>(current_->size()));
    logger_.Info("read the refused queries again",
                 {{"file", path_}, {"entries", current_->size()}});
  } else {
    logger_.Error("can't use the changed list of refused queries, the last good one stays",
                  {{"err", list.status()}});
  }
  return current_;
}

Status RefusedQueriesFile::Check(std::string_view query) {
  const std::shared_ptr<const RefusedQueries> list = Get();
  if (list->empty()) return OkStatus();
  const auto expr = promql::Parse(query, options_);
  return Answer(list->Find(query, expr.ok() ? expr->get() : nullptr));
}

Status RefusedQueriesFile::CheckSelectors(const std::vector<model::Matchers>& selectors) {
  const std::shared_ptr<const RefusedQueries> list = Get();
  for (const model::Matchers& selector : selectors)
    RETURN_IF_ERROR(Answer(list->FindSelector(selector)));
  return OkStatus();
}

Status RefusedQueriesFile::Answer(const RefusedQueries::Entry* entry) {
  if (entry == nullptr) return OkStatus();
  refused_[static_cast<int>(entry->kind)]->Increment();
  return MakeError(StatusCode::kFailedPrecondition, "the query is refused here: " + entry->reason);
}

}  // namespace aevum::query
