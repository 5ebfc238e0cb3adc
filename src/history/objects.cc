#include "history/objects.h"

#include <nlohmann/json.hpp>
#include <set>

#include "history/object_reader.h"
#include "kube/object_metadata.h"

namespace tidemark::history {

using nlohmann::json;

Status Selection::load_rows(Moment& moment) {
  TM_CHECK(moment.below(wanted_.asked(), rows_));
  for (const Wanted::Kind& kind : wanted_.kinds()) pick(kind);
  if (!wanted_.everything()) return {};
  // Kinds of two groups may have the same keys.
  std::set<const RowSpool::Entry*> seen;
  std::erase_if(entries_, [&](const Entry& entry) { return !seen.insert(entry.row).second; });
  return {};
}

void Selection::pick(const Wanted::Kind& kind) {
  const auto entry_of = [&](const RowSpool::Entries::value_type& row) -> std::optional<Entry> {
    const auto place = wanted_.place_of(*kind.resource, row.first);
    if (!place) return std::nullopt;
    return Entry{
        .resource = kind.resource, .ns = place->ns, .name = place->name, .key = &row.first, .row = &row.second};
  };
  const std::string prefix = wanted_.prefix_of(*kind.resource);
  if (kind.names.empty()) {
    for (auto row = rows_.entries().lower_bound(prefix); row != rows_.entries().end() && row->first.starts_with(prefix);
         ++row) {
      if (const auto entry = entry_of(*row)) entries_.push_back(*entry);
    }
    return;
  }
  for (const std::string& name : kind.names) {
    const auto row = rows_.entries().find(prefix + name);
    const auto entry = row == rows_.entries().end() ? std::nullopt : entry_of(*row);
    if (entry) {
      entries_.push_back(*entry);
    } else {
      missing_.push_back({kind.resource, name});
    }
  }
}

Result<Selection> Selection::make(Moment& moment, const ObjectWish& wish, std::string_view verb, bool words_needed) {
  TM_LET(Wanted wanted, Wanted::read(wish, verb, words_needed));
  const auto definitions = [&](const std::string& prefix) { return moment.below(std::vector{prefix}); };
  TM_CHECK(wanted.resolve(definitions, fmt::format("at revision {}", moment.revision())));
  Selection selection(wish, std::move(wanted), RowSpool(moment.scratch()));
  selection.notes_ = selection.wanted_.notes();
  TM_CHECK(selection.load_rows(moment));
  return selection;
}

Status Selection::for_each(const std::function<Status(const Entry&, Result<json>)>& each) const {
  ObjectReader reader(wish_.decryptor, wish_.managed_fields);
  std::size_t told = 0;
  kube::ObjectMetadata metadata;
  for (const Entry& entry : entries_) {
    TM_LET(const Row row, rows_.row(*entry.row));
    // Most that a selector leaves out need not be decoded for that.
    if (!wish_.labels.empty() && kube::read_metadata(as_bytes(row.value), metadata) &&
        !wish_.labels.matches_labels_of(metadata)) {
      continue;
    }
    Result<json> object = reader.read(*entry.key, row, *entry.resource);
    for (; told < reader.notes().size(); told++) notes_.push_back(reader.notes()[told]);
    if (object && !wish_.labels.empty()) {
      const json::json_pointer labels("/metadata/labels");
      if (!wish_.labels.matches(object->contains(labels) ? object->at(labels) : json())) continue;
    }
    TM_CHECK(each(entry, std::move(object)));
  }
  return {};
}

}  // namespace tidemark::history
