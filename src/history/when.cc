#include "history/when.h"

#include <algorithm>
#include <map>

#include "history/versions.h"

namespace tidemark::history {
namespace {

constexpr std::string_view kBeforeDelete = "before:delete:";

struct Named {
  std::string kind, name;
};

// nullopt: another form.
Result<std::optional<Named>> read_words(std::string_view text) {
  if (!asks_history(text)) return std::nullopt;
  const std::string_view object = text.starts_with(kBeforeDelete) ? text.substr(kBeforeDelete.size()) : "";
  const std::size_t slash = object.find('/');
  const bool whole = slash != std::string_view::npos && slash > 0 && slash + 1 < object.size() &&
                     object.find('/', slash + 1) == std::string_view::npos;
  if (!whole) {
    return hinted(Result<std::optional<Named>>(fail(Errc::invalid, "'{}': before:delete:KIND/NAME expected", text)),
                  "before:delete:deploy/web is the moment before that object's last deletion");
  }
  return Named{.kind = std::string(object.substr(0, slash)), .name = std::string(object.substr(slash + 1))};
}

// What became of the object in each namespace.
class Deletions final : public VersionListener {
 public:
  struct Course {
    Revision before_deletion;  // 0: it was not deleted
    bool there = false;
  };
  Deletions(const Wanted& wanted, const std::string& name) : wanted_(wanted), name_(name) {}
  Status version(const Version& version) override {
    const auto place = wanted_.place_of(version.key);
    if (!place || place->name != name_) return {};
    Course& course = courses_[std::string(place->ns)];
    course.there = version.row != nullptr;
    if (!course.there) course.before_deletion = version.shown_at;
    return {};
  }
  Status lost(RevisionSpan, std::string_view) override { return {}; }
  const std::map<std::string, Course>& courses() const { return courses_; }

 private:
  const Wanted& wanted_;
  const std::string& name_;
  std::map<std::string, Course> courses_;  // by namespace
};

std::string in_namespace(const std::string& ns) { return ns.empty() ? "" : " in namespace " + ns; }

// One object was asked for: the one that was deleted.
Result<Revision> settle(std::string_view text, const std::string& object, const Deletions& deletions,
                        const WhenScope& scope, bool namespaced, Revision reach) {
  const auto& courses = deletions.courses();
  if (courses.empty()) {
    const std::string where = namespaced && !scope.any_namespace ? in_namespace(scope.ns) : "";
    return hinted(Result<Revision>(fail(Errc::not_found, "'{}': no version of {}{} up to revision {} is known", text,
                                        object, where, reach)),
                  where.empty() ? "" : "-n NAMESPACE looks elsewhere");
  }
  std::vector<std::pair<std::string, Revision>> found;
  for (const auto& [ns, course] : courses) {
    if (course.before_deletion != Revision(0)) found.emplace_back(ns, course.before_deletion);
  }
  if (found.empty()) {
    return hinted(Result<Revision>(fail(Errc::not_found, "'{}': {}{} was not deleted up to revision {}", text, object,
                                        in_namespace(courses.begin()->first), reach)),
                  "it is there: 'latest' shows it, and tidemark log its versions");
  }
  if (found.size() == 1) return found.front().second;
  std::string each;
  for (const auto& [ns, revision] : found) each += fmt::format("{}{} in {}", each.empty() ? "" : ", ", revision, ns);
  return hinted(Result<Revision>(fail(Errc::invalid, "'{}': {} was deleted in several namespaces, after revision {}",
                                      text, object, each)),
                fmt::format("name the revision: rev:{}", found.front().second));
}

}  // namespace

bool asks_history(std::string_view text) { return text.starts_with("before:"); }

Status check_when(std::string_view text, Time now) {
  TM_LET(const auto object, read_words(text));
  if (object) return {};
  TM_LET(const restore::Target target, restore::parse_target(text, now));
  (void)target;
  return {};
}

Result<restore::Target> resolve_when(std::string_view text, Time now, restore::Origin& from, const WhenScope& scope,
                                     const MomentOptions& options) {
  TM_LET(const auto object, read_words(text));
  if (!object) return restore::parse_target(text, now);
  ObjectWish wish{.words = {object->kind}, .ns = scope.ns, .all_namespaces = scope.any_namespace};
  wish.etcd_prefix = scope.etcd_prefix;
  wish.decryptor = scope.decryptor;
  if (!scope.any_namespace) wish.words.push_back(object->name);
  TM_LET(const auto versions, Versions::open(from, {}, options));
  TM_LET(Wanted wanted, Wanted::read(wish, "log"));
  TM_CHECK(wanted.resolve([&](const std::string& prefix) { return last_rows(*versions, prefix); },
                          "at any moment that is known"));
  if (wanted.kinds().size() != 1) return fail(Errc::invalid, "'{}': one kind expected, not '{}'", text, object->kind);
  Deletions deletions(wanted, object->name);
  TM_CHECK(versions->for_each(wanted.asked(), deletions));
  TM_LET(const Revision before,
         settle(text, object->kind + "/" + object->name, deletions, scope, wanted.any_namespaced(), versions->reach()));
  return restore::Target::at(before);
}

}  // namespace tidemark::history
