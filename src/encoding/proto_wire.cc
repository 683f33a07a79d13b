#include "encoding/proto_wire.h"

namespace aevum::encoding {

void ProtoReader::Skip() {
  switch (static_cast<WireType>(type_)) {
    case WireType::kVarint:
      reader_.ReadUvarint();
      return;
    case WireType::kFixed64:
      reader_.ReadBytes(8);
      return;
    case WireType::kBytes:
      reader_.ReadBytes(reader_.ReadUvarint());
      return;
    case WireType::kFixed32:
      reader_.ReadBytes(4);
      return;
  }
  failed_ = true;  // groups, which proto3 does not have
}

}  // namespace aevum::encoding
