#include "net/http/form.h"
#include "net/http/server.h"

namespace aevum::net {
namespace {

const std::string* FindExact(const Fields& fields, std::string_view name) {
  for (const auto& [key, value] : fields) {
    if (key == name) return &value;
  }
  return nullptr;
}

std::string_view OrEmpty(const std::string* text) { return text ? *text : std::string_view(); }

}  // namespace

std::string_view HttpRequest::Header(std::string_view name) const {
  for (const auto& [key, value] : headers) {
    if (EqualsIgnoreCase(key, name)) return value;
  }
  return {};
}

std::string_view HttpRequest::Param(std::string_view name) const {
  return OrEmpty(FindExact(params, name));
}

bool HttpRequest::HasParam(std::string_view name) const {
  return FindExact(params, name) != nullptr;
}

std::vector<std::string> HttpRequest::AllParams(std::string_view name) const {
  std::vector<std::string> values;
  for (const auto& [key, value] : params) {
    if (key == name) values.push_back(value);
  }
  return values;
}

std::string_view HttpRequest::PathParam(std::string_view name) const {
  return OrEmpty(FindExact(path_params, name));
}

}  // namespace aevum::net
