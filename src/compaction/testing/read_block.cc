#include "compaction/testing/read_block.h"

#include <memory>
#include <string_view>
#include <utility>

#include "compaction/block_reader.h"

namespace aevum::compaction::testing {

Status ReadBlock(const std::string& directory, const SeriesVisitor& visit) {
  ASSIGN_OR_RETURN(const std::unique_ptr<BlockReader> reader,
                   BlockReader::Open(Context::Background(),
                                     {.bucket = nullptr, .block = {}, .directory = directory}));
  std::vector<std::string> symbols;
  for (std::string_view symbol;;) {
    ASSIGN_OR_RETURN(const bool more, reader->NextSymbol(&symbol));
    if (!more) break;
    symbols.emplace_back(symbol);
  }
  for (StoredSeries series;;) {
    ASSIGN_OR_RETURN(const bool more, reader->NextSeries(&series));
    if (!more) return OkStatus();
    std::vector<model::Label> labels;
    for (const auto& label : series.labels)
      labels.push_back({symbols.at(label.name), symbols.at(label.value)});
    RETURN_IF_ERROR(visit(model::Labels::FromUnsorted(std::move(labels)), series.chunks));
  }
}

}  // namespace aevum::compaction::testing
