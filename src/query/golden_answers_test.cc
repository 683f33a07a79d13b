#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <span>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "base/files.h"
#include "query/testing/json_difference.h"
#include "query/testing/querier.h"
#include "query/testing/store_server.h"
#include "store/testing/golden_bucket.h"

namespace aevum::query {
namespace {

using nlohmann::json;
using store::testing::GoldenBucket;
using testing::JsonDifference;
using testing::Querier;
using testing::StoreEndpoint;

struct Known {
  std::string_view id;  // or how it begins
  const char* why;
};

constexpr const char* kBlock = "the dumps have no labels of the raw block of 14 d, which it reads";
constexpr const char* kStarts = "the StoreAPI carries no histograms with start timestamps";
constexpr const char* kCommand = "the command answers it, not the API";
constexpr const char* kResets =
    "theirs raises counters at changes of replicas and takes out resets beforehand; ours is the "
    "formula on the samples";
constexpr const char* kXor2 = "Thanos does not read XOR2 chunks, we do";
constexpr const char* kHidden = "theirs shows values of labels that external labels hide";
constexpr const char* kPosition = "ours says where in the query, as Prometheus does";

// Not asked.
constexpr Known kSkipped[] = {
    {"126-res-0", kBlock},
    {"127-res-0", kBlock},
    {"128-res-0", kBlock},
    {"129-res-0", kBlock},
    {"130-res-0", kBlock},
    {"160-auto-flag-small-step", kBlock},
    {"162-auto-flag-explicit-0", kBlock},
    {"164-instant-auto", kBlock},
    {"165-instant-auto-flag", kBlock},
    {"209-xor2-native", kStarts},
    {"220-prom-xor2st-native", kStarts},
    {"221-prom-xor2st-count", kStarts},
    {"276-status-flags", kCommand},
    {"284-ready", kCommand},
    {"285-healthy", kCommand},
};

// Meant to differ; that they do is checked, so that the list stays true.
constexpr Known kDifferent[] = {
    {"012-increase-with-resets", kResets},
    {"013-resets-changes", kResets},
    {"041-join-group-left", kResets},
    {"091-range-rate-dedup", kResets},
    {"094-range-increase-unaligned", kResets},
    {"096-range-classic-quantile", kResets},
    {"105-range-join", kResets},
    {"030-nhcb-sum-different-bounds", kPosition},
    {"031-nhcb-rate-over-bounds-change", kPosition},
    {"033-mixed-rate-over-types", kPosition},
    {"207-xor2-query", kXor2},
    {"208-xor2-query-nopartial", kXor2},
    {"248-err-step-sub-ms", "theirs divides by zero"},
    {"255-err-series-empty-match", "refused before a store is asked, as Prometheus does"},
    {"265-err-labels-head", "HEAD is answered wherever GET is"},
    {"183-values-utf8-escaped", "escaped names are read as Prometheus 3 reads them"},
    {"271-stats", "stats=all also gives the samples of each step, as with Prometheus"},
};

// Trees of operators, which are those of an engine: not their names and number are to be equal, but
// the fields of their nodes, and at the root how many samples the query took.
constexpr std::string_view kPlans[] = {"266-query-explain", "268-query-range-explain",
                                       "269-analyze"};

// The same of store gateways alone; the buckets in this process answer as theirs.
constexpr Known kDifferentAtGateways[] = {
    {"175-values-external", kHidden},
    {"176-values-replica", kHidden},
    {"177-values-replica-match", kHidden},
    {"209-xor2-native", kXor2},
};

// Fields whose values depend on the machine and the run.
struct Volatile {
  std::string_view id;
  std::vector<std::string> fields;
};
const std::vector<Volatile>& VolatileFields() {
  static const std::vector<Volatile> kFields = {
      {"272-stores", {"name", "lastCheck"}},
      {"273-stores-all", {"name", "lastCheck"}},
      {"274-status-buildinfo",
       {"version", "revision", "branch", "buildUser", "buildDate", "goVersion"}},
      {"275-status-runtimeinfo",
       {"startTime", "CWD", "goroutineCount", "GOMAXPROCS", "GOMEMLIMIT"}},
  };
  return kFields;
}

const char* Find(std::span<const Known> list, const std::string& id) {
  for (const Known& known : list)
    if (id.starts_with(known.id)) return known.why;
  return nullptr;
}

// Replaces the values of fields by their types.
void Blank(const std::vector<std::string>& fields, json* value) {
  if (value->is_object()) {
    for (auto& [key, field] : value->items()) {
      if (std::ranges::find(fields, key) != fields.end()) {
        field = field.type_name();
      } else {
        Blank(fields, &field);
      }
    }
  } else if (value->is_array()) {
    for (json& item : *value) Blank(fields, &item);
  }
}

// Store gateways that run over the golden buckets, by bucket: "raw=127.0.0.1:1234,..." in the
// environment. Without any, the buckets are stores in this process.
const std::map<std::string, std::string>& Gateways() {
  static const std::map<std::string, std::string> kGateways = [] {
    std::map<std::string, std::string> gateways;
    const char* text = std::getenv("AEVUM_GOLDEN_STORES");
    std::istringstream parts(text == nullptr ? "" : text);
    for (std::string part; std::getline(parts, part, ',');)
      gateways[part.substr(0, part.find('='))] = part.substr(part.find('=') + 1);
    return gateways;
  }();
  return kGateways;
}

// The buckets behind a querier: names, and of which block alone, "" for all.
std::vector<std::pair<std::string, std::string>> BucketsOf(const json& request) {
  const auto querier = request.at("querier").get<std::string>();
  if (querier == "all") return {{"compacted", ""}, {"downsampled", ""}};
  if (!querier.starts_with("prometheus over")) return {{request.at("bucket"), ""}};
  return {{"xor2", querier.find("xor2st") == std::string::npos ? "01M88B6HVWASQC4QJ6XQZG76SR"
                                                               : "01M88B6MCMDBDJTXBZYVFG3QHT"}};
}

// One of the queriers that were asked, with the stores behind it.
class GoldenQuerier {
 public:
  explicit GoldenQuerier(const json& request) {
    QueryOptions options;
    options.api.dedup_function = store::DedupFunction::kPenalty;
    for (const json& flag : request.at("querier_flags")) Set(flag.get<std::string>(), &options);
    for (const auto& [name, block] : BucketsOf(request))
      options.endpoints.endpoints.push_back({.address = AddressOf(name, block)});
    querier_ = std::make_unique<Querier>(options);
  }
  Querier& querier() { return *querier_; }

