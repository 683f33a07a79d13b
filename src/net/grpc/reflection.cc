#include "net/grpc/reflection.h"

#include "net/grpc/proto_fields.h"

namespace aevum::net::grpc {
namespace {

// Field numbers of google/protobuf/descriptor.proto.
constexpr std::uint32_t kFileName = 1, kFilePackage = 2, kFileDependency = 3, kFileMessage = 4,
                        kFileEnum = 5, kFileService = 6, kFileExtension = 7;
constexpr std::uint32_t kName = 1;  // of every descriptor
constexpr std::uint32_t kMessageNested = 3, kMessageEnum = 4;
constexpr std::uint32_t kServiceMethod = 2;
// Field numbers of grpc/reflection/v1/reflection.proto.
constexpr std::uint32_t kAskFile = 3, kAskSymbol = 4, kAskExtension = 5, kAskExtensionNumbers = 6,
                        kAskServices = 7;
constexpr std::uint32_t kValidHost = 1, kOriginalRequest = 2, kFileResponse = 4,
                        kServicesResponse = 6, kErrorResponse = 7;

std::string StringField(std::string_view message, std::uint32_t number) {
  ProtoFields fields(message);
  while (const auto field = fields.Next()) {
    if (field->number == number) return std::string(field->bytes);
  }
  return "";
}

std::string Join(const std::string& scope, const std::string& name) {
  return scope.empty() ? name : scope + "." + name;
}

}  // namespace

Status Reflection::AddFile(std::string serialized) {
  const std::string name = StringField(serialized, kFileName);
  const std::string package = StringField(serialized, kFilePackage);
  if (name.empty()) return InvalidArgument("a file descriptor without name");
  File& file = files_[name];
  file.serialized = std::move(serialized);
  file.dependencies.clear();
  ProtoFields fields(file.serialized);
  while (const auto field = fields.Next()) {
    switch (field->number) {
      case kFileDependency:
        file.dependencies.emplace_back(field->bytes);
        break;
      case kFileMessage:
        AddMessage(field->bytes, package, name);
        break;
      case kFileEnum:
      case kFileExtension:
        file_of_symbol_[Join(package, StringField(field->bytes, kName))] = name;
        break;
      case kFileService: {
        const std::string service = Join(package, StringField(field->bytes, kName));
        file_of_symbol_[service] = name;
        ProtoFields methods(field->bytes);
        while (const auto method = methods.Next()) {
          if (method->number != kServiceMethod) continue;
          file_of_symbol_[Join(service, StringField(method->bytes, kName))] = name;
        }
        break;
      }
      default:
        break;
    }
  }
  if (fields.malformed()) return InvalidArgument("a file descriptor that can't be read: {}", name);
  return OkStatus();
}

void Reflection::AddMessage(std::string_view message, const std::string& scope,
                            const std::string& file) {
  const std::string full_name = Join(scope, StringField(message, kName));
  file_of_symbol_[full_name] = file;
  ProtoFields fields(message);
  while (const auto field = fields.Next()) {
    if (field->number == kMessageNested) AddMessage(field->bytes, full_name, file);
    if (field->number == kMessageEnum) {
      file_of_symbol_[Join(full_name, StringField(field->bytes, kName))] = file;
    }
  }
}

std::string Reflection::FileAnswer(const std::string& name) const {
  std::string answer;
  std::set<std::string> seen = {name};
  std::vector<std::string> todo = {name};
  while (!todo.empty()) {
    const auto file = files_.find(todo.back());
    todo.pop_back();
    if (file == files_.end()) continue;
    AppendProtoBytes(answer, 1, file->second.serialized);
    for (const std::string& dependency : file->second.dependencies) {
      if (seen.insert(dependency).second) todo.push_back(dependency);
    }
  }
  return answer;
}

std::string Reflection::Answer(std::string_view request) const {
  std::string response;
  AppendProtoBytes(response, kValidHost, StringField(request, 1));
  AppendProtoBytes(response, kOriginalRequest, request);
  const auto fail = [&response](StatusCode code, std::string_view message) {
    std::string error;
    AppendProtoVarint(error, 1, static_cast<std::uint64_t>(code));
    AppendProtoBytes(error, 2, message);
    AppendProtoBytes(response, kErrorResponse, error);
    return response;
  };
  ProtoFields fields(request);
  while (const auto field = fields.Next()) {
    const std::string text(field->bytes);
    switch (field->number) {
      case kAskServices: {
        std::string list;
        for (const std::string& service : services_) {
          std::string entry;
          AppendProtoBytes(entry, 1, service);
          AppendProtoBytes(list, 1, entry);
        }
        AppendProtoBytes(response, kServicesResponse, list);
        return response;
      }
      case kAskFile:
        if (!files_.contains(text)) return fail(StatusCode::kNotFound, "unknown file: " + text);
        AppendProtoBytes(response, kFileResponse, FileAnswer(text));
        return response;
      case kAskSymbol: {
        const auto file = file_of_symbol_.find(text);
        if (file == file_of_symbol_.end()) {
          return fail(StatusCode::kNotFound, "unknown symbol: " + text);
        }
        AppendProtoBytes(response, kFileResponse, FileAnswer(file->second));
        return response;
      }
      case kAskExtension:
      case kAskExtensionNumbers:
        return fail(StatusCode::kNotFound, "no extensions are known");
      default:
        break;
    }
  }
  return fail(StatusCode::kInvalidArgument, "the request asks for nothing that is known");
}

}  // namespace aevum::net::grpc
