// aevum tools bucket: the tools that do one thing and end.
#include <algorithm>
#include <array>
#include <map>
#include <memory>
#include <utility>

#include <CLI/CLI.hpp>

#include "block/filters.h"
#include "block/shipper.h"
#include "block/tombstones.h"
#include "cli/bucket_commands.h"
#include "cli/commands.h"
#include "cli/flags.h"
#include "cli/one_shot.h"
#include "promql/parser.h"
#include "tools/bucket_blocks.h"
#include "tools/cleanup.h"
#include "tools/inspect.h"
#include "tools/listing.h"
#include "tools/marking.h"
#include "tools/retention.h"
#include "tools/verify/verify.h"

namespace aevum::cli {
namespace {

using block::MetaFetcher;

// One tool: its flags, and what runs with them. `Tool` has AddFlags(FlagSet&) and
// Run(const OneShot&, const ObjectStorageFlags&).
template <typename Tool>
Command AddTool(CLI::App& bucket, const std::string& name, const std::string& description,
                const std::shared_ptr<const ObjectStorageFlags>& storage) {
  CLI::App* app = bucket.add_subcommand(name, description);
  const auto tool = std::make_shared<Tool>();
  FlagSet flags(*app);
  tool->AddFlags(flags);
  return {app, [tool, name, storage](const GlobalOptions& global) {
            return RunOneShot(global, "bucket " + name, [&](const OneShot& shot) -> Status {
              shot.logger.Info("loading bucket configuration");
              return tool->Run(shot, *storage);
            });
          }};
}

StatusOr<std::map<std::string, std::string>> ReadLabels(const std::vector<std::string>& texts,
                                                        std::string_view flag) {
  std::map<std::string, std::string> labels;
  for (const std::string& text : texts) {
    auto pair = ParseQuotedPair(text);
    if (!pair.ok()) return Annotate(pair.status(), flag);
    labels.insert_or_assign(pair->first, pair->second);
  }
  return labels;
}

std::unique_ptr<MetaFetcher> MakeFetcher(objstore::Bucket& bucket, MetaFetcher::Filters filters,
                                         const OneShot& shot) {
  return std::make_unique<MetaFetcher>(
      tools::MakeMetaReader(bucket, tools::kMetaConcurrency, shot.logger, *shot.metrics),
      std::move(filters), shot.logger, *shot.metrics, std::string(tools::kMetaMetrics));
}

struct ListTool {
  FlagSet::Content selector;
  BlockTimeFlags times;
  std::string output;
  bool exclude_delete = false;
  Nanoseconds timeout = std::chrono::minutes(5);

  void AddFlags(FlagSet& flags) {
    flags.String({"output",
                  "How a block is shown: nothing for its ULID, wide, json, or a template such as "
                  "'{{ .ULID }} {{ .Thanos.Labels }}'.",
                  "FORM", Visibility::kShown, 'o'},
                 &output);
    flags.Bool({"exclude-delete", "Leave out blocks that are marked for deletion."},
               &exclude_delete);
    times.Add(flags);
    flags.GoDuration({"timeout", "How long reading the metas may take."}, &timeout);
    AddBlockSelector(flags, &selector);
  }

  Status Run(const OneShot& shot, const ObjectStorageFlags& storage) {
    ASSIGN_OR_RETURN(const tools::BlockForm form, tools::BlockForm::Parse(output));
    ASSIGN_OR_RETURN(const model::Relabeler rules, ReadSelector(selector));
    ASSIGN_OR_RETURN(const auto bucket, storage.OpenRequired(*shot.metrics));
    MetaFetcher::Filters filters = {std::make_shared<block::TimePartitionFilter>(
                                        times.min_time, times.max_time, Clock::System(),
                                        block::TimePartitionFilter::Touching::kLeftOut),
                                    std::make_shared<block::LabelFilter>(rules)};
    if (exclude_delete) {
      filters.push_back(std::make_shared<block::DeletionMarkFilter>(
          block::DeletionMarkFilter::Options{}, *bucket, shot.logger));
    }
    const auto fetcher = MakeFetcher(*bucket, std::move(filters), shot);
    ASSIGN_OR_RETURN(const auto fetched, fetcher->Fetch(shot.context.WithTimeout(timeout)));
    for (const auto& [ulid, meta] : fetched->metas) RETURN_IF_ERROR(Print(form.Show(*meta)));
    shot.logger.Info("ls done", {{"objects", fetched->metas.size()}});
    return fetched->complete;
  }
};

struct InspectTool {
  std::vector<std::string> selector;
  tools::InspectOptions options;
  std::string form = "table";
  Nanoseconds timeout = std::chrono::minutes(5);

