// JSON that somebody else wrote, printed again as print_json(parse_json(text)) prints it, in one pass and without a
// tree between: what is stored as JSON is long, and mostly in order already.
//
// It takes what an API server writes and leaves all else to the tree: damage, surrogates, integers of more than 18
// digits, deep nesting. So a caller asks here first, and has no error from here to tell.
// Threads: any; one JsonReprinter in one thread.
#pragma once

#include <forward_list>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "kube/json_writer.h"

namespace tidemark::kube {

class JsonReprinter {
 public:
  // What is changed in an object's metadata, which is made when it is missing; selfLink is left out.
  struct Metadata {
    std::string_view resource_version;  // empty: as it stands
    bool managed_fields = false;        // false: they are left out
  };

  // One value. false: parse_json() has to look; nothing was written.
  bool print(Bytes text, JsonWriter& to);
  // The same of an object of Kubernetes.
  bool print_object(Bytes text, const Metadata& metadata, JsonWriter& to);

 private:
  enum class Role : std::uint8_t { other, root, metadata };
  // A member of an object that is being printed: its text in the writer, with the separator in front.
  struct Member {
    std::string_view key;
    JsonWriter::Part part;
  };

  bool all(Bytes text, Role role, JsonWriter& to);
  bool value(int level, Role role);
  bool object(int level, Role role);
  bool member(int level, Role role, std::string_view key);
  void add_missing(Role role, std::size_t first);
  void note(std::string_view key, std::size_t begin);
  void arrange(std::size_t first, std::size_t begin);
  bool array(int level);
  bool number();
  bool word(std::string_view expected);
  bool string(std::string_view& into);
  bool skip_string(bool& escaped);
  bool unescape(std::string_view raw, std::string_view& into);
  bool take(char c);

  const char* at_ = nullptr;
  const char* end_ = nullptr;
  JsonWriter* to_ = nullptr;
  Metadata metadata_;
  std::vector<Member> members_;  // of all objects that are open
  std::vector<JsonWriter::Part> parts_;
  std::forward_list<std::string> unescaped_;
};

}  // namespace tidemark::kube
