// Fields that the configurations of several providers have in common.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>

#include "net/http/client.h"
#include "net/yaml_fields.h"
#include "objstore/rest/request.h"

namespace aevum::objstore {

// The block http_config.
struct HttpConfig {
  net::HttpClientOptions client;
  std::int64_t max_connections = 0;  // at a time; 0 for no limit

  HttpConfig();
};

net::YamlReader ReadHttpConfig(HttpConfig* out);
// That of OCI, which has no tls_config, and `client_timeout`, a duration of Go that is not
// negative.
net::YamlReader ReadOciHttpConfig(HttpConfig* out, std::chrono::milliseconds* client_timeout);
// A duration of Prometheus, not negative.
net::YamlReader ReadDuration(std::chrono::milliseconds* out);
// A whole number, not negative.
net::YamlReader ReadCount(std::int64_t* out);
// A number of attempts out of a configuration, as a RetryPolicy counts them.
int AttemptsOf(std::int64_t count);
// A map of texts.
net::YamlReader ReadTextMap(Fields* out);

// InvalidArgument that names the field when its text is empty.
Status RequireField(std::string_view name, std::string_view value);
// InvalidArgument unless both or neither are there.
Status RequireBoth(std::string_view first, bool has_first, std::string_view second,
                   bool has_second);

}  // namespace aevum::objstore
