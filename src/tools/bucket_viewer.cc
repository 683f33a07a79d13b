#include "tools/bucket_viewer.h"

#include <utility>

#include "base/pause.h"
#include "block/filters.h"
#include "tools/bucket_blocks.h"

namespace aevum::tools {
namespace {

block::MetaFetcher::Filters MakeFilters(const BucketViewerOptions& options, const Clock& clock) {
  return {std::make_shared<block::TimePartitionFilter>(options.min_time, options.max_time, clock),
          std::make_shared<block::LabelFilter>(options.selector),
          std::make_shared<block::DuplicateFilter>()};
}

}  // namespace

BucketViewer::BucketViewer(BucketViewerOptions options, objstore::Bucket& bucket, Logger logger,
                           prometheus::Registry& metrics, const Clock& clock)
    : options_(std::move(options)),
      logger_(std::move(logger)),
      clock_(clock),
      fetcher_(MakeMetaReader(bucket, kMetaConcurrency, logger_, metrics),
               MakeFilters(options_, clock), logger_, metrics, std::string(kMetaMetrics)) {}

BucketViewer::~BucketViewer() { Stop(); }

void BucketViewer::Start() {
  thread_ = std::thread([this] {
    do {
      Refresh(scope_.context());
    } while (Pause(scope_.context(), options_.refresh).ok());
  });
}

void BucketViewer::Stop() {
  scope_.Cancel();
  if (thread_.joinable()) thread_.join();
}

block::BlocksView BucketViewer::view() const {
  MutexLock lock(mutex_);
  return view_;
}

void BucketViewer::Refresh(const Context& context) {
  const auto fetched = fetcher_.Fetch(context.WithTimeout(options_.timeout));
  if (context.cancelled()) return;
  if (!fetched.ok()) logger_.Warn("can't look at the bucket", {{"err", fetched.status()}});
  MutexLock lock(mutex_);
  view_.status = fetched.ok() ? (*fetched)->complete : fetched.status();
  if (!fetched.ok()) return;
  view_.blocks = *fetched;
  view_.refreshed_ms = clock_.NowMs();
}

}  // namespace aevum::tools