  void AddFlags(FlagSet& flags) {
    flags.Strings({"selector",
                   "External label that a block must have, as name=\"value\"; may be repeated, "
                   "then all must be there.",
                   "NAME=\"VALUE\"", Visibility::kShown, 'l'},
                  &selector);
    flags.Enums({"sort-by", "Column to sort by; may be repeated, the first counts most."},
                {tools::kInspectColumns.begin(), tools::kInspectColumns.end()}, &options.sort_by);
    flags.GoDuration({"timeout", "How long reading the metas may take."}, &timeout);
    flags.Enum({"output", "How the blocks are shown."}, {"table", "tsv", "csv"}, &form);
  }

  Status Run(const OneShot& shot, const ObjectStorageFlags& storage) {
    ASSIGN_OR_RETURN(options.selector, ReadLabels(selector, "--selector"));
    using Form = tools::InspectOptions::Form;
    options.form = form == "tsv" ? Form::kTsv : form == "csv" ? Form::kCsv : Form::kTable;
    ASSIGN_OR_RETURN(const auto bucket, storage.OpenRequired(*shot.metrics));
    const auto fetcher = MakeFetcher(*bucket, {}, shot);
    ASSIGN_OR_RETURN(const auto fetched, fetcher->Fetch(shot.context.WithTimeout(timeout)));
    ASSIGN_OR_RETURN(const std::string table, tools::InspectBlocks(fetched->metas, options));
    RETURN_IF_ERROR(Print(table));
    return fetched->complete;
  }
};

struct VerifyTool {
  ObjectStorageFlags backup{"objstore-backup",
                            "the bucket that takes a copy of what a repair removes"};
  std::vector<std::string> ids;
  tools::VerifyOptions options;

  void AddFlags(FlagSet& flags) {
    backup.Add(flags);
    flags.Group("Flags");
    flags.Bool({"repair", "Repair what was found and can be; needs a backup bucket.", "",
                Visibility::kShown, 'r'},
               &options.repair);
    flags.Strings({"issues",
                   "What to look for: index_known_issues reads all bytes of the blocks, "
                   "overlapped_blocks and duplicated_compaction their metas; may be repeated.",
                   "ISSUE", Visibility::kShown, 'i'},
                  &options.issues);
    flags.Strings({"id", "Look at this block alone; may be repeated.", "ULID"}, &ids);
    flags.PrometheusDuration({"delete-delay",
                              "How long a block that a repair replaced stays, marked for deletion; "
                              "0s: it goes at once."},
                             &options.delete_delay);
  }

  Status Run(const OneShot& shot, const ObjectStorageFlags& storage) {
    ASSIGN_OR_RETURN(options.ids, ReadUlids(ids));
    ASSIGN_OR_RETURN(const auto bucket, storage.OpenRequired(*shot.metrics));
    ASSIGN_OR_RETURN(const auto backup_bucket, backup.Open(*shot.metrics));
    // A copy that is marked will go: a repair must not take it for the one that remains.
    const auto fetcher =
        MakeFetcher(*bucket,
                    {std::make_shared<block::DeletionMarkFilter>(
                        block::DeletionMarkFilter::Options{}, *bucket, shot.logger)},
                    shot);
    tools::Verifier verifier(options, *bucket, backup_bucket.get(), *fetcher, *shot.progress,
                             shot.logger, *shot.metrics);
    return verifier.Run(shot.context);
  }
};

struct MarkTool {
  std::vector<std::string> ids;
  std::string marker;
  bool remove = false;
  tools::MarkingOptions options;

  void AddFlags(FlagSet& flags) {
    flags.Strings({"id", "Block to mark; may be repeated.", "ULID"}, &ids);
    flags.Require("id");
    std::vector<std::string> files;
    for (const block::MarkKind kind : block::kAllMarks) files.emplace_back(block::MarkFile(kind));
    flags.Enum({"marker", "The mark."}, files, &marker);
    flags.Require("marker");
    flags.String({"details", "Why, for who finds the mark; needed unless it is removed.", "TEXT"},
                 &options.details);
    flags.Bool({"remove", "Take the mark away."}, &remove);
  }

