#include "objstore/signing/oci_regions.h"

#include <algorithm>
#include <array>

#include "net/http/form.h"

namespace aevum::objstore {
namespace {

struct Entry {
  std::string_view key;
  std::string_view value;
};

// The short names of those regions that have one, in order.
constexpr auto kShortNames = std::to_array<Entry>({
    {"aga", "us-saltlake-2"},     {"ahu", "me-abudhabi-3"},     {"ams", "eu-amsterdam-1"},
    {"arn", "eu-stockholm-1"},    {"auh", "me-abudhabi-1"},     {"avf", "eu-crissier-1"},
    {"avz", "eu-dcc-zurich-1"},   {"beg", "eu-jovanovac-1"},    {"bgy", "eu-dcc-milan-1"},
    {"bno", "ap-chuncheon-2"},    {"bog", "sa-bogota-1"},       {"bom", "ap-mumbai-1"},
    {"brs", "uk-gov-cardiff-1"},  {"cdg", "eu-paris-1"},        {"cwl", "uk-cardiff-1"},
    {"dac", "ap-dcc-gazipur-1"},  {"dln", "ap-suwon-1"},        {"doh", "me-dcc-doha-1"},
    {"dtm", "eu-dcc-rating-2"},   {"dtz", "ap-seoul-2"},        {"dus", "eu-dcc-rating-1"},
    {"dxb", "me-dubai-1"},        {"ebb", "us-somerset-1"},     {"ebl", "us-thames-1"},
    {"fra", "eu-frankfurt-1"},    {"gru", "sa-saopaulo-1"},     {"hnw", "sa-riodejaneiro-1"},
    {"hsg", "ap-batam-1"},        {"hyd", "ap-hyderabad-1"},    {"iad", "us-ashburn-1"},
    {"ibr", "me-ibri-1"},         {"icn", "ap-seoul-1"},        {"jbp", "ap-kulai-2"},
    {"jed", "me-jeddah-1"},       {"jnb", "af-johannesburg-1"}, {"jsk", "eu-budapest-1"},
    {"kix", "ap-osaka-1"},        {"lej", "af-casablanca-1"},   {"lfi", "us-langley-1"},
    {"lhr", "uk-london-1"},       {"lin", "eu-milan-1"},        {"ltn", "uk-gov-london-1"},
    {"luf", "us-luke-1"},         {"mad", "eu-madrid-1"},       {"mct", "me-dcc-muscat-1"},
    {"mel", "ap-melbourne-1"},    {"mrs", "eu-marseille-1"},    {"mty", "mx-monterrey-1"},
    {"mtz", "il-jerusalem-1"},    {"mxp", "eu-dcc-milan-2"},    {"nja", "ap-chiyoda-1"},
    {"nrq", "eu-turin-1"},        {"nrt", "ap-tokyo-1"},        {"onm", "ap-delhi-1"},
    {"ord", "us-chicago-1"},      {"orf", "eu-madrid-3"},       {"ork", "eu-dcc-dublin-1"},
    {"pgc", "us-newark-1"},       {"phx", "us-phoenix-1"},      {"pia", "us-gov-chicago-1"},
    {"qro", "mx-queretaro-1"},    {"rba", "me-alain-1"},        {"ric", "us-gov-ashburn-1"},
    {"rkt", "me-abudhabi-2"},     {"ruh", "me-riyadh-1"},       {"scl", "sa-santiago-1"},
    {"shj", "me-abudhabi-4"},     {"sin", "ap-singapore-1"},    {"sjc", "us-sanjose-1"},
    {"snn", "eu-dcc-dublin-2"},   {"str", "eu-frankfurt-2"},    {"syd", "ap-sydney-1"},
    {"tus", "us-gov-phoenix-1"},  {"ukb", "ap-ibaraki-1"},      {"vap", "sa-valparaiso-1"},
    {"vcp", "sa-vinhedo-1"},      {"vll", "eu-madrid-2"},       {"vve", "me-alrayyan-1"},
    {"wga", "ap-dcc-canberra-1"}, {"xsp", "ap-singapore-2"},    {"yny", "ap-chuncheon-1"},
    {"yul", "ca-montreal-1"},     {"yxj", "us-ashburn-2"},      {"yyz", "ca-toronto-1"},
    {"zrh", "eu-zurich-1"},
});

// The domains of those regions that are not in the commercial realm, in order.
constexpr auto kDomains = std::to_array<Entry>({
    {"ap-chiyoda-1", "oraclecloud8.com"},       {"ap-chuncheon-2", "oraclecloud35.com"},
    {"ap-dcc-canberra-1", "oraclecloud10.com"}, {"ap-dcc-gazipur-1", "oraclecloud15.com"},
    {"ap-ibaraki-1", "oraclecloud8.com"},       {"ap-seoul-2", "oraclecloud35.com"},
    {"ap-suwon-1", "oraclecloud35.com"},        {"eu-budapest-1", "oraclecloud51.com"},
    {"eu-crissier-1", "oraclecloud24.com"},     {"eu-dcc-dublin-1", "oraclecloud14.com"},
    {"eu-dcc-dublin-2", "oraclecloud14.com"},   {"eu-dcc-milan-1", "oraclecloud14.com"},
    {"eu-dcc-milan-2", "oraclecloud14.com"},    {"eu-dcc-rating-1", "oraclecloud14.com"},
    {"eu-dcc-rating-2", "oraclecloud14.com"},   {"eu-dcc-zurich-1", "oraclecloud24.com"},
    {"eu-frankfurt-2", "oraclecloud.eu"},       {"eu-jovanovac-1", "oraclecloud20.com"},
    {"eu-madrid-2", "oraclecloud.eu"},          {"me-abudhabi-2", "oraclecloud29.com"},
    {"me-abudhabi-3", "oraclecloud26.com"},     {"me-abudhabi-4", "oraclecloud29.com"},
    {"me-alain-1", "oraclecloud26.com"},        {"me-alrayyan-1", "oraclecloud21.com"},
    {"me-dcc-doha-1", "oraclecloud21.com"},     {"me-dcc-muscat-1", "oraclecloud9.com"},
    {"me-ibri-1", "oraclecloud9.com"},          {"sa-riodejaneiro-1", "oraclecloud52.com"},
    {"uk-gov-cardiff-1", "oraclegovcloud.uk"},  {"uk-gov-london-1", "oraclegovcloud.uk"},
    {"us-ashburn-2", "oraclecloud42.com"},      {"us-gov-ashburn-1", "oraclegovcloud.com"},
    {"us-gov-chicago-1", "oraclegovcloud.com"}, {"us-gov-phoenix-1", "oraclegovcloud.com"},
    {"us-langley-1", "oraclegovcloud.com"},     {"us-luke-1", "oraclegovcloud.com"},
    {"us-newark-1", "oraclecloud42.com"},       {"us-somerset-1", "oraclecloud23.com"},
    {"us-thames-1", "oraclecloud23.com"},
});

// "" when it is not there.
template <std::size_t kSize>
std::string_view Find(const std::array<Entry, kSize>& table, std::string_view key) {
  const auto found =
      std::lower_bound(table.begin(), table.end(), key,
                       [](const Entry& entry, std::string_view name) { return entry.key < name; });
  return found != table.end() && found->key == key ? found->value : std::string_view();
}

}  // namespace

std::string OciRegionDomain(std::string_view region, const Environment& variables) {
  std::string name = net::ToLower(region);
  if (name.find('.') != std::string::npos) return name;
  if (const std::string_view whole = Find(kShortNames, name); !whole.empty()) name = whole;
  std::string domain(Find(kDomains, name));
  if (domain.empty()) domain = variables("OCI_DEFAULT_REALM").value_or("");
  if (domain.empty()) domain = "oraclecloud.com";
  return name + "." + domain;
}

}  // namespace aevum::objstore
