// Going through the pages of a listing.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "base/context.h"
#include "base/status.h"
#include "objstore/bucket.h"
#include "objstore/rest/answers.h"

namespace aevum::objstore {

// Gives the page that starts at `next`, "" for the first.
using FetchPage = std::function<StatusOr<ListingPage>(const std::string& next)>;

// Visits what the pages hold until one is the last, without the directory `prefix` itself, which
// some stores keep as an object. Internal when a page leads to itself; `label` is what errors name.
Status VisitPages(const Context& context, const std::string& prefix, std::string_view label,
                  const FetchPage& fetch, const ObjectVisitor& visit);

}  // namespace aevum::objstore