  Status Run(const OneShot& shot, const ObjectStorageFlags& storage) {
    if (!remove && options.details.empty())
      return InvalidArgument("required flag --details not provided");
    ASSIGN_OR_RETURN(const std::set<model::Ulid> blocks, ReadUlids(ids));
    options.blocks.assign(blocks.begin(), blocks.end());
    options.kind =
        *std::find_if(block::kAllMarks.begin(), block::kAllMarks.end(),
                      [&](block::MarkKind kind) { return block::MarkFile(kind) == marker; });
    if (remove) options.action = tools::MarkingOptions::Action::kRemove;
    ASSIGN_OR_RETURN(const auto bucket, storage.OpenRequired(*shot.metrics));
    return tools::MarkBlocks(shot.context, *bucket, options, shot.logger);
  }
};

struct CleanupTool {
  FlagSet::Content selector;
  std::int64_t concurrency = 20;
  tools::CleanupOptions options;

  void AddFlags(FlagSet& flags) {
    flags.GoDuration({"delete-delay", "How long blocks stay that are marked for deletion."},
                     &options.delete_delay);
    flags.GoDuration(
        {"consistency-delay", "Age that a block must have, for stores whose listings lag behind."},
        &options.consistency_delay);
    flags.Int({"block-sync-concurrency", "How many meta.json are read at once."}, &concurrency);
    AddBlockSelector(flags, &selector);
  }

  Status Run(const OneShot& shot, const ObjectStorageFlags& storage) {
    if (concurrency < 1)
      return InvalidArgument("--block-sync-concurrency: must be at least 1, got {}", concurrency);
    options.concurrency = static_cast<std::size_t>(concurrency);
    ASSIGN_OR_RETURN(options.selector, ReadSelector(selector));
    ASSIGN_OR_RETURN(const auto bucket, storage.OpenRequired(*shot.metrics));
    return tools::CleanUp(shot.context, *bucket, options, shot.logger, *shot.metrics);
  }
};

struct RetentionTool {
  FlagSet::Content selector;
  FlagSet::Content rules;
  std::int64_t concurrency = 20;
  Nanoseconds delete_delay = std::chrono::hours(48);
  std::array<Nanoseconds, 3> keep{};
  bool dry_run = false;
  bool disable_downsampling = false;
  tools::RetentionOptions options;

  void AddFlags(FlagSet& flags) {
    flags.GoDuration({"delete-delay",
                      "Accepted for compatibility: marked blocks are deleted by `cleanup` and by "
                      "the compactor."},
                     &delete_delay);
    flags.GoDuration(
        {"consistency-delay", "Age that a block must have, for stores whose listings lag behind."},
        &options.consistency_delay);
    flags.Int({"block-sync-concurrency", "How many meta.json are read at once."}, &concurrency);
    flags.PrometheusDuration(
        {"retention.resolution-raw", "How long raw blocks are kept; 0d: for ever."}, &keep[0]);
    flags.PrometheusDuration(
        {"retention.resolution-5m", "How long blocks of 5 minutes are kept; 0d: for ever."},
        &keep[1]);
    flags.PrometheusDuration(
        {"retention.resolution-1h", "How long blocks of 1 hour are kept; 0d: for ever."}, &keep[2]);
    flags.ContentPair({"retention.config",
                       "Other times for blocks whose external labels match: a list of {matchers, "
                       "raw, 5m, 1h} in YAML.",
                       "YAML"},
                      &rules);
    flags.Bool({"downsampling.disable",
                "No coarse copies are made of this bucket: blocks do not wait for theirs."},
               &disable_downsampling);
    flags.Bool({"dry-run", "Mark nothing; print the blocks and the bytes that they would free."},
               &dry_run);
    AddBlockSelector(flags, &selector);
  }

  Status Run(const OneShot& shot, const ObjectStorageFlags& storage) {
    if (concurrency < 1)
      return InvalidArgument("--block-sync-concurrency: must be at least 1, got {}", concurrency);
    options.concurrency = static_cast<std::size_t>(concurrency);
    ASSIGN_OR_RETURN(options.selector, ReadSelector(selector));
    ASSIGN_OR_RETURN(const std::string text, ReadContent(rules, /*expand_environment=*/false));
    auto parsed = compaction::ParseRetentionRules(text);
    if (!parsed.ok()) return Annotate(parsed.status(), "--retention.config");
    options.policy.rules = *std::move(parsed);
    for (std::size_t i = 0; i < keep.size(); ++i)
      options.policy.keep[i] = std::chrono::duration_cast<std::chrono::milliseconds>(keep[i]);
    options.policy.downsampling = !disable_downsampling;
    if (dry_run) options.report = Print;
    ASSIGN_OR_RETURN(const auto bucket, storage.OpenRequired(*shot.metrics));
    return tools::ApplyRetention(shot.context, *bucket, options, shot.logger, *shot.metrics);
  }
};

struct DeleteSeriesTool {
  std::vector<std::string> selectors;
  std::vector<std::string> remove;
  TimeOrDuration min_time = *TimeOrDuration::Parse("0000-01-01T00:00:00Z");
  TimeOrDuration max_time = *TimeOrDuration::Parse("9999-12-31T23:59:59Z");
  std::string author;
  std::string reason;
  bool list = false;

