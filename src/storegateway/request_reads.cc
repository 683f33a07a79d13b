#include "storegateway/request_reads.h"

namespace aevum::storegateway {

Status RequestReads::Charge(DataType type, std::uint64_t bytes, std::uint64_t reads) {
  const std::uint64_t total = bytes_.fetch_add(bytes) + bytes;
  if (limit_bytes_ > 0 && total > limit_bytes_) {
    refused_ = true;
    return ResourceExhausted(
        "the request would read more bytes from the bucket than "
        "--store.grpc.downloaded-bytes-limit allows, at its {}: limit {}, needed at least {}",
        NameOf(type), limit_bytes_, total);
  }
  Shared& shared = types_[static_cast<std::size_t>(type)];
  shared.fetched += reads;
  shared.fetched_bytes += bytes;
  return OkStatus();
}

void RequestReads::Touch(DataType type, std::uint64_t items, std::uint64_t bytes) {
  Shared& shared = types_[static_cast<std::size_t>(type)];
  shared.touched += items;
  shared.touched_bytes += bytes;
}

RequestReads::Counts RequestReads::counts(DataType type) const {
  const Shared& shared = types_[static_cast<std::size_t>(type)];
  return {shared.touched, shared.touched_bytes, shared.fetched, shared.fetched_bytes};
}

}  // namespace aevum::storegateway
