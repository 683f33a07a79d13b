#include <array>
#include <map>

#include "base/files.h"
#include "net/http/form.h"
#include "net/http/transfer.h"
#include "objstore/signing/oci_identity.h"
#include "objstore/signing/oci_regions.h"

namespace aevum::objstore {
namespace {

constexpr std::size_t kMaxFileBytes = 1 << 20;
constexpr std::string_view kProfile = "DEFAULT";

using Properties = std::map<std::string, std::string>;

// Adds what the profile of a configuration file has and the map lacks.
void AddProfile(std::string_view text, Properties& properties) {
  bool inside = false;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    std::string_view line = text.substr(0, end);
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.starts_with('[')) {
      inside = line.substr(1, line.find(']') - 1) == kProfile;
      continue;
    }
    const std::size_t equals = line.find('=');
    if (!inside || equals == std::string_view::npos) continue;
    std::string name = net::ToLower(net::TrimBlanks(line.substr(0, equals)));
    if (name == "pass_phrase") name = "passphrase";
    properties.emplace(std::move(name), net::TrimBlanks(line.substr(equals + 1)));
  }
}

class Profile {
 public:
  explicit Profile(OciIdentityOptions options) : options_(std::move(options)) {}

  StatusOr<OciIdentity> Read(const Context& context) const {
    const Properties properties = Collect();
    if (Get(properties, "authentication_type") == "instance_principal") {
      if (!Get(properties, "delegation_token_file").empty()) {
        return Unimplemented("delegation_token_file of the OCI configuration is not supported");
      }
      return OciInstancePrincipal(options_)(context);
    }
    OciIdentity identity;
    ASSIGN_OR_RETURN(const std::string region, Require(properties, "region"));
    identity.region_domain = OciRegionDomain(region, options_.variables);
    ASSIGN_OR_RETURN(const std::string key_file, Require(properties, "key_file"));
    ASSIGN_OR_RETURN(const std::string pem, ReadFile(Expand(key_file), kMaxFileBytes));
    StatusOr<std::shared_ptr<const RsaKey>> key = RsaKey::Parse(pem, Get(properties, "passphrase"));
    RETURN_IF_ERROR(Annotate(key.status(), key_file));
    identity.key = *std::move(key);
    const std::string token_file = Get(properties, "security_token_file");
    if (Get(properties, "user").empty() && !token_file.empty()) {
      ASSIGN_OR_RETURN(const std::string token, net::ReadSecret(Expand(token_file)));
      identity.key_id = "ST$" + token;
      ASSIGN_OR_RETURN(identity.expires_ms, ExpiryOfToken(token));
      return identity;
    }
    ASSIGN_OR_RETURN(const std::string tenancy, Require(properties, "tenancy"));
    ASSIGN_OR_RETURN(const std::string user, Require(properties, "user"));
    ASSIGN_OR_RETURN(const std::string fingerprint, Require(properties, "fingerprint"));
    identity.key_id = fmt::format("{}/{}/{}", tenancy, user, fingerprint);
    return identity;
  }

 private:
  std::string Variable(const char* name) const { return options_.variables(name).value_or(""); }

  static std::string Get(const Properties& properties, const char* name) {
    const auto found = properties.find(name);
    return found == properties.end() ? std::string() : found->second;
  }

  static StatusOr<std::string> Require(const Properties& properties, const char* name) {
    std::string value = Get(properties, name);
    if (!value.empty()) return value;
    return MakeError(StatusCode::kUnauthenticated,
                     fmt::format("the OCI configuration lacks {}: neither ~/.oci/config nor the "
                                 "variables TF_VAR_… have it",
                                 name));
  }

  std::string Expand(std::string_view path) const {
    return path.starts_with("~/") ? Variable("HOME") + std::string(path.substr(1))
                                  : std::string(path);
  }

  // Those that come first win.
  Properties Collect() const {
    Properties properties;
    StatusOr<std::string> file = ReadFile(Expand("~/.oci/config"), kMaxFileBytes);
    if (!file.ok() && !Variable("OCI_CONFIG_FILE").empty()) {
      file = ReadFile(Expand(Variable("OCI_CONFIG_FILE")), kMaxFileBytes);
    }
    if (file.ok()) AddProfile(*file, properties);
    file = ReadFile(Expand("~/.obmcs/config"), kMaxFileBytes);
    if (file.ok()) AddProfile(*file, properties);
    struct Source {
      const char* property;
      const char* variable;
    };
    static constexpr auto kSources = std::to_array<Source>({
        {"tenancy", "TF_VAR_tenancy_ocid"},
        {"user", "TF_VAR_user_ocid"},
        {"fingerprint", "TF_VAR_fingerprint"},
        {"key_file", "TF_VAR_private_key_path"},
        {"region", "TF_VAR_region"},
        {"region", "OCI_REGION"},
    });
    for (const Source& source : kSources) {
      if (const auto value = options_.variables(source.variable); value && !value->empty()) {
        properties.emplace(source.property, *value);
      }
    }
    return properties;
  }

  const OciIdentityOptions options_;
};

}  // namespace

KeptOciIdentity::Ask OciProfile(OciIdentityOptions options) {
  return [profile = std::make_shared<Profile>(std::move(options))](const Context& context) {
    return profile->Read(context);
  };
}

}  // namespace aevum::objstore
