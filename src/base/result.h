// Errors are values: a code for the program, a sentence for the person, and sometimes the command to run next.
//
// A message is lower case, names the object (file, offset, key, revision) and has no final stop. Context is put in
// front of it on the way up with named(). Nothing in Tidemark throws across a folder boundary.
#pragma once

#include <fmt/format.h>

#include <expected>
#include <string>
#include <string_view>
#include <utility>

namespace tidemark {

// What the caller may do about a failure. cli/ turns these into exit codes.
enum class Errc {
  invalid,         // the request makes no sense as it stands (usage)
  not_found,       // no such object, or nothing restorable at that moment
  already_exists,  // the name is taken
  corrupt,         // bytes are present but wrong: stop and tell
  torn,            // bytes end in mid-write: everything before the cut is good
  unsupported,     // well-formed, but newer or other than this program reads
  denied,          // credentials or permissions
  unavailable,     // the other side does not answer now; may work later
  timeout,         // a deadline passed
  compacted,       // etcd no longer has that revision
  conflict,        // somebody else is doing it: a claim is lost, a directory is in use
  no_space,        // disk or quota full
  io,              // the operating system refused
  cancelled,       // asked to stop
};
std::string_view errc_name(Errc code);

// Nobody answered, so what was asked for may have happened or not.
constexpr bool is_no_answer(Errc code) {
  return code == Errc::unavailable || code == Errc::timeout || code == Errc::cancelled;
}

struct [[nodiscard]] Error {
  Errc code;
  std::string what;
  std::string hint;  // the command to run or the thing to change; empty when there is none
};

template <class T>
using Result = std::expected<T, Error>;
using Status = Result<void>;

// fail(Errc::corrupt, "page {} of '{}': id is {}", 7, path, 9)
template <class... Args>
std::unexpected<Error> fail(Errc code, fmt::format_string<Args...> text, Args&&... args) {
  return std::unexpected(Error{code, fmt::format(text, std::forward<Args>(args)...), {}});
}

// A failed system call: names the object and errno's text; ENOSPC, EACCES, ENOENT and EEXIST get their own code.
std::unexpected<Error> sys_fail(std::string_view doing, std::string_view object, int error_number);
std::unexpected<Error> sys_fail(std::string_view doing, std::string_view object);  // with errno

// Puts "context: " before the message of a failure. A success passes through.
template <class T>
Result<T> named(std::string_view context, Result<T> r) {
  if (!r) r.error().what.insert(0, std::string(context) + ": ");
  return r;
}

// Gives a failure the hint, unless it has one.
template <class T>
Result<T> hinted(Result<T> r, std::string hint) {
  if (!r && r.error().hint.empty()) r.error().hint = std::move(hint);
  return r;
}

}  // namespace tidemark

#define TM_CONCAT_INNER(a, b) a##b
#define TM_CONCAT(a, b) TM_CONCAT_INNER(a, b)

// TM_LET(const Page page, reader.page(7));   declares `page`, or returns the failure from the function.
// Two statements: needs braces around it.
#define TM_LET(declaration, expression) TM_LET_INNER(TM_CONCAT(tm_result_, __LINE__), declaration, expression)
#define TM_LET_INNER(name, declaration, expression)           \
  auto name = (expression);                                   \
  if (!name) return std::unexpected(std::move(name).error()); \
  declaration = *std::move(name)

// TM_CHECK(file.sync());   returns the failure from the function.
#define TM_CHECK(expression)                                                                             \
  do {                                                                                                   \
    if (auto tm_status = (expression); !tm_status) return std::unexpected(std::move(tm_status).error()); \
  } while (false)
