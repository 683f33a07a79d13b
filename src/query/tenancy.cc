#include "query/tenancy.h"

namespace aevum::query {
namespace {

class TenantQueryable final : public promql::Queryable {
 public:
  TenantQueryable(std::unique_ptr<promql::Queryable> source, std::string label, std::string tenant)
      : source_(std::move(source)),
        matcher_(model::Matcher::Equal(std::move(label), std::move(tenant))) {}

  StatusOr<std::unique_ptr<promql::SelectStream>> Select(
      const Context& context, const model::Matchers& matchers,
      const promql::SelectHints& hints) override {
    model::Matchers enforced = matchers;
    enforced.push_back(matcher_);
    return source_->Select(context, enforced, hints);
  }
  bool MatchesOnLabels(std::string_view label) const override {
    return source_->MatchesOnLabels(label);
  }

 private:
  const std::unique_ptr<promql::Queryable> source_;
  const model::Matcher matcher_;
};

std::string_view CertificateField(const std::string& field, const net::HttpRequest& request) {
  if (field == "organization") return request.tls_organization;
  if (field == "organizationalUnit") return request.tls_organizational_unit;
  return request.tls_common_name;
}

}  // namespace

StatusOr<std::string> TenantOf(const TenancyOptions& options, const net::HttpRequest& request) {
  std::string tenant;
  if (!options.certificate_field.empty()) {
    tenant = CertificateField(options.certificate_field, request);
    if (tenant.empty()) {
      return InvalidArgument("could not get required certificate field {} from client cert",
                             options.certificate_field);
    }
  } else {
    tenant = request.Header(options.header);
    if (tenant.empty()) tenant = request.Header("THANOS-TENANT");
  }
  return CheckedTenant(options, std::move(tenant));
}

StatusOr<std::string> CheckedTenant(const TenancyOptions& options, std::string tenant) {
  if (tenant.empty()) tenant = options.default_tenant;
  if (tenant.empty() || tenant.find('/') != std::string::npos || tenant == "." || tenant == "..") {
    return InvalidArgument("tenant name not valid: \"{}\"", tenant);
  }
  return tenant;
}

std::unique_ptr<promql::Queryable> EnforceTenant(std::unique_ptr<promql::Queryable> source,
                                                 std::string label, std::string tenant) {
  return std::make_unique<TenantQueryable>(std::move(source), std::move(label), std::move(tenant));
}

void EnforceTenant(const std::string& label, const std::string& tenant,
                   std::vector<model::Matchers>* matchers) {
  const model::Matcher enforced = model::Matcher::Equal(label, tenant);
  if (matchers->empty()) matchers->emplace_back();
  for (model::Matchers& list : *matchers) list.push_back(enforced);
}

}  // namespace aevum::query
