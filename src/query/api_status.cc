#include <map>

#include <fmt/core.h>

#include "query/answer.h"
#include "query/api.h"
#include "query/json_writer.h"

namespace aevum::query {

Status Api::Stores(const Context& /*context*/, const net::HttpRequest& /*request*/,
                   net::HttpResponse& response) {
  std::map<std::string, std::vector<EndpointStatus>> by_type;
  for (EndpointStatus& status : endpoints_.Statuses()) {
    if (!status.component_type.empty()) by_type[status.component_type].push_back(std::move(status));
  }
  JsonWriter writer(SinkOf(response));
  BeginAnswer(writer);
  writer.Raw("{");
  bool first_type = true;
  for (const auto& [type, statuses] : by_type) {
    if (!std::exchange(first_type, false)) writer.Raw(",");
    writer.String(type);
    writer.Raw(":[");
    bool first = true;
    for (const EndpointStatus& status : statuses) {
      writer.Raw(std::exchange(first, false) ? "{\"name\":" : ",{\"name\":");
      writer.String(status.name);
      writer.Raw(
          fmt::format(",\"lastCheck\":\"{}\",\"lastError\":", FormatRfc3339(status.last_check)));
      if (status.last_error) {
        writer.String(*status.last_error);
      } else {
        writer.Raw("null");
      }
      writer.Raw(",\"labelSets\":[");
      for (std::size_t i = 0; i < status.label_sets.size(); ++i) {
        if (i > 0) writer.Raw(",");
        writer.Labels(status.label_sets[i]);
      }
      writer.Raw(
          fmt::format("],\"minTime\":{},\"maxTime\":{}}}", status.min_time, status.max_time));
    }
    writer.Raw("]");
  }
  writer.Raw("}");
  return FinishAnswer(writer, {});
}

}  // namespace aevum::query
