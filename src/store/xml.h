// The small XML documents that object stores answer with, element by element. Namespaces are ignored.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "base/result.h"

namespace tidemark::store {

// Calls back for each element when it ends. `path` is the names from below the root, joined by '/':
// "Contents/Key" of <ListBucketResult><Contents><Key>; "" for the root itself. `text` is what stands directly in it.
// Errc::corrupt: no well-formed XML, a document type, more than 32 levels. A failure of the callback ends the reading.
struct XmlElement {
  std::string_view root, path, text;
};
Status read_xml(std::string_view document, const std::function<Status(const XmlElement&)>& element);

// path -> text, the last one of each; for documents without lists.
Result<std::map<std::string, std::string>> read_flat_xml(std::string_view document);

// A key of a list that S3 was asked to encode ("encoding-type=url"): percent signs, and '+' for a blank. As it stands
// when the answer does not say that it is encoded: some servers do not.
Result<std::string> listed_key(std::string_view text, bool encoded);

std::string xml_escape(std::string_view text);

}  // namespace tidemark::store
