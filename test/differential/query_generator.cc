#include "query_generator.h"

#include <algorithm>

#include <fmt/core.h>
#include <fmt/ranges.h>

#include "test_data.h"

namespace aevum::promql::differential {

std::string Query::ToString() const {
  if (instant) return fmt::format("instant at {}: {}", start, text);
  return fmt::format("range from {} to {} step {}: {}", start, end, step, text);
}

std::string QueryGenerator::Pick(Words words) {
  return std::string(words.begin()[Below(static_cast<int>(words.size()))]);
}

Query QueryGenerator::Next() {
  Query query;
  const auto length = static_cast<double>(kDataEnd - kDataStart);
  // Now and then before or behind all samples.
  const double place = Chance(0.05) ? Uniform() * 1.4 - 0.2 : 0.1 + Uniform() * 0.8;
  query.start = kDataStart + static_cast<std::int64_t>(place * length);
  if (Chance(0.5)) query.start -= query.start % 1000;
  query.end = query.start;
  query.instant = Chance(0.4);
  if (!query.instant) {
    static constexpr std::int64_t kStepsMs[] = {997, 5'000, 15'000, 37'300, 60'000, 301'000};
    query.step = kStepsMs[Below(6)];
    const std::int64_t steps = Below(24);
    query.end = query.start + steps * query.step + Below(static_cast<int>(query.step));
  }
  const int depth = 1 + Below(4);
  if (query.instant && Chance(0.05)) {
    query.text = Matrix(1);
  } else if (Chance(0.04)) {
    query.text = Scalar(depth);
  } else {
    query.text = Vector(depth);
  }
  return query;
}

// ---- selectors ----

std::string QueryGenerator::AnyMetric() {
  return Pick({"requests_total", "requests_total", "requests_total", "errors_total", "errors_total",
               "temperature", "temperature", "level", "level", "info", "latency_bucket",
               "latency_sum", "fast_total", "swap_old", "swap_new", "rare", "huge"});
}

std::string QueryGenerator::Matchers(std::string_view metric) {
  if (Chance(0.5)) return "";
  std::vector<std::string> all = {
      Pick({R"(job="api")", R"(job="db")", R"(job=~"a.+")", R"(job!="api")", R"(job=~".*")"})};
  if (metric != "rare" && Chance(0.5)) {
    all.push_back(
        Pick({R"(instance="0")", R"(instance=~"0|1")", R"(instance!~"2")", R"(instance!="1")"}));
  }
  if (metric == "requests_total" && Chance(0.5))
    all.push_back(Pick({R"(code="200")", R"(code=~"4..|5..")", R"(code!="404")"}));
  if (Chance(0.03)) all.push_back(Pick({R"(job="none")", R"(zone="")", R"(job="api")"}));
  return fmt::format("{{{}}}", fmt::join(all, ","));
}

std::string QueryGenerator::Modifiers() {
  std::string text;
  if (Chance(0.08)) {
    const std::string at =
        Chance(0.5)
            ? Pick({"start()", "end()"})
            : fmt::format("{:.3f}", static_cast<double>(kDataStart) / 1000 + Uniform() * 3600);
    text += " @ " + at;
  }
  if (Chance(0.12)) {
    text += " offset " + Pick({"37s", "1m", "4m59s", "10m", "-1m13s", "-15s", "1s700ms", "1ms"});
  }
  return text;
}

std::string QueryGenerator::Selector(std::string_view metric) {
  if (Chance(0.04)) {
    return Pick({R"({__name__=~"requests_total|errors_total"})", R"({__name__=~"swap_.*"})",
                 R"({__name__=~"swap_.*",job="api"})", R"({job="db",instance="0"})",
                 R"({__name__=~"l.*",job="api"})"});
  }
  return fmt::format("{}{}", metric, Matchers(metric));
}

std::string QueryGenerator::Leaf() {
  if (Chance(0.03)) return fmt::format("vector({})", Number());
  return Selector(AnyMetric()) + Modifiers();
}

// ---- ranges ----

std::string QueryGenerator::Range(std::string_view metric) {
  if (metric == "fast_total" && Chance(0.8))
    return Pick({"1s700ms", "1118ms", "1235ms", "2s", "5s", "17s300ms", "1s128ms"});
  return Pick({"25s", "31s952ms", "1m", "1m30s", "2m37s", "5m", "5m", "10m7s", "20m"});
}

std::string QueryGenerator::Matrix(int depth) {
  if (depth <= 0 || Chance(0.75)) {
    const std::string metric = AnyMetric();
    return fmt::format("{}[{}]{}", Selector(metric), Range(metric), Modifiers());
  }
  const std::string step = Pick({"", "20s", "37s", "1m1s", "15s300ms", "2m"});
  const std::string range = Pick({"1m30s", "2m37s", "5m", "7m1s700ms", "10m"});
  return fmt::format("({})[{}:{}]{}", Vector(depth - 1), range, step, Modifiers());
}

std::string QueryGenerator::WindowFunction(const std::string& matrix, int depth) {
  const double choice = Uniform();
  if (choice < 0.07) return fmt::format("quantile_over_time({}, {})", Rank(depth), matrix);
  if (choice < 0.14) return fmt::format("predict_linear({}, {})", matrix, Scalar(depth - 1));
  if (choice < 0.18) {
    return fmt::format("double_exponential_smoothing({}, {}, {})", matrix, Factor(), Factor());
  }
  if (choice < 0.45)
    return fmt::format("{}({})", Pick({"rate", "rate", "increase", "irate", "delta"}), matrix);
  return fmt::format("{}({})",
                     Pick({"idelta",
                           "deriv",
                           "resets",
                           "changes",
                           "sum_over_time",
                           "avg_over_time",
                           "min_over_time",
                           "max_over_time",
                           "count_over_time",
                           "last_over_time",
                           "first_over_time",
                           "present_over_time",
                           "absent_over_time",
                           "stddev_over_time",
                           "stdvar_over_time",
                           "mad_over_time",
                           "ts_of_min_over_time",
                           "ts_of_max_over_time",
                           "ts_of_first_over_time",
                           "ts_of_last_over_time"}),
                     matrix);
}

// ---- vectors ----

std::string QueryGenerator::Vector(int depth) {
  if (depth <= 0) return Leaf();
  const double choice = Uniform();
  if (choice < 0.05) return Leaf();
  if (choice < 0.28) return WindowFunction(Matrix(depth - 1), depth - 1);
  if (choice < 0.48) return Aggregation(depth - 1);
  if (choice < 0.72) return Binary(depth - 1);
  if (choice < 0.86) return ValueCall(depth - 1);
  if (choice < 0.90) return HistogramCall(depth - 1);
  if (choice < 0.94) return LabelCall(depth - 1);
  if (choice < 0.97) return OtherCall(depth - 1);
  return fmt::format("-({})", Vector(depth - 1));
}

std::string QueryGenerator::Grouping() {
  if (Chance(0.25)) return "";
  return Pick({" by (job)", " by (job)", " by (instance)", " by (job, instance)",
               " by (job, instance)", " by (code)", " by (le)", " by (version, job)",
               " by (__name__)", " without (instance)", " without (code)", " without (job, le)",
               " without ()"});
}

std::string QueryGenerator::Aggregation(int depth) {
  const std::string vector = Vector(depth);
  const std::string grouping = Grouping();
  const double choice = Uniform();
  if (choice < 0.65) {
    const std::string op =
        Pick({"sum", "sum", "avg", "avg", "count", "min", "max", "group", "stddev", "stdvar"});
    return fmt::format("{}{} ({})", op, grouping, vector);
  }
  if (choice < 0.80) {
    return fmt::format("{}{} ({}, {})", Pick({"topk", "topk", "bottomk", "limitk"}), grouping,
                       Limit(depth), vector);
  }
  if (choice < 0.88) return fmt::format("quantile{} ({}, {})", grouping, Rank(depth), vector);
  if (choice < 0.93) {
    return fmt::format("limit_ratio{} ({}, {})", grouping,
                       Pick({"0.3", "0.5", "-0.5", "0", "1", "-1", "2", "scalar(level)"}), vector);
  }
  return fmt::format("count_values{} ({}, {})", grouping,
                     Pick({R"("value")", R"("job")", R"("instance")", R"("value")"}),
                     Chance(0.7) ? fmt::format("round({})", vector) : vector);
}

std::string QueryGenerator::ValueCall(int depth) {
  const std::string vector = Vector(depth);
  const double choice = Uniform();
  if (choice < 0.15) {
    return fmt::format("{}({}, {})", Pick({"clamp_min", "clamp_max"}), vector, Scalar(depth - 1));
  }
  if (choice < 0.25)
    return fmt::format("clamp({}, {}, {})", vector, Scalar(depth - 1), Scalar(depth - 1));
  if (choice < 0.35) {
    if (Chance(0.4)) return fmt::format("round({})", vector);
    return fmt::format("round({}, {})", vector, Scalar(depth - 1));
  }
  if (choice < 0.5) {
    const std::string date = Pick({"minute", "hour", "day_of_week", "day_of_month", "day_of_year",
                                   "days_in_month", "month", "year"});
    if (Chance(0.2)) return date + "()";
    return fmt::format("{}(({}) * {})", date, vector,
                       Pick({"1", "3600", "86400", "-12345.7", "1e7"}));
  }
  return fmt::format("{}({})", Pick({"abs",  "abs",  "ceil", "floor", "floor", "exp",   "sqrt",
                                     "sqrt", "ln",   "ln",   "log2",  "log10", "sgn",   "sgn",
                                     "rad",  "deg",  "sin",  "cos",   "tan",   "asin",  "acos",
                                     "atan", "sinh", "cosh", "tanh",  "asinh", "acosh", "atanh"}),
                     vector);
}

std::string QueryGenerator::LabelCall(int depth) {
  const std::string vector = Vector(depth);
  if (Chance(0.4)) {
    return fmt::format(
        "label_join({}, {}, {})", vector, Pick({R"("joined")", R"("job")", R"("__name__")"}),
        Pick({R"("-", "job", "instance")", R"("", "code", "instance", "none")", R"("/")"}));
  }
  const std::string target =
      Pick({R"("made")", R"("made")", R"("job")", R"("instance")", R"("__name__")"});
  return fmt::format("label_replace({}, {}, {})", vector, target,
                     Pick({R"~("x$1", "job", "a(.*)")~", R"~("$1-${1}", "instance", "(.).*")~",
                           R"~("", "code", ".*")~", R"~("$$", "job", "db")~",
                           R"~("$2", "job", "(.*)")~", R"~("new", "none", "")~"}));
}

std::string QueryGenerator::HistogramCall(int depth) {
  std::string buckets = "latency_bucket" + Matchers("latency_bucket") + Modifiers();
  if (Chance(0.6)) {
    buckets = fmt::format("{}(latency_bucket{}[{}])", Pick({"rate", "increase", "delta"}),
                          Matchers("latency_bucket"), Range("latency_bucket"));
  }
  if (Chance(0.4)) buckets = fmt::format("sum by ({}) ({})", Pick({"le", "le, job"}), buckets);
  if (depth > 0 && Chance(0.1)) buckets = Vector(depth);
  const double choice = Uniform();
  if (choice < 0.6) return fmt::format("histogram_quantile({}, {})", Rank(depth), buckets);
  if (choice < 0.85) {
    return fmt::format("histogram_fraction({}, {}, {})",
                       Pick({"0", "0.1", "-Inf", "0.3", "-2", "NaN"}),
                       Pick({"0.5", "1", "+Inf", "7", "0", "1.7"}), buckets);
  }
  return fmt::format(R"(histogram_quantiles({}, "{}", {}, {}))", buckets, Pick({"q", "job"}),
                     Rank(depth), Rank(depth));
}

std::string QueryGenerator::OtherCall(int depth) {
  const double choice = Uniform();
  if (choice < 0.25) {
    if (Chance(0.5)) return fmt::format("absent({})", Vector(depth));
    return fmt::format("absent({})", Pick({R"(none{job="api",zone=~"a"})", R"(none{a="1",a="2"})",
                                           R"(rare{job="api"})", R"(info{job="none"})"}));
  }
  if (choice < 0.5) return fmt::format("timestamp({})", Chance(0.6) ? Leaf() : Vector(depth));
  if (choice < 0.75) return fmt::format("{}({})", Pick({"sort", "sort_desc"}), Vector(depth));
  if (choice < 0.9) {
    return fmt::format("{}({}, {})", Pick({"sort_by_label", "sort_by_label_desc"}), Vector(depth),
                       Pick({R"("instance")", R"("version", "job")", R"("code", "job")"}));
  }
  return fmt::format("vector({})", Scalar(depth));
}

// ---- binary operators ----

std::string QueryGenerator::Operator() {
  if (Chance(0.65)) return Pick({"+", "-", "*", "/", "%", "^", "atan2"});
  return Pick({"==", "!=", ">", "<", ">=", "<=", "> bool", "== bool", "<= bool"});
}

std::string QueryGenerator::Fill() {
  if (Chance(0.8)) return "";
  return fmt::format("{} ({}) ", Pick({"fill", "fill_left", "fill_right"}),
                     Pick({"0", "1", "-2.5", "NaN"}));
}

std::string QueryGenerator::Binary(int depth) {
  const double choice = Uniform();
  if (choice < 0.3) return WithScalar(depth);
  if (choice < 0.55) return OneToOne(depth);
  if (choice < 0.70) return ManyToOne(depth);
  if (choice < 0.78) return AnyMatching(depth);
  return SetOperation(depth);
}

std::string QueryGenerator::WithScalar(int depth) {
  const std::string vector = Vector(depth);
  const std::string scalar = Scalar(depth);
  if (Chance(0.5)) return fmt::format("({}) {} ({})", vector, Operator(), scalar);
  return fmt::format("({}) {} ({})", scalar, Operator(), vector);
}

std::string QueryGenerator::OneToOne(int depth) {
  if (Chance(0.5)) {
    // The same series on both sides.
    const std::string metric = AnyMetric();
    const std::string left = Selector(metric) + Modifiers();
    const std::string right = Selector(metric) + Modifiers();
    return fmt::format("({}) {} {}({})", left, Operator(), Fill(), right);
  }
  const std::string labels = Pick({"job", "instance", "job, instance"});
  const auto side = [&] {
    const std::string op = Pick({"sum", "avg", "max", "min", "count", "stddev"});
    return fmt::format("{} by ({}) ({})", op, labels, Vector(depth));
  };
  const std::string left = side();
  const std::string matching = Chance(0.5) ? "" : fmt::format("on ({}) ", labels);
  return fmt::format("{} {} {}{}{}", left, Operator(), matching, Fill(), side());
}

std::string QueryGenerator::ManyToOne(int depth) {
  const std::string labels = Pick({"job", "job, instance", "job, instance"});
  std::string many = Vector(depth);
  std::string one =
      Chance(0.4) && labels != "job"
          ? "info" + Matchers("info")
          : fmt::format("{} by ({}) ({})", Pick({"sum", "max", "count"}), labels, Vector(depth));
  const std::string include = Chance(0.3) ? Pick({"version", "le", "none", "version, code"}) : "";
  const bool left = Chance(0.6);
  if (!left) std::swap(many, one);
  return fmt::format("({}) {} on ({}) {}({}) {}({})", many, Operator(), labels,
                     left ? "group_left" : "group_right", include, Fill(), one);
}

std::string QueryGenerator::AnyMatching(int depth) {
  const std::string matching =
      Pick({"", "on () ", "on (job) ", "on (job, instance) ", "ignoring (code) ", "ignoring (le) ",
            "ignoring (version) ", "on (__name__, job, instance) ",
            "ignoring (code) group_left () ", "on (instance) group_right (job) "});
  const std::string left = Vector(depth);
  return fmt::format("({}) {} {}{}({})", left, Operator(), matching, Fill(), Vector(depth));
}

std::string QueryGenerator::SetOperation(int depth) {
  const std::string left = Vector(depth);
  const std::string op = Pick({"and", "or", "or", "unless"});
  const std::string matching =
      Pick({"", "", "on (job) ", "on (job, instance) ", "ignoring (code) ", "on () "});
  return fmt::format("({}) {} {}({})", left, op, matching, Vector(depth));
}

// ---- scalars ----

std::string QueryGenerator::Number() {
  if (Chance(0.15)) return Pick({"NaN", "+Inf", "-Inf", "0", "-0", "1e308", "5m", "1118ms"});
  if (Chance(0.5)) return fmt::format("{}", Below(20) - 5);
  return fmt::format("{:.4g}", Uniform() * 200 - 60);
}

std::string QueryGenerator::Scalar(int depth) {
  if (depth <= 0 || Chance(0.6)) return Number();
  const double choice = Uniform();
  if (choice < 0.35) {
    return fmt::format("scalar({} ({}))", Pick({"sum", "max", "count", "avg"}), Vector(depth - 1));
  }
  if (choice < 0.45) return fmt::format("scalar({})", Leaf());
  if (choice < 0.6) return Pick({"time()", "pi()", "start()", "end()", "range()", "step()"});
  if (choice < 0.75) {
    return fmt::format("{}({}, {})", Pick({"min_of", "max_of"}), Scalar(depth - 1),
                       Scalar(depth - 1));
  }
  if (choice < 0.85) return fmt::format("-({})", Scalar(depth - 1));
  return fmt::format("({}) {} ({})", Scalar(depth - 1),
                     Pick({"+", "-", "*", "/", "%", "^", "> bool", "== bool", "atan2"}),
                     Scalar(depth - 1));
}

std::string QueryGenerator::Rank(int depth) {
  if (depth > 0 && Chance(0.05)) return Scalar(depth - 1);
  if (Chance(0.5)) return fmt::format("{:.3f}", Uniform());
  return Pick({"0.5", "0.9", "0.99", "0", "1", "-1", "2", "NaN", "0.25"});
}

std::string QueryGenerator::Limit(int depth) {
  if (depth > 0 && Chance(0.1)) return Scalar(depth - 1);
  return Pick({"1", "2", "3", "3", "5", "7", "20", "2.9", "0", "-1", "NaN", "-Inf", "1e30",
               "scalar(sum(level))", "scalar(count(level) / 2)", "1", "2"});
}

std::string QueryGenerator::Factor() {
  if (Chance(0.05)) return Pick({"0", "1", "2", "NaN", "-0.5"});
  return fmt::format("{:.2f}", 0.05 + Uniform() * 0.9);
}

}  // namespace aevum::promql::differential
