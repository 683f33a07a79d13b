// Series that several selectors of a query ask for, read once.
#pragma once

#include <cstdint>
#include <list>
#include <memory>

#include "base/context.h"
#include "base/status.h"
#include "model/matcher.h"
#include "promql/queryable.h"

namespace aevum::promql {

// Stands between the selectors of a query and its source. Each selector says what it is going to
// read before any of them reads. Where two want the same samples, or one of them fewer series by
// matchers that the labels of the series answer, the first reads for both: its encoded series are
// kept, charged to the budget, until no selector waits for them. What would take too much memory is
// not kept; then each reads for itself.
//
// Thread-compatible; must outlive its tickets and streams.
class SelectSharing {
 public:
  // Without `shares` each selector reads for itself.
  explicit SelectSharing(Queryable& source, bool shares = true);
  ~SelectSharing();

  // The place of a selector.
  class Ticket {
   public:
    ~Ticket();
    Ticket(const Ticket&) = delete;
    Ticket& operator=(const Ticket&) = delete;
    const SelectHints& hints() const { return hints_; }
    // Once.
    StatusOr<std::unique_ptr<SelectStream>> Open(const Context& context);

   private:
    friend class SelectSharing;
    Ticket(SelectSharing& sharing, model::Matchers matchers, SelectHints hints);

    SelectSharing& sharing_;
    const model::Matchers matchers_;
    const SelectHints hints_;
    bool waits_ = true;
  };
  std::unique_ptr<Ticket> Expect(model::Matchers matchers, SelectHints hints);

 private:
  struct Kept;
  class KeepingStream;
  class KeptStream;

  bool Serves(const model::Matchers& wide, const model::Matchers& narrow) const;
  // The widest selector that waits for the series of `ticket` too, itself included; null when it
  // would be alone.
  const Ticket* WidestFor(const Ticket& ticket) const;
  std::shared_ptr<Kept> FindKept(const Ticket& ticket) const;
  void ForgetUnwanted();

  Queryable& source_;
  const bool shares_;
  std::list<Ticket*> waiting_;
  std::list<std::shared_ptr<Kept>> kept_;
};

}  // namespace aevum::promql
