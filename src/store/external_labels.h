// Matchers against labels that a store adds to all its series.
#pragma once

#include <optional>
#include <span>

#include "model/labels.h"
#include "model/matcher.h"

namespace aevum::store {

// The matchers that remain when those on labels of `external` are answered; nullopt when one of
// them does not match, so that no series can.
std::optional<model::Matchers> MatchExternalLabels(const model::Matchers& matchers,
                                                   const model::Labels& external);

// False when no series with any of these label sets can match: each has a label that a matcher
// refuses. No label sets at all: anything is possible.
bool MayMatch(const model::Matchers& matchers, std::span<const model::Labels> label_sets);

// The labels of both; of a name in both, `external` wins.
model::Labels ExtendLabels(const model::Labels& labels, const model::Labels& external);

}  // namespace aevum::store
