#include "store/xml.h"

#include <expat.h>

#include <algorithm>
#include <memory>
#include <vector>

#include "net/url.h"

namespace tidemark::store {
namespace {

constexpr std::size_t kMostLevels = 32;

struct Level {
  std::size_t path_size;  // of the path above it
  std::string text;
};

struct Reading {
  XML_Parser parser;
  const std::function<Status(const XmlElement&)>& element;
  std::string root, path;
  std::vector<Level> levels;
  Status status;

  void stop(Status why) {
    if (status) status = std::move(why);
    XML_StopParser(parser, XML_FALSE);
  }
};

std::string_view local_name(std::string_view name) {
  const std::size_t colon = name.rfind(':');
  return colon == std::string_view::npos ? name : name.substr(colon + 1);
}

void XMLCALL on_start(void* data, const XML_Char* name, const XML_Char** /*attributes*/) {
  Reading& r = *static_cast<Reading*>(data);
  if (r.levels.size() >= kMostLevels) return r.stop(fail(Errc::corrupt, "XML with more than {} levels", kMostLevels));
  r.levels.push_back({r.path.size(), {}});
  if (r.levels.size() == 1) {
    r.root = local_name(name);
  } else {
    r.path += (r.path.empty() ? "" : "/") + std::string(local_name(name));
  }
}

void XMLCALL on_end(void* data, const XML_Char* /*name*/) {
  Reading& r = *static_cast<Reading*>(data);
  if (!r.status) return;
  const Status told = r.element({r.root, r.path, r.levels.back().text});
  if (!told) return r.stop(told);
  r.path.resize(r.levels.back().path_size);
  r.levels.pop_back();
}

void XMLCALL on_text(void* data, const XML_Char* text, int size) {
  Reading& r = *static_cast<Reading*>(data);
  if (!r.levels.empty()) r.levels.back().text.append(text, static_cast<std::size_t>(size));
}

// No store sends one, and entities are what it would bring.
void XMLCALL on_doctype(void* data, const XML_Char* /*name*/, const XML_Char* /*system*/, const XML_Char* /*public_id*/,
                        int /*internal*/) {
  static_cast<Reading*>(data)->stop(fail(Errc::corrupt, "XML with a document type"));
}

}  // namespace

Status read_xml(std::string_view document, const std::function<Status(const XmlElement&)>& element) {
  const std::unique_ptr<std::remove_pointer_t<XML_Parser>, decltype(&XML_ParserFree)> parser(XML_ParserCreate(nullptr),
                                                                                             &XML_ParserFree);
  if (parser == nullptr) return fail(Errc::io, "no XML parser");
  Reading reading{parser.get(), element, {}, {}, {}, {}};
  XML_SetUserData(parser.get(), &reading);
  XML_SetElementHandler(parser.get(), on_start, on_end);
  XML_SetCharacterDataHandler(parser.get(), on_text);
  XML_SetStartDoctypeDeclHandler(parser.get(), on_doctype);
  if (document.size() > INT_MAX) return fail(Errc::corrupt, "XML of {} bytes", document.size());
  const XML_Status parsed = XML_Parse(parser.get(), document.data(), static_cast<int>(document.size()), XML_TRUE);
  TM_CHECK(reading.status);
  if (parsed != XML_STATUS_OK) {
    return fail(Errc::corrupt, "XML, line {}: {}", XML_GetCurrentLineNumber(parser.get()),
                XML_ErrorString(XML_GetErrorCode(parser.get())));
  }
  return {};
}

Result<std::map<std::string, std::string>> read_flat_xml(std::string_view document) {
  std::map<std::string, std::string> all;
  TM_CHECK(read_xml(document, [&](const XmlElement& e) -> Status {
    all.insert_or_assign(std::string(e.path), std::string(e.text));
    return {};
  }));
  return all;
}

Result<std::string> listed_key(std::string_view text, bool encoded) {
  std::string key(text);
  if (!encoded) return key;
  std::ranges::replace(key, '+', ' ');
  return net::percent_decode(key);
}

std::string xml_escape(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '"': out += "&quot;"; break;
      default: out += c;
    }
  }
  return out;
}

}  // namespace tidemark::store
