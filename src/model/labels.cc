#include "model/labels.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <new>

#include <xxhash.h>

#include "base/check.h"
#include "model/quote.h"

namespace aevum::model {
namespace {

bool NeedsEscape(char c) { return static_cast<unsigned char>(c) <= 1; }

std::size_t CountEscapes(std::string_view text) {
  constexpr std::uint64_t kHighBits = 0x8080808080808080;
  constexpr std::uint64_t kOnes = 0x0101010101010101;
  constexpr std::size_t kWords = 31;  // so many counts of 8 fit into a byte
  std::size_t count = 0;
  std::size_t at = 0;
  while (at + sizeof(std::uint64_t) <= text.size()) {
    std::uint64_t counts = 0;  // one a byte
    const std::size_t words = std::min(kWords, (text.size() - at) / sizeof(std::uint64_t));
    for (std::size_t i = 0; i < words; ++i, at += sizeof(std::uint64_t)) {
      std::uint64_t word;
      std::memcpy(&word, text.data() + at, sizeof word);
      // The high bit of a byte becomes set when it is 2 or more.
      const std::uint64_t others = ((word & ~kHighBits) + 0x7e * kOnes) | word;
      counts += (~others & kHighBits) >> 7;
    }
    count += counts * kOnes >> 56;
  }
  return count + static_cast<std::size_t>(std::count_if(
                     text.begin() + static_cast<std::ptrdiff_t>(at), text.end(), NeedsEscape));
}

char* PutPlain(char* out, std::string_view text) {
  if (!text.empty()) std::memcpy(out, text.data(), text.size());
  out += text.size();
  *out++ = '\0';
  return out;
}

void PutPlainLabels(std::span<const Label> labels, std::uint32_t* end, char* text) {
  char* out = text;
  for (const Label& label : labels) {
    out = PutPlain(out, label.name);
    *end++ = static_cast<std::uint32_t>(out - text);
    out = PutPlain(out, label.value);
    *end++ = static_cast<std::uint32_t>(out - text);
  }
}

char* PutPacked(char* out, std::string_view text) {
  for (const char c : text) {
    if (NeedsEscape(c)) {
      *out++ = '\1';
      *out++ = static_cast<char>(c + 1);
    } else {
      *out++ = c;
    }
  }
  *out++ = '\0';
  return out;
}

}  // namespace

Labels Labels::FromSorted(std::span<const Label> labels) {
  const auto allocate = [&](std::size_t packed, std::size_t plain) {
    const std::size_t text = packed + plain;
    AEVUM_CHECK(text < UINT32_MAX);
    void* memory = ::operator new(sizeof(Rep) + 2 * labels.size() * sizeof(std::uint32_t) + text);
    return new (memory) Rep{.references = 1,
                            .count = static_cast<std::uint32_t>(labels.size()),
                            .packed_size = static_cast<std::uint32_t>(packed),
                            .plain_size = static_cast<std::uint32_t>(plain)};
  };
  Labels result;
  if (labels.empty()) return result;
  std::size_t plain = 0;
  for (const Label& label : labels) plain += label.name.size() + label.value.size() + 2;
  Rep* rep = allocate(plain, 0);
  result.rep_ = rep;
  char* const text = const_cast<char*>(rep->packed());
  PutPlainLabels(labels, const_cast<std::uint32_t*>(rep->ends()), text);
  // The strings end in a zero each; what there is beyond that has to be escaped.
  const std::size_t escapes = CountEscapes({text, plain}) - 2 * labels.size();
  if (escapes == 0) return result;
  rep = allocate(plain + escapes, plain);
  Free(std::exchange(result.rep_, rep));
  PutPlainLabels(labels, const_cast<std::uint32_t*>(rep->ends()), const_cast<char*>(rep->plain()));
  char* out = const_cast<char*>(rep->packed());
  for (const Label& label : labels) out = PutPacked(PutPacked(out, label.name), label.value);
  return result;
}

Labels Labels::FromUnsorted(std::vector<Label> labels) {
  const auto by_name = [](const Label& a, const Label& b) { return a.name < b.name; };
  std::stable_sort(labels.begin(), labels.end(), by_name);
  std::vector<Label> kept;
  kept.reserve(labels.size());
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const bool last_of_name = i + 1 == labels.size() || labels[i + 1].name != labels[i].name;
    if (last_of_name && !labels[i].value.empty()) kept.push_back(labels[i]);
  }
  return FromSorted(kept);
}

void Labels::Free(Rep* rep) {
  rep->~Rep();
  ::operator delete(rep);
}

Label Labels::operator[](std::size_t index) const {
  AEVUM_DCHECK(index < size());
  const std::uint32_t* ends = rep_->ends();
  const char* text = rep_->plain();
  const std::uint32_t name_start = index == 0 ? 0 : ends[2 * index - 1];
  const std::uint32_t name_end = ends[2 * index];
  const std::uint32_t value_end = ends[2 * index + 1];
  return {.name = {text + name_start, name_end - name_start - 1},
          .value = {text + name_end, value_end - name_end - 1}};
}

std::string_view Labels::Get(std::string_view name) const {
  for (const Label label : *this) {
    if (label.name == name) return label.value;
    if (label.name > name) break;
  }
  return {};
}

std::uint64_t Labels::Hash() const {
  const std::string_view bytes = packed();
  return XXH3_64bits(bytes.data(), bytes.size());
}

std::size_t Labels::memory_bytes() const {
  if (rep_ == nullptr) return 0;
  return sizeof(Rep) + 2 * rep_->count * sizeof(std::uint32_t) + rep_->packed_size +
         rep_->plain_size;
}

std::string Labels::ToString() const {
  std::string text = "{";
  for (const Label label : *this) {
    if (text.size() > 1) text += ", ";
    if (IsLegacyLabelName(label.name)) {
      text += label.name;
    } else {
      AppendGoQuoted(text, label.name);
    }
    text += '=';
    AppendGoQuoted(text, label.value);
  }
  return text + "}";
}

void LabelsBuilder::Reset(const Labels& base) {
  base_ = base;
  changed_ = false;
  labels_.assign(base_.begin(), base_.end());
}

LabelsBuilder& LabelsBuilder::Set(std::string_view name, std::string_view value) {
  if (value.empty()) return Remove(name);
  const auto it =
      std::lower_bound(labels_.begin(), labels_.end(), name,
                       [](const Label& label, std::string_view n) { return label.name < n; });
  if (it != labels_.end() && it->name == name) {
    if (it->value == value) return *this;
    it->value = value;
  } else {
    labels_.insert(it, Label{name, value});
  }
  changed_ = true;
  return *this;
}

LabelsBuilder& LabelsBuilder::Remove(std::string_view name) {
  changed_ |= std::erase_if(labels_, [&](const Label& label) { return label.name == name; }) > 0;
  return *this;
}

LabelsBuilder& LabelsBuilder::Keep(std::span<const std::string> names) {
  changed_ |= std::erase_if(labels_, [&](const Label& label) {
                return std::find(names.begin(), names.end(), label.name) == names.end();
              }) > 0;
  return *this;
}

std::string_view LabelsBuilder::Get(std::string_view name) const {
  for (const Label& label : labels_) {
    if (label.name == name) return label.value;
  }
  return {};
}

Labels LabelsBuilder::Build() const { return changed_ ? Labels::FromSorted(labels_) : base_; }

}  // namespace aevum::model
