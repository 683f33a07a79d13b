#include "query/active_query_log.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include "base/files.h"
#include "query/json_writer.h"

namespace aevum::query {
namespace {

constexpr std::size_t kPlaceBytes = 1'000;
// Of a file that another program may have written.
constexpr std::size_t kMostOldBytes = 1 + 10'000 * kPlaceBytes;

std::size_t OffsetOf(std::size_t place) { return 1 + place * kPlaceBytes; }

// The text up to `size` bytes, without half a character at its end.
std::string_view Cut(std::string_view text, std::size_t size) {
  if (size >= text.size()) return text;
  while (size > 0 && (static_cast<unsigned char>(text[size]) & 0xc0) == 0x80) --size;
  return text.substr(0, size);
}

// The bytes of a place.
std::string PlaceOf(std::string_view query, TimestampMs now) {
  const std::string end = fmt::format(",\"timestamp_sec\":{}}}", now / 1000);
  constexpr std::string_view kStart = "{\"query\":";
  const std::size_t room = kPlaceBytes - 1 - kStart.size() - end.size();
  query = Cut(query, room);
  std::string text;
  while (true) {
    text.clear();
    AppendJsonString(text, query);
    if (text.size() <= room) break;
    // Escapes take up to six times the bytes.
    query = Cut(query, query.size() - std::min(query.size(), (text.size() - room + 5) / 6));
  }
  std::string place(kStart);
  place += text;
  place += end;
  place.resize(kPlaceBytes, '\0');
  place.back() = ',';
  return place;
}

// The object of a place of an old file, or "" for none or a damaged one.
std::string UnfinishedQuery(std::string_view place) {
  const std::string_view text = place.substr(0, std::min(place.find('\0'), place.size()));
  const auto json = nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object() || !json.contains("query") || !json["query"].is_string()) return "";
  return std::string(text);
}

void LogUnfinishedQueries(const std::string& path, const Logger& logger) {
  std::error_code error;
  if (!std::filesystem::is_regular_file(path, error)) return;
  const StatusOr<std::string> old = ReadFile(path, kMostOldBytes);
  if (!old.ok()) return logger.Error("can't read the query log", {{"err", old.status()}});
  std::string queries;
  for (std::size_t at = 1; at < old->size(); at += kPlaceBytes) {
    const std::string query = UnfinishedQuery(std::string_view(*old).substr(at, kPlaceBytes));
    if (query.empty()) continue;
    queries += queries.empty() ? '[' : ',';
    queries += query;
  }
  if (queries.empty()) return;
  logger.Info("These queries didn't finish in prometheus' last run:", {{"queries", queries + "]"}});
}

// False with errno when not all was written.
bool WriteAt(int file, std::string_view bytes, std::size_t offset) {
  while (!bytes.empty()) {
    const ssize_t written = ::pwrite(file, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(written));
    offset += static_cast<std::size_t>(written);
  }
  return true;
}

}  // namespace

StatusOr<std::shared_ptr<ActiveQueryLog>> ActiveQueryLog::Open(const std::string& directory,
                                                               std::size_t places, Logger logger,
                                                               const Clock& clock) {
  std::error_code error;
  std::filesystem::create_directories(directory, error);
  if (error)
    return Unavailable("can't make the directory of the query log {}: {}", directory,
                       error.message());
  const std::string path = directory + "/queries.active";
  LogUnfinishedQueries(path, logger);
  // Not to wait for the other end, should it be a pipe.
  constexpr int kFlags = O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NONBLOCK;
  const int file = ::open(path.c_str(), kFlags, 0644);
  if (file < 0) return Unavailable("can't open the query log {}: {}", path, std::strerror(errno));
  std::shared_ptr<ActiveQueryLog> log(new ActiveQueryLog(file, places, std::move(logger), clock));
  // Written, not only sized, so that a full disk is found now.
  std::string zeros(OffsetOf(places), '\0');
  zeros[0] = '[';
  if (!WriteAt(file, zeros, 0) || ::fsync(file) != 0)
    return Unavailable("can't write the query log {}: {}", path, std::strerror(errno));
  return log;
}

ActiveQueryLog::ActiveQueryLog(int file, std::size_t places, Logger logger, const Clock& clock)
    : file_(file), logger_(std::move(logger)), clock_(clock) {
  for (std::size_t place = places; place > 0; --place) free_.push_back(place - 1);
}

ActiveQueryLog::~ActiveQueryLog() { ::close(file_); }

std::size_t ActiveQueryLog::Insert(std::string_view query) {
  std::size_t place = kNoPlace;
  {
    MutexLock lock(mutex_);
    if (free_.empty()) return kNoPlace;
    place = free_.back();
    free_.pop_back();
  }
  Write(place, PlaceOf(query, clock_.NowMs()));
  return place;
}

void ActiveQueryLog::Erase(std::size_t place) {
  Write(place, std::string(kPlaceBytes, '\0'));
  MutexLock lock(mutex_);
  free_.push_back(place);
}

void ActiveQueryLog::Write(std::size_t place, std::string_view bytes) {
  if (WriteAt(file_, bytes, OffsetOf(place))) return;
  const int error = errno;
  MutexLock lock(mutex_);
  // Once: each query would say it.
  if (std::exchange(told_failure_, true)) return;
  logger_.Error("can't write the query log", {{"err", std::strerror(error)}});
}

ActiveQueryLog::Entry::Entry(ActiveQueryLog* log, std::string_view query)
    : log_(log), place_(log == nullptr ? kNoPlace : log->Insert(query)) {}

ActiveQueryLog::Entry::~Entry() {
  if (place_ != kNoPlace) log_->Erase(place_);
}

}  // namespace aevum::query