  void AddFlags(FlagSet& flags) {
    flags.Strings({"selector",
                   "Series whose samples go, such as '{job=\"x\"}', external labels included; may "
                   "be repeated.",
                   "SELECTOR"},
                  &selectors);
    flags.Time(
        {"min-time", "First sample that goes: RFC 3339, or a duration before now such as -6w."},
        &min_time, "0000-01-01T00:00:00Z");
    flags.Time(
        {"max-time", "Last sample that goes: RFC 3339, or a duration before now such as -2h."},
        &max_time, "9999-12-31T23:59:59Z");
    flags.String({"reason", "Why, for who finds the tombstone.", "TEXT"}, &reason);
    flags.String({"author", "Who wants it.", "NAME"}, &author);
    flags.Bool({"list", "Show the tombstones of the bucket."}, &list);
    flags.Strings({"remove",
                   "Take this tombstone away: what no block was rewritten for comes back; may be "
                   "repeated.",
                   "ULID"},
                  &remove);
  }

  Status Run(const OneShot& shot, const ObjectStorageFlags& storage) {
    const int actions = (selectors.empty() ? 0 : 1) + (remove.empty() ? 0 : 1) + (list ? 1 : 0);
    if (actions != 1) return InvalidArgument("give one of --selector, --list and --remove");
    ASSIGN_OR_RETURN(const std::vector<block::Tombstone> tombstones, MakeTombstones());
    std::vector<model::Ulid> ids;
    for (const std::string& text : remove) {
      const StatusOr<model::Ulid> id = model::Ulid::Parse(text);
      if (!id.ok()) return Annotate(id.status(), fmt::format("--remove={}: not a ULID", text));
      ids.push_back(*id);
    }
    ASSIGN_OR_RETURN(const auto bucket, storage.OpenRequired(*shot.metrics));
    for (const block::Tombstone& tombstone : tombstones) {
      RETURN_IF_ERROR(block::PutTombstone(shot.context, *bucket, tombstone));
      RETURN_IF_ERROR(Print(tombstone.id.ToString() + "\n"));
    }
    for (const model::Ulid& id : ids) {
      RETURN_IF_ERROR(block::RemoveTombstone(shot.context, *bucket, id));
      shot.logger.Info("tombstone removed", {{"id", id.ToString()}});
    }
    return list ? List(shot, *bucket) : OkStatus();
  }

 private:
  StatusOr<std::vector<block::Tombstone>> MakeTombstones() const {
    const TimestampMs now = Clock::System().NowMs();
    model::UlidGenerator ulids;
    std::vector<block::Tombstone> tombstones;
    for (const std::string& selector : selectors) {
      auto matchers = promql::ParseSelector(selector);
      if (!matchers.ok()) return Annotate(matchers.status(), "--selector");
      block::Tombstone& tombstone = tombstones.emplace_back();
      tombstone.id = ulids.Next();
      tombstone.matchers = *std::move(matchers);
      tombstone.min_time = min_time.At(now);
      tombstone.max_time = max_time.At(now);
      tombstone.created = now;
      tombstone.author = author;
      tombstone.reason = reason;
      // None is put when one can't be.
      RETURN_IF_ERROR(Annotate(tombstone.Check(), "--selector=" + selector));
    }
    return tombstones;
  }

  static Status List(const OneShot& shot, objstore::Bucket& bucket) {
    block::TombstoneReader reader(bucket, shot.logger);
    ASSIGN_OR_RETURN(const auto tombstones, reader.Sync(shot.context));
    for (const auto& [id, tombstone] : *tombstones) {
      RETURN_IF_ERROR(Print(fmt::format(
          "{} {} - {} {} created {} by {}: {}\n", id.ToString(), FormatRfc3339(tombstone->min_time),
          FormatRfc3339(tombstone->max_time), model::ToString(tombstone->matchers),
          FormatRfc3339(tombstone->created),
          tombstone->author.empty() ? "nobody named" : tombstone->author, tombstone->reason)));
    }
    if (reader.failed() > 0)
      return Unavailable("tombstones that could not be read: {}; the log names them",
                         reader.failed());
    return OkStatus();
  }
};

struct UploadTool {
  std::vector<std::string> labels;
  std::int64_t concurrency = 5;
  block::ShipperOptions options;

