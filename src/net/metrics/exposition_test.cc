#include "net/metrics/exposition.h"

#include <bit>
#include <charconv>
#include <fstream>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/summary.h>

#include "net/metrics/process_collector.h"

namespace aevum::net {
namespace {

std::string Number(double value, ExpositionFormat format) {
  std::string out;
  AppendMetricNumber(value, format, &out);
  return out;
}

TEST(MetricNumberTest, PrintsWhatThanosPrints) {
  std::ifstream file(AEVUM_SOURCE_DIR "/src/net/testdata/metric_numbers.tsv");
  std::string line;
  std::getline(file, line);
  int count = 0;
  while (std::getline(file, line)) {
    std::istringstream cells(line);
    std::string bits, text, open, le;
    cells >> bits >> text >> open >> le;
    std::uint64_t number = 0;
    std::from_chars(bits.data(), bits.data() + bits.size(), number, 16);
    const auto value = std::bit_cast<double>(number);
    SCOPED_TRACE(bits);
    EXPECT_EQ(Number(value, ExpositionFormat::kText), text);
    EXPECT_EQ(Number(value, ExpositionFormat::kOpenMetrics), open);
    EXPECT_EQ(Number(value, ExpositionFormat::kOpenMetrics), le);
    ++count;
  }
  EXPECT_GT(count, 80);
}

std::shared_ptr<prometheus::Registry> Sample() {
  auto registry = std::make_shared<prometheus::Registry>();
  auto& counter =
      prometheus::BuildCounter().Name("b_total").Help("line\n\"q\" \\").Register(*registry);
  counter.Add({{"x", "2"}}).Increment(3);
  counter.Add({{"x", "1\"\n\\"}}).Increment(1e6);
  prometheus::BuildCounter().Name("odd").Help("").Register(*registry).Add({}).Increment();
  prometheus::BuildGauge().Name("a").Help("A gauge.").Register(*registry).Add({}).Set(-0.5);
  prometheus::BuildGauge().Name("empty").Help("None.").Register(*registry);
  prometheus::BuildHistogram()
      .Name("h")
      .Help("H.")
      .Register(*registry)
      .Add({{"m", "n"}}, prometheus::Histogram::BucketBoundaries{0.1, 1})
      .Observe(0.5);
  return registry;
}

TEST(ExpositionTest, WritesTheTextFormat) {
  EXPECT_EQ(WriteExposition({Sample()}, ExpositionFormat::kText), R"(# HELP a A gauge.
# TYPE a gauge
a -0.5
# HELP b_total line\n"q" \\
# TYPE b_total counter
b_total{x="1\"\n\\"} 1e+06
b_total{x="2"} 3
# HELP h H.
# TYPE h histogram
h_bucket{m="n",le="0.1"} 0
h_bucket{m="n",le="1"} 1
h_bucket{m="n",le="+Inf"} 1
h_sum{m="n"} 0.5
h_count{m="n"} 1
# TYPE odd counter
odd 1
)");
}

TEST(ExpositionTest, WritesOpenMetrics) {
  EXPECT_EQ(WriteExposition({Sample()}, ExpositionFormat::kOpenMetrics), R"(# HELP a A gauge.
# TYPE a gauge
a -0.5
# HELP b line\n\"q\" \\
# TYPE b counter
b_total{x="1\"\n\\"} 1e+06
b_total{x="2"} 3.0
# HELP h H.
# TYPE h histogram
h_bucket{m="n",le="0.1"} 0
h_bucket{m="n",le="1.0"} 1
h_bucket{m="n",le="+Inf"} 1
h_sum{m="n"} 0.5
h_count{m="n"} 1
# TYPE odd unknown
odd 1.0
# EOF
)");
}

TEST(ExpositionTest, JoinsFamiliesOfOneName) {
  const std::string text = WriteExposition({Sample(), Sample()}, ExpositionFormat::kText);
  EXPECT_EQ(text.find("# TYPE a gauge"), text.rfind("# TYPE a gauge"));
}

TEST(ExpositionTest, Negotiates) {
  struct Case {
    std::string accept;
    ExpositionFormat format;
  };
  const Case cases[] = {
      {"", ExpositionFormat::kText},
      {"*/*", ExpositionFormat::kText},
      {"text/html, */*;q=0.8", ExpositionFormat::kText},
      {"application/openmetrics-text; version=1.0.0", ExpositionFormat::kOpenMetrics},
      {"application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;"
       "q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
       ExpositionFormat::kOpenMetrics},
      {"application/openmetrics-text;q=0.3,text/plain;q=0.5", ExpositionFormat::kText},
      {"application/openmetrics-text;q=0", ExpositionFormat::kText},
      {"application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily,text/plain",
       ExpositionFormat::kText},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.accept);
    EXPECT_EQ(NegotiateExposition(c.accept), c.format);
  }
}

TEST(ProcessCollectorTest, TellsOfThisProcess) {
  std::map<std::string, double> values;
  for (const auto& family : ProcessCollector().Collect()) {
    ASSERT_EQ(family.metric.size(), 1u);
    const auto& metric = family.metric[0];
    values[family.name] =
        family.type == prometheus::MetricType::Counter ? metric.counter.value : metric.gauge.value;
  }
  for (const char* name :
       {"process_cpu_seconds_total", "process_resident_memory_bytes",
        "process_virtual_memory_bytes", "process_virtual_memory_max_bytes", "process_open_fds",
        "process_max_fds", "process_start_time_seconds", "process_network_receive_bytes_total",
        "process_network_transmit_bytes_total"}) {
    EXPECT_TRUE(values.contains(name)) << name;
  }
  EXPECT_GT(values["process_resident_memory_bytes"], 1 << 20);
  EXPECT_GE(values["process_virtual_memory_bytes"], values["process_resident_memory_bytes"]);
  EXPECT_GE(values["process_open_fds"], 3);
  EXPECT_GT(values["process_max_fds"], values["process_open_fds"]);
  const double now = static_cast<double>(std::time(nullptr));
  EXPECT_NEAR(values["process_start_time_seconds"], now, 3600);
}

}  // namespace
}  // namespace aevum::net
