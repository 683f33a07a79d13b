#include "test_data.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <functional>
#include <limits>
#include <random>
#include <string>

#include "chunk/chunk.h"

namespace aevum::promql::differential {
namespace {

using Labels = model::Labels;
constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

// When a series is scraped, and how often that fails.
struct Scrapes {
  std::int64_t interval_ms = 15'000;
  std::int64_t from_ms = 0;  // after the start of the data
  std::int64_t to_ms = kDataEnd - kDataStart;
  double missing = 0.02;  // probability of a scrape that fails and leaves a marker or a gap
  std::int64_t jitter_ms = 0;
};

class Maker {
 public:
  explicit Maker(std::uint64_t seed) : random_(seed) {}

  // Uniform in [0, 1), the same on all platforms.
  double Uniform() { return static_cast<double>(random_() >> 11) * 0x1p-53; }
  bool Chance(double probability) { return Uniform() < probability; }

  void Add(const Labels& labels, const Scrapes& scrapes, const std::function<double()>& value) {
    StoredSeries series{labels, {}};
    const auto phase =
        static_cast<std::int64_t>(Uniform() * static_cast<double>(scrapes.interval_ms));
    std::int64_t at = scrapes.from_ms + phase;
    while (at < scrapes.to_ms) {
      const double now = value();
      const auto jitter =
          static_cast<std::int64_t>(Uniform() * static_cast<double>(scrapes.jitter_ms));
      if (!Chance(scrapes.missing)) {
        series.points.push_back({kDataStart + at + jitter, now});
      } else if (Chance(0.5)) {
        series.points.push_back(
            {kDataStart + at + jitter, std::bit_cast<double>(chunk::kStaleNanBits)});
        at += static_cast<std::int64_t>(Uniform() * 10) * scrapes.interval_ms;
      } else {
        // A gap without a marker, now and then longer than the lookback.
        at += static_cast<std::int64_t>(Uniform() * 400'000);
      }
      at += scrapes.interval_ms;
    }
    data_.push_back(std::move(series));
  }

  void AddCounter(const Labels& labels, const Scrapes& scrapes, double rate, double resets) {
    double count = Uniform() * 1000;
    if (Chance(0.5)) count = std::floor(count);
    const bool whole = Chance(0.5);
    Add(labels, scrapes, [&, count]() mutable {
      const double increase = Uniform() * rate;
      count += whole ? std::floor(increase) : increase;
      if (Chance(resets)) count = Chance(0.5) ? 0 : Uniform() * rate;
      return count;
    });
  }

  void AddHistogram(const std::string& job, const std::string& instance, bool flawed) {
    std::vector<std::string> bounds = {"0.1", "0.5", "1", "2.5", "10", "+Inf"};
    if (flawed && Chance(0.5)) bounds.pop_back();
    if (flawed && Chance(0.5)) bounds.emplace_back("much");
    if (Chance(0.3)) bounds.insert(bounds.begin(), "-1");
    const double share = 0.1 + Uniform();
    double count = 0;
    for (const std::string& bound : bounds) {
      count += share;
      AddCounter(Labels::Of({{"__name__", "latency_bucket"},
                             {"job", job},
                             {"instance", instance},
                             {"le", bound}}),
                 {.missing = flawed ? 0.02 : 0}, 10 * count, flawed ? 0.01 : 0);
    }
    const Labels sum =
        Labels::Of({{"__name__", "latency_sum"}, {"job", job}, {"instance", instance}});
    AddCounter(sum, {}, 12.5, 0.005);
  }

  Data Take() {
    std::sort(data_.begin(), data_.end(),
              [](const StoredSeries& a, const StoredSeries& b) { return a.labels < b.labels; });
    return std::move(data_);
  }

 private:
  std::mt19937_64 random_;
  Data data_;
};

void AddGauges(Maker* maker, const std::string& job, const std::string& instance) {
  maker->Add(Labels::Of({{"__name__", "temperature"}, {"job", job}, {"instance", instance}}),
             {.interval_ms = 10'000, .jitter_ms = 700}, [maker] {
               if (maker->Chance(0.04)) return kNan;
               if (maker->Chance(0.02)) return maker->Chance(0.5) ? kInfinity : -kInfinity;
               return maker->Uniform() * 60 - 20;
             });
  // Few values, so that many are equal; also -0.
  maker->Add(Labels::Of({{"__name__", "level"}, {"job", job}, {"instance", instance}}),
             {.interval_ms = 17'300}, [maker] {
               const double value = std::floor(maker->Uniform() * 4) - 1;
               return value == 0 && maker->Chance(0.2) ? -0.0 : value;
             });
  if (maker->Chance(0.8)) {
    maker->Add(Labels::Of({{"__name__", "info"},
                           {"job", job},
                           {"instance", instance},
                           {"version", maker->Chance(0.5) ? "1.9" : "1.10"}}),
               {.interval_ms = 60'000, .missing = 0.1}, [] { return 1.0; });
  }
}

void AddOddities(Maker* maker) {
  // Scraped often enough for ranges of seconds.
  for (const std::string instance : {"0", "1"}) {
    maker->AddCounter(
        Labels::Of({{"__name__", "fast_total"}, {"instance", instance}}),
        {.interval_ms = 333, .from_ms = 1'500'000, .to_ms = 1'900'000, .missing = 0.005}, 3, 0.01);
  }
  // One metric goes, another comes: the same series but for the name.
  for (const std::string job : {"api", "db"}) {
    maker->AddCounter(Labels::Of({{"__name__", "swap_old"}, {"job", job}}),
                      {.to_ms = 1'500'000, .missing = 0}, 5, 0);
    maker->AddCounter(Labels::Of({{"__name__", "swap_new"}, {"job", job}}),
                      {.from_ms = job == "api" ? 2'000'000 : 1'000'000, .missing = 0}, 5, 0);
  }
  // Rarer than the lookback.
  maker->Add(Labels::Of({{"__name__", "rare"}, {"job", "api"}}),
             {.interval_ms = 420'000, .missing = 0}, [maker] { return maker->Uniform(); });
  // Sums of these are too large, or cancel out.
  for (const std::string instance : {"0", "1", "2"}) {
    maker->Add(Labels::Of({{"__name__", "huge"}, {"job", "db"}, {"instance", instance}}),
               {.interval_ms = 30'000}, [maker] {
                 const double sign = maker->Chance(0.5) ? 1 : -1;
                 return sign * (maker->Chance(0.5) ? 1.2e308 : maker->Uniform());
               });
  }
}

}  // namespace

Data MakeTestData(std::uint64_t seed) {
  Maker maker(seed);
  for (const std::string job : {"api", "db"}) {
    for (const std::string instance : {"0", "1", "2"}) {
      for (const std::string code : {"200", "404", "500"}) {
        const bool late = maker.Chance(0.2);
        maker.AddCounter(Labels::Of({{"__name__", "requests_total"},
                                     {"job", job},
                                     {"instance", instance},
                                     {"code", code}}),
                         {.from_ms = late ? 1'800'000 : 0}, 20, 0.01);
      }
      if (maker.Chance(0.8)) {
        maker.AddCounter(
            Labels::Of({{"__name__", "errors_total"}, {"job", job}, {"instance", instance}}),
            {.interval_ms = 30'000, .missing = 0.05, .jitter_ms = 2'000}, 3, 0.02);
      }
      AddGauges(&maker, job, instance);
    }
    maker.AddHistogram(job, "0", false);
    maker.AddHistogram(job, "1", true);
  }
  AddOddities(&maker);
  return maker.Take();
}

}  // namespace aevum::promql::differential
