// What `get`, `log` and `diff` share: which objects, from where, and with which keys they are opened.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "cli/index_option.h"
#include "history/objects.h"
#include "history/when.h"
#include "link/key_service.h"

namespace CLI {
class App;
}

namespace tidemark::cli {

class Program;

struct ObjectReading {
  std::string store;
  std::string labels, fields;
  std::string scratch;
  std::string encryption_config, kms_endpoint;
  IndexWish index;
  history::ObjectWish objects;
};

// -n, -A, -l, --field-selector; then add_reading_options().
void add_object_options(Program& program, CLI::App& app, ObjectReading& wish);
// What says where to read and with which keys.
void add_reading_options(Program& program, CLI::App& app, ObjectReading& wish);

// The keys of values encrypted at rest. Requires: it stays where it is, and outlives the reading.
class ReadingKeys {
 public:
  explicit ReadingKeys(const ObjectReading& wish) : service_(wish.kms_endpoint) {}
  ReadingKeys(const ReadingKeys&) = delete;
  ReadingKeys& operator=(const ReadingKeys&) = delete;
  // Fills in what the words of the command line stand for. Errc::invalid: a selector, the file of keys.
  Status prepare(ObjectReading& wish);

 private:
  link::GrpcKeyService service_;
  kube::Decryptor decryptor_;
};

history::MomentOptions moment_options(Program& program, const io::Path& scratch);

// The moment that `flag` names with `when`, which history::check_when() has passed: where the history had to be asked,
// the answer is told. An object it names is looked for in `wish`'s namespace.
Result<restore::Target> target_of(Program& program, std::string_view flag, std::string_view when,
                                  const ObjectReading& wish, restore::Origin& from,
                                  const history::MomentOptions& options);
// The same where no namespace is given: the object may have been in any.
Result<restore::Target> target_anywhere(Program& program, std::string_view flag, std::string_view when,
                                        const ObjectReading& wish, restore::Origin& from,
                                        const history::MomentOptions& options);

// What is to be said of a moment: `asked` is the word for it. False: revisions before it are lost.
bool tell_moment(Program& program, std::string_view asked, const history::Moment& moment);

// What was left out of the answer, for whoever asked.
struct Shortfall {
  std::vector<std::string> lines;
  Errc first = Errc::not_found;  // why the first object could not be read
  std::string hint;
  void add(const Error& error);
  void tell(Program& program) const;
};

// "configmap/x", "deployment.apps/web".
std::string object_name(const kube::Resource& resource, std::string_view name);

}  // namespace tidemark::cli