 private:
  static void Set(const std::string& flag, QueryOptions* options) {
    ParamDefaults& defaults = options->api.defaults;
    if (flag == "--query.replica-label=replica") {
      defaults.replica_labels = {"replica"};
    } else if (flag == "--query.auto-downsampling") {
      defaults.auto_downsampling = true;
    } else if (flag == "--query.default-step=30s") {
      defaults.default_step = std::chrono::seconds(30);
    } else if (flag == "--enable-feature=promql-experimental-functions") {
      options->engine.parse.experimental_functions = true;
    } else if (flag == "--query.enable-x-functions") {
      options->engine.parse.x_functions = true;
    } else {
      ADD_FAILURE() << "a flag that the test does not know: " << flag;
    }
  }

  // One block alone stands for a Prometheus, which has no external labels.
  std::string AddressOf(const std::string& bucket, const std::string& block) {
    if (!Gateways().empty()) return Gateways().at(bucket);
    auto opened = GoldenBucket::Open(bucket, block);
    EXPECT_TRUE(opened.ok()) << opened.status();
    if (!opened.ok()) return "";
    if (!block.empty()) (*opened)->DropExternalLabels();
    buckets_.push_back(*std::move(opened));
    endpoints_.push_back(std::make_unique<StoreEndpoint>(*buckets_.back()));
    return endpoints_.back()->address();
  }

