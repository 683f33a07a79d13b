#include "objstore/rest/source_digest.h"

#include <algorithm>

namespace aevum::objstore {
namespace {

constexpr std::int64_t kPieceBytes = 256 << 10;

}  // namespace

StatusOr<std::string> DigestOfBody(DigestKind kind, const RestRequest& request) {
  if (request.source == nullptr) return Digest(kind, request.body);
  RunningDigest digest(kind);
  std::string piece;
  for (std::int64_t done = 0; done < request.source_size;
       done += static_cast<std::int64_t>(piece.size())) {
    piece.resize(static_cast<std::size_t>(std::min(kPieceBytes, request.source_size - done)));
    RETURN_IF_ERROR(request.source->Read(request.source_offset + done, piece));
    digest.Add(piece);
  }
  return digest.Finish();
}

}  // namespace aevum::objstore
