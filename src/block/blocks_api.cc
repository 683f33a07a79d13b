#include "block/blocks_api.h"

#include <utility>
#include <vector>

#include <fmt/core.h>

#include "base/duration.h"
#include "base/timestamp.h"
#include "block/marks.h"
#include "net/api/answer.h"

namespace aevum::block {
namespace {

// What the handlers share.
struct Api {
  BlocksApiOptions options;
  objstore::Bucket& bucket;
  Logger logger;
  const Clock& clock;

  Status ListBlocks(const net::HttpRequest& request, net::HttpResponse& response) const;
  Status ListMarks(const Context& context, const net::HttpRequest& request,
                   net::HttpResponse& response) const;
  Status MarkBlock(const Context& context, const net::HttpRequest& request,
                   net::HttpResponse& response) const;
};

Status Api::ListBlocks(const net::HttpRequest& request, net::HttpResponse& response) const {
  const auto& source = request.Param("view") == "loaded" ? options.loaded : options.global;
  const BlocksView view = source ? source() : BlocksView();
  net::JsonWriter writer(net::SinkOf(response));
  net::BeginAnswer(writer);
  writer.Raw("{\"label\":");
  writer.String(options.label);
  writer.Raw(",\"blocks\":[");
  bool first = true;
  if (view.blocks) {
    for (const auto& [ulid, meta] : view.blocks->metas) {
      if (writer.failed()) break;  // nobody reads any more
      if (!std::exchange(first, false)) writer.Raw(",");
      writer.Raw(meta->WriteCompact());
    }
  }
  writer.Raw("],\"refreshedAt\":");
  writer.String(view.blocks ? FormatRfc3339(view.refreshed_ms) : FormatTimestamp(kUnsetTimestamp));
  writer.Raw(",\"err\":");
  if (view.status.ok()) {
    writer.Raw("null");
  } else {
    writer.String(view.status.message());
  }
  writer.Raw("}");
  return net::EndAnswer(writer);
}

StatusOr<model::Ulid> ReadBlockId(const net::HttpRequest& request) {
  const std::string_view id = request.Param("id");
  if (id.empty()) return InvalidArgument("ID cannot be empty");
  StatusOr<model::Ulid> ulid = model::Ulid::Parse(id);
  if (!ulid.ok())
    return InvalidArgument("ULID \"{}\" is not valid: {}", id, ulid.status().message());
  return ulid;
}

void WriteMark(const Mark& mark, net::JsonWriter& writer) {
  writer.Raw("{\"marker\":");
  writer.String(MarkFile(mark.kind));
  writer.Raw(fmt::format(",\"time\":{},\"details\":", mark.time_seconds));
  writer.String(mark.details);
  writer.Raw(",\"reason\":");
  writer.String(mark.reason);
  writer.Raw("}");
}

Status Api::ListMarks(const Context& context, const net::HttpRequest& request,
                      net::HttpResponse& response) const {
  ASSIGN_OR_RETURN(const model::Ulid block, ReadBlockId(request));
  std::vector<Mark> marks;
  for (const MarkKind kind : kAllMarks) {
    StatusOr<Mark> mark = ReadMark(context, bucket, kind, block);
    if (mark.ok()) {
      marks.push_back(*std::move(mark));
    } else if (mark.status().code() != StatusCode::kNotFound) {
      return mark.status();
    }
  }
  // Another instance may put a mark at any time.
  response.SetHeader("Cache-Control", "no-store");
  net::JsonWriter writer(net::SinkOf(response));
  net::BeginAnswer(writer);
  writer.Raw("{\"marks\":[");
  for (std::size_t i = 0; i < marks.size(); ++i) {
    if (i > 0) writer.Raw(",");
    WriteMark(marks[i], writer);
  }
  writer.Raw("]}");
  return net::EndAnswer(writer);
}

StatusOr<Mark> ReadMarkRequest(const net::HttpRequest& request) {
  if (request.Param("id").empty()) return InvalidArgument("ID cannot be empty");
  const std::string_view action = request.Param("action");
  if (action.empty()) return InvalidArgument("Action cannot be empty");
  Mark mark;
  ASSIGN_OR_RETURN(mark.block, ReadBlockId(request));
  mark.details = std::string(request.Param("detail"));
  if (action == "DELETION") {
    mark.kind = MarkKind::kDeletion;
  } else if (action == "NO_COMPACTION") {
    mark.kind = MarkKind::kNoCompact;
    mark.reason = std::string(kReasonManual);
  } else {
    return InvalidArgument("not supported marker {}", action);
  }
  return mark;
}

Status Api::MarkBlock(const Context& context, const net::HttpRequest& request,
                      net::HttpResponse& response) const {
  if (options.disable_admin_operations) return InvalidArgument("Admin operations are disabled");
  ASSIGN_OR_RETURN(Mark mark, ReadMarkRequest(request));
  mark.time_seconds = clock.NowMs() / 1000;
  const StatusOr<bool> put = PutMarkOfExisting(context, bucket, mark);
  if (!put.ok()) return InvalidArgument("{}", put.status().message());
  logger.Info(*put ? "block has been marked" : "block is marked already",
              {{"block", mark.block.ToString()},
               {"marker", MarkFile(mark.kind)},
               {"details", mark.details}});
  response.SetStatus(204);
  return OkStatus();
}

}  // namespace

void AddBlocksRoutes(net::ApiRoutes& routes, BlocksApiOptions options, objstore::Bucket& bucket,
                     Logger logger, const Clock& clock) {
  const auto api =
      std::make_shared<const Api>(Api{std::move(options), bucket, std::move(logger), clock});
  routes.Add("GET", "/api/v1/blocks", "blocks",
             [api](const Context&, const net::HttpRequest& request, net::HttpResponse& response) {
               return api->ListBlocks(request, response);
             });
  routes.Add(
      "GET", "/api/v1/blocks/marks", "blocks_marks",
      [api](const Context& context, const net::HttpRequest& request, net::HttpResponse& response) {
        return api->ListMarks(context, request, response);
      });
  routes.Add(
      "POST", "/api/v1/blocks/mark", "blocks_mark",
      [api](const Context& context, const net::HttpRequest& request, net::HttpResponse& response) {
        return api->MarkBlock(context, request, response);
      });
}

}  // namespace aevum::block