  std::vector<std::unique_ptr<GoldenBucket>> buckets_;
  std::vector<std::unique_ptr<StoreEndpoint>> endpoints_;
  std::unique_ptr<Querier> querier_;
};

// Why a request is not asked; null when it is.
const char* Skipped(const json& request) {
  const auto querier = request.at("querier").get<std::string>();
  if (querier.starts_with("store ")) return "the port of a store gateway";
  if (request.contains("store_flags")) return "stores with limits";
  if (!Gateways().empty() && querier.starts_with("prometheus")) return "a block without a bucket";
  const char* why = Find(kSkipped, request.at("id"));
  const bool needs_gateway = why == kBlock || why == kStarts;
  return needs_gateway && !Gateways().empty() ? nullptr : why;
}

// Why the answer is not theirs; null when it is to be.
const char* Different(const std::string& id) {
  const char* why = Find(kDifferent, id);
  if (why == nullptr && !Gateways().empty()) why = Find(kDifferentAtGateways, id);
  return why;
}

std::vector<json> ReadRequests(const std::string& folder) {
  std::vector<json> requests;
  const auto text = ReadFile(folder + "/queries.jsonl");
  EXPECT_TRUE(text.ok()) << text.status();
  std::istringstream lines(text.ok() ? *text : "");
  for (std::string line; std::getline(lines, line);) requests.push_back(json::parse(line));
  return requests;
}

// Order counts where the query sorts.
bool HasOrder(const json& request) {
  for (const json& param : request.at("params")) {
    const auto text = param[1].get<std::string>();
    if (param[0] == "query") return text.starts_with("sort") || text.starts_with("topk");
  }
  return false;
}

// Adds "<field>: <type>" for each field of a plan's nodes.
void CollectFields(const json& node, std::set<std::string>* fields) {
  for (const auto& [name, value] : node.items()) {
    fields->insert(fmt::format("{}: {}", name, value.type_name()));
    if (name != "children") continue;
    for (const json& child : value) CollectFields(child, fields);
  }
}

// What a plan is compared by. Theirs has what each endpoint gave (our fan-out does not measure
// itself), ours the number of series.
json PlanFields(const json& plan) {
  std::set<std::string> fields;
  CollectFields(plan, &fields);
  fields.erase("fanout: array");
  fields.erase("series: number");
  return {{"fields", fields},
          {"peakSamples", plan.value("peakSamples", 0)},
          {"totalSamples", plan.value("totalSamples", 0)}};
}

// The answer without what can't be equal.
json Comparable(const json& request, const std::string& body) {
  json answer = json::parse(body, nullptr, /*allow_exceptions=*/false);
  if (answer.is_discarded()) return body;
  const auto id = request.at("id").get<std::string>();
  for (const Volatile& one : VolatileFields())
    if (id.starts_with(one.id)) Blank(one.fields, &answer);
  if (std::ranges::find(kPlans, id) != std::end(kPlans) && answer.contains("data")) {
    json& data = answer["data"];
    json& plan = data.contains("analysis") ? data["analysis"] : data;
    plan = PlanFields(plan);
  }
  if (request.contains("known_wrong")) Blank({"buckets"}, &answer);
  // Prometheus's own answers have no such field.
  if (request.at("querier").get<std::string>().starts_with("prometheus") &&
      answer.contains("data") && answer["data"].is_object())
    answer["data"].erase("analysis");
  if (request.at("path") == "/api/v1/stores") {
    auto& stores = answer["data"]["store"].get_ref<json::array_t&>();
    std::ranges::sort(stores, std::less<>(), [](const json& store) { return store["minTime"]; });
  }
  return answer;
}

// What differs; "" when nothing does.
std::string Compare(const json& request, const net::HttpClientResponse& ours, int status,
                    const std::string& theirs) {
  if (ours.status != status) {
    return fmt::format("status: ours is {}, theirs {}: {}", ours.status, status,
                       ours.body.substr(0, 300));
  }
  // Of the other engine's answer there are none.
  const json headers = status == request.at("status") ? request.at("headers") : json::object();
  for (const auto& [name, value] : headers.items()) {
    if (ours.Header(name) != value.get<std::string>())
      return fmt::format("header {}: ours is {}, theirs {}", name, ours.Header(name), value.dump());
  }
  return JsonDifference(Comparable(request, ours.body), Comparable(request, theirs),
                        {.any_order = !HasOrder(request)});
}

// The same with the answer of either of their engines, since ours is one.
std::string CompareWithEither(const json& request, const net::HttpClientResponse& ours,
                              const std::string& folder) {
  const auto read = [&](const json& answer) {
    auto body = ReadFile(folder + answer.at("body").get<std::string>());
    EXPECT_TRUE(body.ok()) << body.status();
    return body.ok() ? *std::move(body) : std::string();
  };
  std::string difference = Compare(request, ours, request.at("status"), read(request));
  if (difference.empty() || !request.contains("engine_thanos")) return difference;
  const json& other = request.at("engine_thanos");
  if (other.is_object() && Compare(request, ours, other.at("status"), read(other)).empty())
    return "";
  return difference;
}

// Do the buckets of all histograms of an answer add up to their counts? Their number goes to
// `histograms`.
bool BucketsAddUp(const json& value, std::size_t* histograms) {
  if (value.is_object() && value.contains("count") && value.contains("buckets")) {
    double sum = 0;
    for (const json& bucket : value["buckets"]) sum += std::stod(bucket[3].get<std::string>());
    const double count = std::stod(value["count"].get<std::string>());
    ++*histograms;
    return std::abs(sum - count) <= 1e-9 * count;
  }
  if (!value.is_structured()) return true;
  return std::ranges::all_of(value, [&](const json& v) { return BucketsAddUp(v, histograms); });
}

TEST(GoldenAnswersTest, AreThoseOfThanos) {
  const std::string folder = GoldenBucket::Folder();
  if (folder.empty()) GTEST_SKIP() << "no ../shared/golden/buckets beside the checkout";
  std::map<std::string, std::unique_ptr<GoldenQuerier>> queriers;
  std::size_t asked = 0;
  for (const json& request : ReadRequests(folder + "/answers")) {
    const auto id = request.at("id").get<std::string>();
    SCOPED_TRACE(id);
    if (Skipped(request) != nullptr) continue;
    auto& querier = queriers[request.at("querier").get<std::string>()];
    if (!querier) querier = std::make_unique<GoldenQuerier>(request);
    Querier::Params params;
    for (const json& param : request.at("params")) params.emplace_back(param[0], param[1]);
    const auto answer = querier->querier().Send(request.at("method"), request.at("path"), params);
    const std::string difference = CompareWithEither(request, answer, folder + "/answers/");
    if (request.contains("known_wrong")) {
      std::size_t histograms = 0;
      EXPECT_TRUE(BucketsAddUp(json::parse(answer.body), &histograms)) << answer.body;
      EXPECT_GT(histograms, 0u);
    }
    ++asked;
    const char* why = Different(id);
    if (why == nullptr) {
      EXPECT_EQ(difference, "");
    } else {
      EXPECT_NE(difference, "") << "listed as different: " << why;
    }
  }
  EXPECT_GT(asked, 200u);
}

}  // namespace
}  // namespace aevum::query
