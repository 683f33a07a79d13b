// Who asks, and that they see their own series only.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/context.h"
#include "model/matcher.h"
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
// or when the name could be a path.
StatusOr<std::string> TenantOf(const TenancyOptions& options, const net::HttpRequest& request);

// A tenant that was named in another way, or the default one for "". InvalidArgument as above.
StatusOr<std::string> CheckedTenant(const TenancyOptions& options, std::string tenant);

// A source that adds a matcher on the tenant's label to every select.
std::unique_ptr<promql::Queryable> EnforceTenant(std::unique_ptr<promql::Queryable> source,
                                                 std::string label, std::string tenant);

// Adds the tenant's matcher to each list of matchers; to none at all, it is the only list.
void EnforceTenant(const std::string& label, const std::string& tenant,
                   std::vector<model::Matchers>* matchers);

}  // namespace aevum::query
