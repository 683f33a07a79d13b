#include "store/group.h"

#include <algorithm>
#include <utility>

#include <prometheus/registry.h>

#include "store/race.h"

namespace aevum::store {
namespace {

// Each waits for a first answer. More calls than that queue, and their time runs meanwhile.
constexpr std::size_t kThreads = 64;
constexpr std::size_t kQueue = 10'000;

prometheus::Counter& MakeCounter(prometheus::Registry& metrics, const char* name,
                                 const char* help) {
  return prometheus::BuildCounter().Name(name).Help(help).Register(metrics).Add({});
}

// The first batch of a member's answer, and where the others come from.
struct Beginning {
  std::unique_ptr<SeriesStream> stream;
  wire::SeriesBatch batch;
  bool more = false;
  Status over_budget;  // not OK: the request can't hold the answer, which is that of all members
};

StatusOr<Beginning> Begin(const Context& context, Store& store,
                          const wire::SeriesRequest& request) {
  Beginning beginning;
  ASSIGN_OR_RETURN(beginning.stream, store.Series(context, request));
  const StatusOr<bool> more = beginning.stream->Next(&beginning.batch);
  if (!more.ok() && !beginning.stream->over_budget()) return more.status();
  beginning.over_budget = more.status();
  beginning.more = more.ok() && *more;
  return beginning;
}

class GroupStream final : public SeriesStream {
 public:
  explicit GroupStream(std::shared_ptr<Race<Beginning>> race) : race_(std::move(race)) {}
  ~GroupStream() override { race_->Abandon(); }

  StatusOr<bool> Next(wire::SeriesBatch* batch) override {
    batch->Clear();
    RETURN_IF_ERROR(status_);
    if (stream_) return stream_->Next(batch);
    StatusOr<Beginning> beginning = race_->Wait();
    if (!beginning.ok()) return status_ = beginning.status();
    stream_ = std::move(beginning->stream);
    if (!beginning->over_budget.ok()) return status_ = beginning->over_budget;
    *batch = std::move(beginning->batch);
    return beginning->more;
  }

  bool over_budget() const override { return stream_ && stream_->over_budget(); }

 private:
  const std::shared_ptr<Race<Beginning>> race_;
  std::unique_ptr<SeriesStream> stream_;  // the winner's
  Status status_;
};

}  // namespace

GroupRuntime::GroupRuntime(GroupOptions options, prometheus::Registry& metrics)
    : options_(options),
      hedges_(&MakeCounter(metrics, "aevum_endpoint_group_hedges_total",
                           "Questions that were also asked of a second member of a group.")),
      hedge_wins_(&MakeCounter(metrics, "aevum_endpoint_group_hedge_wins_total",
                               "Those of them that another member answered first.")),
      pool_("endpoint-group", kThreads, kQueue) {}

// Tasks use the clock, and the clock submits tasks: first the tasks end, then the clock.
GroupRuntime::~GroupRuntime() { pool_.Stop(); }

void GroupStore::SetMembers(std::vector<GroupMember> members) {
  MutexLock lock(mutex_);
  std::vector<Entry> next;
  for (GroupMember& member : members) {
    const auto known = std::find_if(members_.begin(), members_.end(), [&](const Entry& entry) {
      return entry.runner->store == member.store;
    });
    Entry entry;
    if (known != members_.end()) {
      entry.runner = known->runner;
    } else {
      entry.runner = std::make_shared<Runner>(runtime_.options_.hedge_quantile);
      entry.runner->address = std::move(member.address);
      entry.runner->store = std::move(member.store);
    }
    entry.healthy = member.healthy;
    next.push_back(std::move(entry));
  }
  members_ = std::move(next);
}

GroupStore::Runners GroupStore::TakeTurn() {
  MutexLock lock(mutex_);
  Runners order;
  Runners others;
  const std::size_t first = turn_++;
  for (std::size_t i = 0; i < members_.size(); ++i) {
    const Entry& entry = members_[(first + i) % members_.size()];
    (entry.healthy ? order : others).push_back(entry.runner);
  }
  order.insert(order.end(), others.begin(), others.end());
  return order;
}

namespace {

Status NoMembers() { return Unavailable("the group has no members: its name has no addresses"); }

template <typename T, typename Runners, typename Ask>
StatusOr<T> AskGroup(GroupRuntime& runtime, const Context& context, Runners runners, Ask ask) {
  if (runners.empty()) return NoMembers();
  const auto race = std::make_shared<Race<T>>(runtime, context, std::move(runners), std::move(ask));
  race->Start();
  StatusOr<T> answer = race->Wait();
  race->Abandon();
  return answer;
}

}  // namespace

StatusOr<std::unique_ptr<SeriesStream>> GroupStore::Series(const Context& context,
                                                           const wire::SeriesRequest& request) {
  Runners runners = TakeTurn();
  if (runners.empty()) return NoMembers();
  const auto race = std::make_shared<Race<Beginning>>(
      runtime_, context, std::move(runners),
      [request](const Context& c, Store& store) { return Begin(c, store, request); });
  race->Start();
  return std::make_unique<GroupStream>(race);
}

StatusOr<wire::LabelsResponse> GroupStore::LabelNames(const Context& context,
                                                      const wire::LabelNamesRequest& request) {
  return AskGroup<wire::LabelsResponse>(
      runtime_, context, TakeTurn(),
      [request](const Context& c, Store& store) { return store.LabelNames(c, request); });
}

StatusOr<wire::LabelsResponse> GroupStore::LabelValues(const Context& context,
                                                       const wire::LabelValuesRequest& request) {
  return AskGroup<wire::LabelsResponse>(
      runtime_, context, TakeTurn(),
      [request](const Context& c, Store& store) { return store.LabelValues(c, request); });
}

StatusOr<wire::InfoResponse> GroupStore::Info(const Context& context) {
  return AskGroup<wire::InfoResponse>(runtime_, context, TakeTurn(),
                                      [](const Context& c, Store& store) { return store.Info(c); });
}

}  // namespace aevum::store
