#include "net/tracing/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace aevum::net {
namespace {

using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;
using ::testing::SizeIs;

StatusOr<TracingConfig> Parse(std::string_view yaml) {
  return ParseTracingConfig(yaml, "aevum-query",
                            [](const std::string& name) -> std::optional<std::string> {
                              if (name == "REGION") return "eu";
                              return std::nullopt;
                            });
}

TEST(TracingConfigTest, ReadsOtlpOverHttp) {
  const auto config = Parse(R"(
type: otlp
config:
  client_type: http
  service_name: thanos-query
  resource_attributes: {region: eu, zone: "1"}
  endpoint: collector:4318
  insecure: true
  url_path: traces
  timeout: 3s
  compression: gzip
  headers: {X-Token: secret}
  retry_config: {retry_enabled: true, retry_initial_interval: 1s, retry_max_interval: 2s, retry_max_elapsed_time: 3s}
  sampler_type: ParentBasedTraceIDRatioBased
  sampler_param: "0.25"
)");
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->resource.service_name, "thanos-query");
  EXPECT_THAT(config->resource.attributes, ElementsAre(Pair("region", "eu"), Pair("zone", "1")));
  const auto& http = std::get<OtlpHttpOptions>(config->exporter);
  EXPECT_EQ(http.url, "http://collector:4318/traces");
  EXPECT_EQ(http.compression, OtlpCompression::kGzip);
  EXPECT_THAT(http.headers, ElementsAre(Pair("X-Token", "secret")));
  EXPECT_EQ(config->tracer.export_timeout, seconds(3));
  EXPECT_EQ(config->tracer.retry_first, seconds(1));
  EXPECT_EQ(config->tracer.retry_longest, seconds(2));
  EXPECT_EQ(config->tracer.retry_total, seconds(3));
  EXPECT_EQ(config->tracer.sampler.kind, SamplerKind::kRatio);
  EXPECT_EQ(config->tracer.sampler.param, 0.25);
  EXPECT_TRUE(config->tracer.sampler.follow_sampled_parent);
  EXPECT_THAT(config->without_effect, SizeIs(0));
}

TEST(TracingConfigTest, ReadsOtlpOverGrpc) {
  const auto config = Parse(R"(
type: OTLP
config:
  client_type: grpc
  endpoint: "[::1]:4317"
  reconnection_period: 5s
  headers: {X-Token: secret}
  tls_config: {ca_file: ca.pem, server_name: collector, insecure_skip_verify: true}
  sampler_type: neversample
)");
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->resource.service_name, "aevum-query");
  const auto& grpc = std::get<OtlpGrpcOptions>(config->exporter);
  EXPECT_EQ(grpc.channel.address, "[::1]:4317");
  EXPECT_TRUE(grpc.channel.tls.enabled);
  EXPECT_TRUE(grpc.channel.tls.insecure_skip_verify);
  EXPECT_EQ(grpc.channel.tls.ca_file, "ca.pem");
  EXPECT_EQ(grpc.channel.tls.server_name, "collector");
  EXPECT_THAT(grpc.headers, ElementsAre(Pair("x-token", "secret")));
  EXPECT_EQ(config->tracer.sampler.kind, SamplerKind::kNever);
  EXPECT_FALSE(config->tracer.sampler.follow_sampled_parent);
  EXPECT_FALSE(config->tracer.sampler.follow_unsampled_parent);
  EXPECT_THAT(config->without_effect, ElementsAre(HasSubstr("reconnection_period")));
}

