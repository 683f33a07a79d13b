#include "query/fan_out.h"

#include <algorithm>
#include <condition_variable>
#include <optional>

#include "base/mutex.h"
#include "base/trace.h"
#include "store/proxy_stream.h"

namespace aevum::query {
namespace {

constexpr std::size_t kQueue = 4096;
// Of a message: a hundred thousand targets have some 50 MiB. One that is larger ends the call, as
// what it becomes once it is decoded is not charged.
constexpr std::int64_t kMaxMessageBytes = std::int64_t{64} << 20;

// What one endpoint answered.
struct Answer {
  std::vector<SharedBytes> messages;
  MemoryCharge charge;
  Status budget;  // not OK: of ours, no fault of the endpoint
  Status end;
};

Answer Call(const Context& context, const ServiceEndpoint& endpoint,
            const FanOutQuestion& question) {
  Answer answer;
  answer.charge = MemoryCharge(context.budget());
  std::string request =
      question.request_for ? question.request_for(endpoint.info) : question.request;
  const auto received =
      std::make_shared<MemoryBudget>("one endpoint's", kMaxMessageBytes, context.budget());
  const auto call = endpoint.channel->Start(context.WithBudget(received), question.path,
                                            SharedBytes::Own(std::move(request)));
  while (true) {
    auto message = call->Next();
    if (!message.ok() || !*message) {
      (call->over_budget() ? answer.budget : answer.end) = message.status();
      return answer;
    }
    answer.budget =
        answer.charge.Add(static_cast<std::int64_t>((*message)->size()), "answers of endpoints");
    if (!answer.budget.ok()) return answer;
    answer.messages.push_back(**std::move(message));
  }
}

Status Deliver(const ServiceEndpoint& endpoint, const Answer& answer, const FanOut::Sink& sink) {
  for (const SharedBytes& message : answer.messages) {
    if (const Status status = sink(endpoint, message.view); !status.ok())
      return MakeError(StatusCode::kDataLoss, std::string(status.message()));
  }
  return answer.end;
}

}  // namespace

FanOut::FanOut(FanOutOptions options, Source endpoints)
    : options_(options),
      endpoints_(std::move(endpoints)),
      pool_("services", options.threads, kQueue) {}

Status FanOut::Ask(const Context& context, const FanOutQuestion& question, const Sink& sink,
                   std::vector<std::string>* warnings) {
  const std::shared_ptr<const ServiceEndpoints> all = endpoints_();
  std::vector<const ServiceEndpoint*> asked;
  if (all != nullptr) {
    for (const ServiceEndpoint& endpoint : *all)
      if (question.offered(endpoint.info)) asked.push_back(&endpoint);
  }

  struct Answers {
    Mutex mutex;
    std::condition_variable done;
    std::size_t running AEVUM_GUARDED_BY(mutex) = 0;
    std::vector<Answer> list AEVUM_GUARDED_BY(mutex);
  };
  Answers answers;
  Span span(context, question.span);
  CancelScope scope(span.Inner(context));
  const Context bounded = scope.context().WithTimeout(options_.timeout);
  const bool abort = question.partial_response == wire::PartialResponse::kAbort;
  {
    MutexLock lock(answers.mutex);
    answers.running = asked.size();
    answers.list.resize(asked.size());
  }
  for (std::size_t i = 0; i < asked.size(); ++i) {
    const auto task = [&, i] {
      Answer answer = Call(bounded, *asked[i], question);
      if (!answer.budget.ok() || (abort && !answer.end.ok())) scope.Cancel();
      MutexLock lock(answers.mutex);
      answers.list[i] = std::move(answer);
      // With the lock held: the waiter owns the condition and may go away right after.
      if (--answers.running == 0) answers.done.notify_all();
    };
    if (!pool_.Submit(task)) task();
  }
  MutexLock lock(answers.mutex);
  while (answers.running > 0) lock.Wait(answers.done);
  RETURN_IF_ERROR(context.status());
  for (const Answer& answer : answers.list) RETURN_IF_ERROR(answer.budget);

  Status failure;
  for (std::size_t i = 0; i < asked.size(); ++i) {
    const Status status = Deliver(*asked[i], answers.list[i], sink);
    if (status.ok()) continue;
    std::string message = fmt::format("receiving {} from {}: {}", question.what, asked[i]->address,
                                      store::RpcErrorText(status));
    // The first real reason, not the cancellation that followed from it.
    if (failure.ok() || failure.code() == StatusCode::kCancelled)
      failure = MakeError(status.code(), message);
    warnings->push_back(std::move(message));
  }
  span.Fail(failure);
  return abort ? failure : OkStatus();
}

void NormaliseWarnings(std::vector<std::string>* warnings) {
  std::sort(warnings->begin(), warnings->end());
  warnings->erase(std::unique(warnings->begin(), warnings->end()), warnings->end());
}

}  // namespace aevum::query
