#include "query/tenancy.h"

namespace aevum::query {
namespace {

void Replace(const model::Matcher& enforced, model::Matchers* matchers) {
  std::erase_if(*matchers,
                [&](const model::Matcher& other) { return other.name() == enforced.name(); });
  matchers->push_back(enforced);
}

class TenantQueryable final : public promql::Queryable {
 public:
  TenantQueryable(std::unique_ptr<promql::Queryable> source, std::string label, std::string tenant)
      : source_(std::move(source)),
        matcher_(model::Matcher::Equal(std::move(label), std::move(tenant))) {}

  StatusOr<std::unique_ptr<promql::SelectStream>> Select(
      const Context& context, const model::Matchers& matchers,
      const promql::SelectHints& hints) override {
    model::Matchers enforced = matchers;
    Replace(matcher_, &enforced);
    return source_->Select(context, enforced, hints);
  }
  bool MatchesOnLabels(std::string_view label) const override {
    // What a query says of the tenant's label does not hold.
    return label != matcher_.name() && source_->MatchesOnLabels(label);
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

StatusOr<model::TenantName> TenantOf(const TenancyOptions& options,
                                     const net::HttpRequest& request) {
  if (options.certificate_field.empty()) {
    std::string_view tenant = request.Header(options.header);
    if (tenant.empty()) tenant = request.Header("THANOS-TENANT");
    return CheckedTenant(options, tenant);
  }
  const std::string_view tenant = CertificateField(options.certificate_field, request);
  if (tenant.empty()) {
    return InvalidArgument("could not get required certificate field {} from client cert",
                           options.certificate_field);
  }
  return CheckedTenant(options, tenant);
}

StatusOr<model::TenantName> CheckedTenant(const TenancyOptions& options, std::string_view tenant) {
  return model::TenantName::Parse(tenant.empty() ? options.default_tenant : tenant);
}

std::unique_ptr<promql::Queryable> EnforceTenant(std::unique_ptr<promql::Queryable> source,
                                                 std::string label, std::string tenant) {
  return std::make_unique<TenantQueryable>(std::move(source), std::move(label), std::move(tenant));
}

void EnforceTenant(const std::string& label, const std::string& tenant,
                   std::vector<model::Matchers>* matchers) {
  const model::Matcher enforced = model::Matcher::Equal(label, tenant);
  if (matchers->empty()) matchers->emplace_back();
  for (model::Matchers& list : *matchers) Replace(enforced, &list);
}

}  // namespace aevum::query
