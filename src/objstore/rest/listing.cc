#include "objstore/rest/listing.h"

#include <utility>

namespace aevum::objstore {

Status VisitPages(const Context& context, const std::string& prefix, std::string_view label,
                  const FetchPage& fetch, const ObjectVisitor& visit) {
  std::string next;
  while (true) {
    RETURN_IF_ERROR(context.status());
    ASSIGN_OR_RETURN(ListingPage page, fetch(next));
    for (const ListedObject& object : page.entries) {
      if (object.name != prefix) RETURN_IF_ERROR(visit(object));
    }
    if (page.next.empty()) return OkStatus();
    if (page.next == next) return Internal("{}: the listing does not get on", label);
    next = std::move(page.next);
  }
}

}  // namespace aevum::objstore
