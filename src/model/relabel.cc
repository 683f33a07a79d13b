#include "model/relabel.h"

#include <algorithm>
#include <array>
#include <clocale>
#include <cwctype>
#include <deque>

#include <openssl/evp.h>
#include <re2/re2.h>

#include "model/quote.h"

namespace aevum::model {
namespace {

using Groups = std::vector<re2::StringPiece>;

// The groups of a match of the whole text, group 0 first; empty when there is none.
Groups Match(const RE2& regex, std::string_view text) {
  Groups groups(static_cast<std::size_t>(regex.NumberOfCapturingGroups()) + 1);
  const re2::StringPiece piece(text.data(), text.size());
  if (!regex.Match(piece, 0, text.size(), RE2::ANCHOR_BOTH, groups.data(),
                   static_cast<int>(groups.size()))) {
    return {};
  }
  return groups;
}

bool IsWordCharacter(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
}

std::string_view GroupText(const RE2& regex, const Groups& groups, std::string_view name) {
  std::size_t number = 0;
  if (std::all_of(name.begin(), name.end(), [](char c) { return c >= '0' && c <= '9'; })) {
    for (const char c : name.substr(0, 8)) number = number * 10 + static_cast<std::size_t>(c - '0');
  } else {
    const auto& named = regex.NamedCapturingGroups();
    const auto it = named.find(std::string(name));
    if (it == named.end()) return {};
    number = static_cast<std::size_t>(it->second);
  }
  if (number >= groups.size()) return {};
  return {groups[number].data(), groups[number].size()};
}

// Fills a template in with groups: $1, ${1}, $name, ${name}, $$, where a name is as long as it can
// be (Go's regexp.Expand).
std::string Expand(const RE2& regex, const Groups& groups, std::string_view text) {
  std::string out;
  while (true) {
    const std::size_t dollar = text.find('$');
    out += text.substr(0, dollar);
    if (dollar == std::string_view::npos) return out;
    text.remove_prefix(dollar + 1);
    if (text.starts_with('$')) {
      out += '$';
      text.remove_prefix(1);
      continue;
    }
    const bool braced = text.starts_with('{');
    const std::string_view rest = text.substr(braced ? 1 : 0);
    const auto end = std::find_if_not(rest.begin(), rest.end(), IsWordCharacter);
    const auto size = static_cast<std::size_t>(end - rest.begin());
    if (size == 0 || (braced && (end == rest.end() || *end != '}'))) {
      out += '$';
      continue;
    }
    out += GroupText(regex, groups, rest.substr(0, size));
    text.remove_prefix(size + (braced ? 2 : 0));
  }
}

// The last eight bytes of the MD5 sum, big-endian: what Prometheus shards targets by.
std::uint64_t HashOf(std::string_view text) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int size = 0;
  EVP_Digest(text.data(), text.size(), digest.data(), &size, EVP_md5(), nullptr);
  std::uint64_t hash = 0;
  for (std::size_t i = 8; i < 16; ++i) hash = hash << 8 | digest[i];
  return hash;
}

// Simple case mappings of Unicode, code point by code point.
std::string MapCase(std::string_view text, RelabelAction action) {
  static const locale_t unicode = newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr);
  std::string out;
  ForEachCodePoint(text, [&](std::uint32_t code) {
    const auto wide = static_cast<wint_t>(code);
    const wint_t mapped =
        action == RelabelAction::kLowercase ? towlower_l(wide, unicode) : towupper_l(wide, unicode);
    AppendUtf8(out, static_cast<std::uint32_t>(mapped));
  });
  return out;
}

// The label set while rules change it. Owns the strings that rules make.
class Editor {
 public:
  explicit Editor(const Labels& labels) : builder_(labels) {}

  std::string_view Get(std::string_view name) const { return builder_.Get(name); }
  void Set(std::string name, std::string value) {
    const std::string& kept_name = strings_.emplace_back(std::move(name));
    const std::string& kept_value = strings_.emplace_back(std::move(value));
    builder_.Set(kept_name, kept_value);
  }
  void Remove(std::string_view name) { builder_.Remove(name); }
  Labels Build() const { return builder_.Build(); }

 private:
  std::deque<std::string> strings_;  // stable addresses
  LabelsBuilder builder_;
};

std::string SourceValue(const RelabelRule& rule, const Editor& editor) {
  std::string value;
  for (std::size_t i = 0; i < rule.source_labels.size(); ++i) {
    if (i > 0) value += rule.separator;
    value += editor.Get(rule.source_labels[i]);
  }
  return value;
}

void Replace(const RelabelRule& rule, const std::string& value, Editor* editor) {
  const Groups groups = Match(*rule.compiled, value);
  if (groups.empty()) return;
  std::string target = Expand(*rule.compiled, groups, rule.target_label);
  if (target.empty() || !IsValidUtf8(target)) return;
  std::string replacement = Expand(*rule.compiled, groups, rule.replacement);
  if (replacement.empty()) {
    editor->Remove(target);
  } else {
    editor->Set(std::move(target), std::move(replacement));
  }
}

void ChangeByName(const RelabelRule& rule, Editor* editor) {
  const Labels before = editor->Build();
  for (const Label label : before) {
    const Groups groups = Match(*rule.compiled, label.name);
    if (rule.action == RelabelAction::kLabelMap) {
      if (!groups.empty()) {
        editor->Set(Expand(*rule.compiled, groups, rule.replacement), std::string(label.value));
      }
    } else if (groups.empty() == (rule.action == RelabelAction::kLabelKeep)) {
      editor->Remove(label.name);
    }
  }
}

// False when the rule drops the label set.
bool Apply(const RelabelRule& rule, Editor* editor) {
  const std::string value = SourceValue(rule, *editor);
  switch (rule.action) {
    case RelabelAction::kReplace:
      Replace(rule, value, editor);
      return true;
    case RelabelAction::kKeep:
      return !Match(*rule.compiled, value).empty();
    case RelabelAction::kDrop:
      return Match(*rule.compiled, value).empty();
    case RelabelAction::kKeepEqual:
      return editor->Get(rule.target_label) == value;
    case RelabelAction::kDropEqual:
      return editor->Get(rule.target_label) != value;
    case RelabelAction::kHashMod:
      editor->Set(rule.target_label, std::to_string(HashOf(value) % rule.modulus));
      return true;
    case RelabelAction::kLowercase:
    case RelabelAction::kUppercase:
      editor->Set(rule.target_label, MapCase(value, rule.action));
      return true;
    case RelabelAction::kLabelMap:
    case RelabelAction::kLabelDrop:
    case RelabelAction::kLabelKeep:
      ChangeByName(rule, editor);
      return true;
  }
  return true;
}

}  // namespace

std::optional<std::string> FillIn(const re2::RE2& anchored, std::string_view text,
                                  std::string_view replacement) {
  const Groups groups = Match(anchored, text);
  if (groups.empty()) return std::nullopt;
  return Expand(anchored, groups, replacement);
}

Status Relabeler::RestrictTo(std::span<const RelabelAction> allowed) const {
  for (std::size_t i = 0; i < rules_.size(); ++i) {
    if (std::find(allowed.begin(), allowed.end(), rules_[i].action) == allowed.end()) {
      return InvalidArgument("relabel rule {}: its action is not supported here", i + 1);
    }
  }
  return OkStatus();
}

std::optional<Labels> Relabeler::Process(const Labels& labels) const {
  Editor editor(labels);
  for (const RelabelRule& rule : rules_) {
    if (!Apply(rule, &editor)) return std::nullopt;
  }
  return editor.Build();
}

}  // namespace aevum::model