TEST(TracingConfigTest, HasTheDefaultsOfTheProtocol) {
  const auto http = Parse("{type: OTLP, config: {client_type: http}}");
  ASSERT_TRUE(http.ok()) << http.status();
  EXPECT_EQ(std::get<OtlpHttpOptions>(http->exporter).url, "https://localhost:4318/v1/traces");
  EXPECT_EQ(http->tracer.sampler.kind, SamplerKind::kAlways);
  EXPECT_TRUE(http->tracer.sampler.follow_unsampled_parent);
  EXPECT_EQ(http->tracer.export_timeout, seconds(10));
  const auto grpc = Parse("{type: OTLP, config: {client_type: grpc, insecure: true}}");
  ASSERT_TRUE(grpc.ok()) << grpc.status();
  EXPECT_EQ(std::get<OtlpGrpcOptions>(grpc->exporter).channel.address, "localhost:4317");
  EXPECT_FALSE(std::get<OtlpGrpcOptions>(grpc->exporter).channel.tls.enabled);
}

TEST(TracingConfigTest, ReadsJaeger) {
  const auto config = Parse(R"(
type: JAEGER
config:
  service_name: thanos
  tags: "a=b, region=${REGION:us}, zone=${ZONE:1}, none=${ZONE}"
  sampler_type: const
  sampler_param: 1
  sampler_parent_config: {remote_parent_sampled: true}
  reporter_max_queue_size: 100
  reporter_flush_interval: 2s
  endpoint: http://jaeger:14268/api/traces
  user: me
  password: secret
  traceid_128bit: true
  rpc_metrics: true
)");
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_THAT(config->resource.attributes, ElementsAre(Pair("a", "b"), Pair("region", "eu"),
                                                       Pair("zone", "1"), Pair("none", "")));
  const auto& http = std::get<JaegerHttpOptions>(config->exporter);
  EXPECT_EQ(http.url, "http://jaeger:14268/api/traces");
  EXPECT_EQ(http.client.basic_auth_username, "me");
  EXPECT_EQ(http.client.basic_auth_password, "secret");
  EXPECT_EQ(config->tracer.queue_spans, 100U);
  EXPECT_EQ(config->tracer.batch_spans, 100U);
  EXPECT_EQ(config->tracer.flush_interval, seconds(2));
  EXPECT_EQ(config->tracer.sampler.kind, SamplerKind::kAlways);
  EXPECT_FALSE(config->tracer.sampler.follow_sampled_parent);
  EXPECT_TRUE(config->tracer.sampler.follow_unsampled_parent);
  EXPECT_THAT(config->without_effect, ElementsAre("rpc_metrics"));
}

TEST(TracingConfigTest, TakesTheAgentWithoutAnEndpoint) {
  const auto local = Parse("{type: JAEGER, config: {sampler_param: 2.5}}");
  ASSERT_TRUE(local.ok()) << local.status();
  EXPECT_EQ(std::get<JaegerAgentOptions>(local->exporter).host, "localhost");
  EXPECT_EQ(std::get<JaegerAgentOptions>(local->exporter).port, 6831);
  EXPECT_EQ(local->tracer.sampler.kind, SamplerKind::kRateLimit);
  EXPECT_EQ(local->tracer.sampler.param, 2.5);
  const auto other = Parse(
      "{type: JAEGER, config: {agent_host: agent, agent_port: 1, sampler_type: probabilistic, "
      "sampler_param: 0.5}}");
  ASSERT_TRUE(other.ok()) << other.status();
  EXPECT_EQ(std::get<JaegerAgentOptions>(other->exporter).host, "agent");
  EXPECT_EQ(std::get<JaegerAgentOptions>(other->exporter).port, 1);
  EXPECT_EQ(other->tracer.sampler.kind, SamplerKind::kRatio);
  EXPECT_THAT(Parse("{type: JAEGER}")->without_effect, ElementsAre(HasSubstr("sampler_param")));
}

