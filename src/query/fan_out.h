// One question to all endpoints that offer a service beside the StoreAPI.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/context.h"
#include "base/duration.h"
#include "base/status.h"
#include "base/thread_pool.h"
#include "query/endpoint_set.h"
#include "wire/store_api.h"

namespace aevum::query {

struct FanOutOptions {
  // An endpoint whose answer is not whole after so long has failed.
  Nanoseconds timeout = std::chrono::minutes(2);
  std::size_t threads = 16;  // calls that run at the same time, of all questions
};

struct FanOutQuestion {
  std::string_view path;  // "/thanos.Rules/Rules"
  std::string_view what;  // "rules", for warnings and errors
  std::string_view span;  // the name in traces, as Thanos has it
  std::string request;    // the message
  wire::PartialResponse partial_response = wire::PartialResponse::kWarn;
  // Whether an endpoint that said this of itself is asked.
  std::function<bool(const wire::InfoResponse&)> offered;
  // The message for such an endpoint, when it is not the same for all; null: `request`.
  std::function<std::string(const wire::InfoResponse&)> request_for;
};

// Thread-safe; must outlive its calls.
class FanOut {
 public:
  // The endpoints of the moment. Must be thread-safe; null means none.
  using Source = std::function<std::shared_ptr<const ServiceEndpoints>()>;
  // Takes one message of an answer, in the caller's thread. An error means that the endpoint sent
  // what is not the message.
  using Sink = std::function<Status(const ServiceEndpoint&, std::string_view message)>;

  FanOut(FanOutOptions options, Source endpoints);

  // Asks all at once and gives the messages in the order of the endpoints. One that fails becomes
  // a warning that names it, beside what it had given before; with kAbort it is the result, with
  // the endpoint's code. What is received is charged to the budget of the context; the end of the
  // context is always the result.
  Status Ask(const Context& context, const FanOutQuestion& question, const Sink& sink,
             std::vector<std::string>* warnings);

 private:
  const FanOutOptions options_;
  const Source endpoints_;
  ThreadPool pool_;
};

// Each once and sorted, as answers of the API show them.
void NormaliseWarnings(std::vector<std::string>* warnings);

}  // namespace aevum::query
