#include "tools/progress.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

namespace aevum::tools {
namespace {

constexpr std::chrono::milliseconds kBetween{100};
// To the beginning of the line, and the rest of it away.
constexpr std::string_view kEraseLine = "\r\x1b[K";
constexpr std::int64_t kBarWidth = 24;

std::string ShowBytes(double bytes) {
  constexpr std::array<std::string_view, 5> kUnits = {"B", "KiB", "MiB", "GiB", "TiB"};
  std::size_t unit = 0;
  for (; bytes >= 1024 && unit + 1 < kUnits.size(); ++unit) bytes /= 1024;
  return fmt::format("{:.{}f} {}", bytes, unit == 0 ? 0 : 1, kUnits[unit]);
}

class SinkBesideBar final : public LogSink {
 public:
  SinkBesideBar(std::shared_ptr<LogSink> sink, std::shared_ptr<ProgressBar> bar)
      : sink_(std::move(sink)), bar_(std::move(bar)) {}
  void Write(std::string_view line) override {
    bar_->Around([&] { sink_->Write(line); });
  }

 private:
  const std::shared_ptr<LogSink> sink_;
  const std::shared_ptr<ProgressBar> bar_;
};

}  // namespace

std::string ProgressLine(std::string_view what, std::int64_t done, std::int64_t expected,
                         std::chrono::duration<double> since) {
  expected = std::max<std::int64_t>({expected, done, 1});
  const double share = static_cast<double>(done) / static_cast<double>(expected);
  const auto filled = static_cast<std::size_t>(share * kBarWidth);
  const double rate = since.count() > 0 ? static_cast<double>(done) / since.count() : 0;
  std::string line =
      fmt::format("{} [{:=<{}}{: <{}}] {:3.0f}% {} of {}", what, "", filled, "",
                  kBarWidth - static_cast<std::int64_t>(filled), share * 100,
                  ShowBytes(static_cast<double>(done)), ShowBytes(static_cast<double>(expected)));
  if (rate > 0) {
    line += fmt::format(", {}/s, {:.0f} s left", ShowBytes(rate),
                        static_cast<double>(expected - done) / rate);
  }
  return line;
}

ProgressBar::~ProgressBar() {
  MutexLock lock(mutex_);
  HideLocked();
}

void ProgressBar::Expect(std::int64_t bytes) {
  if (!write_) return;
  MutexLock lock(mutex_);
  const TimePoint now = std::chrono::steady_clock::now();
  if (expected_ == 0) began_ = now;
  expected_ += bytes;
  ShowLocked(now);
}

void ProgressBar::Advance(std::int64_t bytes) {
  if (!write_) return;
  MutexLock lock(mutex_);
  done_ += bytes;
  ShowLocked(std::chrono::steady_clock::now());
}

void ProgressBar::Around(const std::function<void()>& print) {
  MutexLock lock(mutex_);
  HideLocked();
  print();
}

void ProgressBar::ShowLocked(TimePoint now) {
  if (shown_ && now - shown_at_ < kBetween) return;
  write_(std::string(kEraseLine) + ProgressLine(what_, done_, expected_, now - began_));
  shown_ = true;
  shown_at_ = now;
}

void ProgressBar::HideLocked() {
  if (std::exchange(shown_, false)) write_(kEraseLine);
}

std::shared_ptr<LogSink> BesideBar(std::shared_ptr<LogSink> sink,
                                   std::shared_ptr<ProgressBar> bar) {
  return std::make_shared<SinkBesideBar>(std::move(sink), std::move(bar));
}

std::shared_ptr<ProgressBar> TerminalProgressBar(std::string what) {
  ProgressBar::Write write;
  if (::isatty(STDERR_FILENO) == 1) {
    write = [](std::string_view text) {
      // A terminal that is gone needs no bar.
      if (::write(STDERR_FILENO, text.data(), text.size()) < 0) return;
    };
  }
  return std::make_shared<ProgressBar>(std::move(what), std::move(write));
}

}  // namespace aevum::tools