TEST(TracingConfigTest, RefusesWhatItCanNotDo) {
  struct Case {
    std::string yaml;
    std::string error;
  };
  const Case cases[] = {
      {"", "type: must be OTLP or JAEGER"},
      {"type: ZIPKIN", "type: must be OTLP or JAEGER, got \"ZIPKIN\""},
      {"type: Google_Cloud", "exporter googlecloud"},
      {"type: STACKDRIVER", "type STACKDRIVER is not available"},
      {"type: ELASTIC_APM", "APM Server takes it"},
      {"type: LIGHTSTEP", "lightstep-access-token"},
      {"[1]", "is not a map"},
      {"{", "not YAML"},
      {"{type: OTLP, confg: {}}", "unknown field in the tracing configuration: confg"},
      {"{type: OTLP}", "client_type: must be grpc or http"},
      {"{type: OTLP, config: [1]}", "config is not a map"},
      {"type: OTLP\nconfig:\n  client_type: http\n  x: 1", "line 4: unknown field in config: x"},
      {"{type: OTLP, config: {client_type: udp}}", "got \"udp\""},
      {"{type: OTLP, config: {client_type: http, endpoint: \"http://a:1\"}}", "without scheme"},
      {"{type: OTLP, config: {client_type: grpc, endpoint: a}}", "must be host:port"},
      {"{type: OTLP, config: {client_type: http, compression: zstd}}", "got \"zstd\""},
      {"{type: OTLP, config: {client_type: http, timeout: soon}}", "not a duration"},
      {"{type: OTLP, config: {client_type: http, timeout: -1s}}", "negative"},
      {"{type: OTLP, config: {client_type: http, headers: {\"a b\": c}}}", "can't be sent"},
      {"{type: OTLP, config: {client_type: http, headers: {a: \"b\\nc\"}}}", "can't be sent"},
      {"{type: OTLP, config: {client_type: http, headers: [a]}}", "not a map of names"},
      {"{type: OTLP, config: {client_type: http, sampler_type: maybe}}", "got \"maybe\""},
      {"{type: OTLP, config: {client_type: http, sampler_type: traceidratiobased}}",
       "sampler_param: not a number"},
      {"{type: OTLP, config: {client_type: http, tls_config: {cert_file: a}}}", "go together"},
      {"{type: OTLP, config: {client_type: http, retry_config: {retry_enabled: true, "
       "retry_initial_interval: 60s}}}",
       "above retry_max_interval"},
      {"{type: JAEGER, config: {sampler_type: remote}}", "sampling server"},
      {"{type: JAEGER, config: {sampler_type: x}}", "got \"x\""},
      {"{type: JAEGER, config: {sampler_param: x}}", "not a number"},
      {"{type: JAEGER, config: {sampler_parent_config: {local_parent_sampled: true}}}",
       "local_parent_sampled"},
      {"{type: JAEGER, config: {endpoint: \"jaeger:14268\"}}", "must be a URL"},
      {"{type: JAEGER, config: {agent_host: a}}", "go together"},
      {"{type: JAEGER, config: {agent_host: a, agent_port: 70000}}", "no port: 70000"},
      {"{type: JAEGER, config: {reporter_max_queue_size: -1}}", "reporter_max_queue_size"},
      {"{type: JAEGER, config: {tags: a}}", "must be name=value"},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.yaml);
    const Status status = Parse(c.yaml).status();
    EXPECT_EQ(status.code(), StatusCode::kInvalidArgument);
    EXPECT_THAT(std::string(status.message()), HasSubstr("tracing configuration"));
    EXPECT_THAT(std::string(status.message()), HasSubstr(c.error));
  }
}

TEST(TracingConfigTest, MakesTheExporterOfEachType) {
  for (const char* yaml :
       {"{type: OTLP, config: {client_type: http}}", "{type: OTLP, config: {client_type: grpc}}",
        "{type: JAEGER}", "{type: JAEGER, config: {endpoint: \"http://j:1/api/traces\"}}"}) {
    SCOPED_TRACE(yaml);
    const auto config = Parse(yaml);
    ASSERT_TRUE(config.ok()) << config.status();
    EXPECT_NE(MakeExporter(*config), nullptr);
  }
}

}  // namespace
}  // namespace aevum::net
