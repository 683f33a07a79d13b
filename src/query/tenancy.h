// Who asks, and that they see their own series only.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/context.h"
#include "model/matcher.h"
#include "model/tenant_name.h"
#include "net/http/server.h"
#include "promql/queryable.h"

namespace aevum::query {

// The flags --query.tenant-header and its kin.
struct TenancyOptions {
  std::string header = "THANOS-TENANT";
  std::string default_tenant = "default-tenant";
  std::string certificate_field;  // "", organization, organizationalUnit, commonName
  bool enforce = false;
  std::string label = "tenant_id";
};

// The tenant of a request. InvalidArgument when a certificate is asked for and does not name one,
// or when the name is none (see model::TenantName).
StatusOr<model::TenantName> TenantOf(const TenancyOptions& options,
                                     const net::HttpRequest& request);

// A tenant that was named in another way, or the default one for "". InvalidArgument as above.
StatusOr<model::TenantName> CheckedTenant(const TenancyOptions& options, std::string_view tenant);

// A source whose selects have the tenant's matcher in place of all others on the tenant's label.
std::unique_ptr<promql::Queryable> EnforceTenant(std::unique_ptr<promql::Queryable> source,
                                                 std::string label, std::string tenant);

// Puts the tenant's matcher into each list in place of all others on the tenant's label; where
// there is no list, it is the only one.
void EnforceTenant(const std::string& label, const std::string& tenant,
                   std::vector<model::Matchers>* matchers);

}  // namespace aevum::query
