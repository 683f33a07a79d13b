// aevum tools bucket rewrite.
#include <filesystem>
#include <memory>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>

#include "cli/bucket_commands.h"
#include "cli/one_shot.h"
#include "compaction/deletion_config.h"
#include "tools/rewrite_bucket.h"

namespace aevum::cli {
namespace {

struct RewriteCommand {
  std::vector<std::string> ids;
  std::string hash;
  FlagSet::Content deletions;
  FlagSet::Content relabels;
  tools::RewriteBucketOptions options;

  void AddFlags(FlagSet& flags);
  Status Run(const OneShot& shot, const ObjectStorageFlags& storage);
};

void RewriteCommand::AddFlags(FlagSet& flags) {
  std::error_code ignored;  // then it is below the working directory
  options.directory = (std::filesystem::temp_directory_path(ignored) / "thanos-rewrite").string();
  flags.Strings({"id", "Block to rewrite; may be repeated.", "ULID"}, &ids);
  flags.Require("id");
  flags.String({"tmp.dir", "Directory in which new blocks are made.", "DIR"}, &options.directory);
  flags.Bool({"dry-run", "Only print what would change."}, &options.dry_run);
  flags.Bool({"prom-blocks", "Accept blocks without external labels."}, &options.without_labels);
  flags.Bool({"delete-blocks", "Mark the originals for deletion once the new blocks are uploaded."},
             &options.delete_originals);
  flags.Enum({"hash-func", "Hash of each file to note in meta.json."}, {"SHA256", ""}, &hash);
  flags.ContentPair(
      {"rewrite.to-delete-config",
       "What to delete: a list of {matchers, intervals, request_id} in YAML.", "YAML"},
      &deletions);
  flags.ContentPair(
      {"rewrite.to-relabel-config", "Relabelling of all series: a list of rules in YAML.", "YAML"},
      &relabels);
  flags.Bool({"rewrite.add-change-log", "Write change.log beside each new block."},
             &options.change_log);
}

Status RewriteCommand::Run(const OneShot& shot, const ObjectStorageFlags& storage) {
  ASSIGN_OR_RETURN(options.blocks, ReadUlids(ids));
  ASSIGN_OR_RETURN(const std::string to_delete, ReadContent(deletions, false));
  auto parsed = compaction::ParseDeletionConfig(to_delete);
  if (!parsed.ok()) return Annotate(parsed.status(), "--rewrite.to-delete-config");
  options.deletions = *std::move(parsed);
  ASSIGN_OR_RETURN(const std::string to_relabel, ReadContent(relabels, false));
  auto rules = model::Relabeler::Parse(to_relabel);
  if (!rules.ok()) return Annotate(rules.status(), "--rewrite.to-relabel-config");
  options.relabeler = *std::move(rules);
  if (!hash.empty()) options.hash = block::HashFunction::kSha256;
  options.report = Print;
  ASSIGN_OR_RETURN(const auto bucket, storage.OpenRequired(*shot.metrics));
  return tools::RewriteBlocks(shot.context, *bucket, options, *shot.progress, shot.logger);
}

}  // namespace

Command AddRewriteCommand(CLI::App& bucket, std::shared_ptr<const ObjectStorageFlags> storage) {
  CLI::App* app = bucket.add_subcommand(
      "rewrite", "Writes blocks anew without some series, or with other labels.");
  const auto command = std::make_shared<RewriteCommand>();
  FlagSet flags(*app);
  command->AddFlags(flags);
  return {app, [command, storage = std::move(storage)](const GlobalOptions& global) {
            return RunOneShot(global, "bucket rewrite",
                              [&](const OneShot& shot) { return command->Run(shot, *storage); });
          }};
}

}  // namespace aevum::cli