  UploadTool() {
    options.directory = "./data";
    options.source = std::string(block::kSourceBucketUpload);
  }

  void AddFlags(FlagSet& flags) {
    flags.String({"path", "Directory that holds the blocks.", "DIR"}, &options.directory);
    flags.Strings({"label",
                   "External label to give to the blocks, as name=\"value\"; may be repeated, at "
                   "least one.",
                   "NAME=\"VALUE\""},
                  &labels);
    flags.Bool({"shipper.upload-compacted", "Also upload blocks above compaction level 1."},
               &options.upload_compacted);
    flags.Int({"shipper.upload-concurrency", "Files of a block that are uploaded at once."},
              &concurrency);
  }

  Status Run(const OneShot& shot, const ObjectStorageFlags& storage) {
    ASSIGN_OR_RETURN(const auto read, ReadLabels(labels, "--label"));
    if (read.empty()) {
      return InvalidArgument(
          "no external labels configured: give --label at least once, so that the blocks can be "
          "told "
          "from those of others");
    }
    if (concurrency < 0)
      return InvalidArgument("--shipper.upload-concurrency: must be at least 0, got {}",
                             concurrency);
    options.upload_concurrency = static_cast<std::size_t>(concurrency);
    std::vector<model::Label> external;
    for (const auto& [name, value] : read) external.push_back({name, value});
    const model::Labels set = model::Labels::FromUnsorted(std::move(external));
    ASSIGN_OR_RETURN(const auto bucket, storage.OpenRequired(*shot.metrics));
    block::Shipper shipper(options, *bucket, [&] { return set; }, shot.logger, *shot.metrics);
    ASSIGN_OR_RETURN(const std::size_t count, shipper.Sync(shot.context));
    shot.logger.Info("upload done", {{"uploaded", count}});
    return OkStatus();
  }
};

}  // namespace

void BlockTimeFlags::Add(FlagSet& flags) {
  flags.Time({"min-time",
              "Only blocks with data behind this time: RFC 3339, or a duration before now such as "
              "-6w."},
             &min_time, "0000-01-01T00:00:00Z");
  flags.Time({"max-time",
              "Only blocks with data before this time: RFC 3339, or a duration before now such as "
              "-2h."},
             &max_time, "9999-12-31T23:59:59Z");
}

StatusOr<std::set<model::Ulid>> ReadUlids(const std::vector<std::string>& ids) {
  std::set<model::Ulid> blocks;
  for (const std::string& text : ids) {
    const StatusOr<model::Ulid> ulid = model::Ulid::Parse(text);
    if (!ulid.ok()) return Annotate(ulid.status(), fmt::format("--id={}: not a ULID", text));
    blocks.insert(*ulid);
  }
  return blocks;
}

std::vector<Command> AddToolsCommands(CLI::App& tools) {
  tools.require_subcommand(1);
  CLI::App* bucket = tools.add_subcommand(
      "bucket", "Looks at the blocks of a bucket, checks, marks, copies and removes them.");
  bucket->require_subcommand(1);
  const auto storage = std::make_shared<ObjectStorageFlags>();
  FlagSet flags(*bucket);
  storage->Add(flags);
  std::vector<Command> commands = {
      AddTool<ListTool>(*bucket, "ls", "Lists the blocks.", storage),
      AddTool<InspectTool>(*bucket, "inspect", "Shows the blocks as a table.", storage),
      AddTool<VerifyTool>(*bucket, "verify",
                          "Checks all bytes of the blocks, and how they overlap.", storage),
      AddTool<MarkTool>(*bucket, "mark",
                        "Marks blocks to be deleted, not compacted or not downsampled.", storage),
      AddTool<CleanupTool>(*bucket, "cleanup",
                           "Deletes marked blocks and uploads that were given up.", storage),
      AddTool<RetentionTool>(*bucket, "retention",
                             "Marks blocks for deletion that are past their retention.", storage),
      AddTool<DeleteSeriesTool>(*bucket, "delete-series",
                                "Hides samples of series, by tombstones in the bucket.", storage),
      AddTool<UploadTool>(*bucket, "upload-blocks", "Uploads the blocks of a directory.", storage)};
  commands.push_back(AddDownsampleCommand(*bucket, storage));
  commands.push_back(AddReplicateCommand(*bucket, storage));
  commands.push_back(AddRewriteCommand(*bucket, storage));
  commands.push_back(AddWebCommand(*bucket, storage));
  return commands;
}

}  // namespace aevum::cli
