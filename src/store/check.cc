#include "store/check.h"

#include <algorithm>
#include <atomic>
#include <thread>

#include "crypto/sha256.h"
#include "store/azure_check.h"
#include "store/encrypted_store.h"
#include "store/gcs_check.h"
#include "store/s3_check.h"

namespace tidemark::store {
namespace {

// What a row works with.
struct Bench {
  ObjectStore& store;
  const CheckOptions& options;
  std::string folder;  // with a slash at the end

  std::string key(std::string_view name) const { return folder + std::string(name); }
};

// Ends a row: the guarantee does not hold.
template <class... Args>
std::unexpected<Error> unfit(fmt::format_string<Args...> text, Args&&... args) {
  return fail(Errc::conflict, text, std::forward<Args>(args)...);
}

// The store could not be asked: no verdict about it.
bool no_answer(Errc code) {
  return code == Errc::unavailable || code == Errc::timeout || code == Errc::denied || code == Errc::cancelled ||
         code == Errc::no_space;
}

Status expect_text(ObjectStore& store, const std::string& key, std::string_view text) {
  TM_LET(const Buffer body, store.get(key));
  if (as_text(body) != text) return unfit("'{}' came back with other bytes", key);
  return {};
}

template <class T>
Status expect_absent(const Result<T>& answer, std::string_view call) {
  if (answer) return unfit("{} of an object that is not there succeeds", call);
  if (answer.error().code != Errc::not_found) return std::unexpected(answer.error());
  return {};
}

Status expect_taken(const Status& put, std::string_view how) {
  if (put) return unfit("{} of a key that exists succeeds: the condition If-None-Match is ignored", how);
  if (put.error().code == Errc::already_exists) return {};
  if (put.error().code == Errc::unsupported) {
    return unfit("{} of a key that exists: conditions are not supported ({})", how, put.error().what);
  }
  return std::unexpected(put.error());
}

Status put_and_get(const Bench& b) {
  std::string every_byte(1000, '\0');
  for (std::size_t i = 0; i < every_byte.size(); ++i) every_byte[i] = static_cast<char>(i);
  for (const auto& [name, body] : {std::pair<const char*, std::string_view>{"empty", ""}, {"bytes", every_byte}}) {
    TM_CHECK(b.store.put(b.key(name), as_bytes(body)));
    TM_CHECK(expect_text(b.store, b.key(name), body));
    TM_LET(const ObjectInfo info, b.store.stat(b.key(name)));
    if (info.size != body.size()) return unfit("stat says {} bytes of an object of {}", info.size, body.size());
  }
  TM_CHECK(expect_absent(b.store.stat(b.key("none")), "stat"));
  return expect_absent(b.store.get(b.key("none")), "get");
}

Status odd_names(const Bench& b) {
  for (const std::string_view name : {"a b", "a+b", "a%20b", "a&b=c", "\u00e4\u20ac", "...", "Full-1-2-3.gz.final"}) {
    const std::string key = b.key("names/" + std::string(name));
    TM_CHECK(b.store.put(key, as_bytes(name)));
    TM_CHECK(expect_text(b.store, key, name));
  }
  TM_LET(const auto all, b.store.list(b.key("names/")));
  if (all.size() != 7) return unfit("7 objects with unusual names were put, {} are listed", all.size());
  return {};
}

Status created_once(const Bench& b) {
  const std::string key = b.key("once");
  TM_CHECK(b.store.put(key, as_bytes("first")));
  TM_CHECK(expect_taken(b.store.put(key, as_bytes("second")), "a put"));
  return expect_text(b.store, key, "first");
}

// What each of several writers of one key was told.
std::vector<Status> put_at_once(const Bench& b, const std::string& key) {
  std::vector<Status> told(static_cast<std::size_t>(b.options.writers));
  std::atomic<std::size_t> ready{0};
  std::vector<std::jthread> writers;
  for (std::size_t w = 0; w < told.size(); ++w) {
    writers.emplace_back([&, w] {
      for (++ready; ready < told.size();) std::this_thread::yield();
      told[w] = b.store.put(key, as_bytes(std::to_string(w)));
    });
  }
  writers.clear();
  return told;
}

Status one_of_many_wins(const Bench& b) {
  constexpr int kRounds = 5;
  for (int round = 0; round < kRounds; ++round) {
    const std::string key = b.key(fmt::format("claim-{}", round));
    const std::vector<Status> told = put_at_once(b, key);
    const auto won = std::ranges::count_if(told, [](const Status& s) { return s.has_value(); });
    if (won != 1)
      return unfit("of {} writers of one key at the same time {} were told that it is theirs", told.size(), won);
    for (std::size_t w = 0; w < told.size(); ++w) {
      TM_CHECK(told[w] ? expect_text(b.store, key, std::to_string(w)) : expect_taken(told[w], "a put"));
    }
  }
  return {};
}

Buffer pattern(std::size_t size) {
  Buffer bytes(size);
  std::uint64_t x = 88172645463325252ULL;
  for (std::byte& byte : bytes) {
    x ^= x << 13U;
    x ^= x >> 7U;
    x ^= x << 17U;
    byte = static_cast<std::byte>(x);
  }
  return bytes;
}

Status in_parts(const Bench& b) {
  const Buffer body = pattern(b.options.large_bytes);
  const std::string key = b.key("large");
  TM_LET(const auto writer, b.store.create(key));
  TM_LET(const auto second, b.store.create(key));  // both are under way before either is done
  TM_CHECK(writer->write(body));
  TM_CHECK(expect_absent(b.store.stat(key), "stat before the commit"));
  TM_LET(const auto early, b.store.list(key));
  if (!early.empty()) return unfit("an object that is not committed is listed");
  TM_CHECK(second->write(body));
  TM_CHECK(writer->finish());
  TM_CHECK(writer->commit());
  TM_CHECK(second->finish());
  TM_CHECK(expect_taken(second->commit(), "completing an upload in parts"));
  TM_LET(const auto source, b.store.open(key));
  crypto::Sha256 sha;
  Buffer piece(1UL << 20U);
  for (;;) {
    TM_LET(const std::size_t n, source->read(piece));
    if (n == 0) break;
    sha.update(Bytes(piece).first(n));
  }
  if (sha.finish() != crypto::sha256(body))
    return unfit("an object of {} came back with other bytes", human_size(body.size()));
  return {};
}

Status given_up(const Bench& b) {
  {
    TM_LET(const auto writer, b.store.create(b.key("given-up")));
    TM_CHECK(writer->write(as_bytes("half")));
  }
  return expect_absent(b.store.stat(b.key("given-up")), "stat after a write that was given up");
}

Status ranges(const Bench& b) {
  const std::string key = b.key("digits");
  TM_CHECK(b.store.put(key, as_bytes("0123456789")));
  struct Row {
    std::uint64_t offset, length;
    std::string_view expected;
  };
  for (const Row& row : {Row{0, 4, "0123"}, Row{3, 4, "3456"}, Row{8, 100, "89"}, Row{10, 4, ""}, Row{50, 4, ""},
                         Row{5, UINT64_MAX, "56789"}}) {
    TM_LET(const auto source, b.store.open(key, row.offset, row.length));
    TM_LET(const Buffer got, io::read_all(*source, 100));
    if (as_text(got) != row.expected) {
      return unfit("bytes {}+{} of ten digits are '{}'", row.offset, row.length, as_text(got));
    }
  }
  return {};
}

Status listing(const Bench& b) {
  std::vector<std::string> expected;
  for (const std::string_view name : {"l/a", "l/a.b", "l/b/c/d", "l/b2", "l/c"}) expected.push_back(b.key(name));
  for (auto key = expected.rbegin(); key != expected.rend(); ++key) {
    TM_CHECK(b.store.put(*key, as_bytes(*key)));
    TM_LET(const auto now, b.store.list(*key));
    if (now.empty()) return unfit("an object is not listed right after it was put");
  }
  TM_CHECK(b.store.put(b.key("l-x"), {}));
  TM_LET(const auto all, b.store.list(b.key("l/")));
  std::vector<std::string> found;
  for (const ObjectInfo& object : all) found.push_back(object.key);
  if (found != expected) return unfit("a list by prefix is not what was put, in order");
  for (const ObjectInfo& object : all) {
    if (object.size != object.key.size())
      return unfit("the list says {} bytes of an object of {}", object.size, object.key.size());
  }
  return {};
}

Status removal(const Bench& b) {
  const std::string key = b.key("removed");
  TM_CHECK(b.store.put(key, as_bytes("x")));
  TM_CHECK(b.store.remove(key));
  TM_CHECK(expect_absent(b.store.get(key), "get after remove"));
  TM_LET(const auto left, b.store.list(key));
  if (!left.empty()) return unfit("a removed object is still listed");
  TM_CHECK(expect_absent(b.store.remove(key), "remove"));
  return b.store.put(key, as_bytes("again"));
}

struct Row {
  const char* name;
  const char* when_good;
  Status (*run)(const Bench&);
};

constexpr Row kRows[] = {
    {"put and get", "what was put comes back", put_and_get},
    {"names", "blanks, percent signs and other letters are kept", odd_names},
    {"conditional create", "a key is written once", created_once},
    {"concurrent create", "of writers at the same time one wins", one_of_many_wins},
    {"large objects", "they appear when they are whole, and once", in_parts},
    {"giving up", "a write that is given up leaves nothing to see", given_up},
    {"ranges", "any part of an object can be read", ranges},
    {"list", "complete, in order, and at once", listing},
    {"remove", "a removed object is gone", removal},
};

Finding finding_of(const Row& row, const Status& status) {
  if (status) return {row.name, Finding::Verdict::good, row.when_good};
  return {row.name, Finding::Verdict::unfit, status.error().what, status.error().hint};
}

// Removes everything below the folder of this run.
Result<Finding> clean_up(const Bench& b) {
  Finding finding{"clean-up", Finding::Verdict::good, "nothing of this check is left"};
  TM_LET(const auto all, b.store.list(b.folder));
  for (const ObjectInfo& object : all) {
    const Status removed = b.store.remove(object.key);
    if (removed || finding.verdict != Finding::Verdict::good) continue;
    finding = {"clean-up", Finding::Verdict::advice,
               fmt::format("objects of this check stay below {}: {}", b.folder, removed.error().what),
               "an object lock or missing rights keep them; old backups will not go away either"};
  }
  return finding;
}

// What the place's own settings do to backups.
Result<std::vector<Finding>> inspect_place(ObjectStore& store, const Clock& clock) {
  if (auto* encrypted = dynamic_cast<EncryptedStore*>(&store)) return inspect_place(encrypted->inner(), clock);
  if (auto* s3 = dynamic_cast<S3Store*>(&store)) return inspect_bucket(*s3, clock);
  if (auto* gcs = dynamic_cast<GcsStore*>(&store)) return inspect_gcs_bucket(*gcs, clock);
  if (auto* azure = dynamic_cast<AzureStore*>(&store)) return inspect_container(*azure, clock);
  return std::vector<Finding>{};
}

}  // namespace

std::string_view verdict_word(Finding::Verdict verdict) {
  switch (verdict) {
    case Finding::Verdict::good: return "good";
    case Finding::Verdict::advice: return "advice";
    case Finding::Verdict::unfit: return "unfit";
  }
  return "";
}

bool fit(const std::vector<Finding>& findings) {
  return std::ranges::none_of(findings, [](const Finding& f) { return f.verdict == Finding::Verdict::unfit; });
}

Result<std::vector<Finding>> check_store(ObjectStore& store, const CheckOptions& options) {
  const Bench bench{store, options, "tidemark/check/" + options.nonce + "/"};
  std::vector<Finding> findings;
  Status broken;
  for (const Row& row : kRows) {
    if (options.stop.stop_requested()) broken = fail(Errc::cancelled, "asked to stop");
    const Status ran = broken ? row.run(bench) : broken;
    // Whoever may put but not remove has a store all the same.
    const bool may_not_remove = !ran && ran.error().code == Errc::denied && row.run == removal;
    if (may_not_remove) {
      findings.push_back({row.name, Finding::Verdict::advice, ran.error().what, ran.error().hint});
      continue;
    }
    if (!ran && (no_answer(ran.error().code) || (findings.empty() && ran.error().code != Errc::conflict))) {
      broken = named(row.name, ran);
      break;
    }
    findings.push_back(finding_of(row, ran));
  }
  Result<Finding> cleaned = clean_up(bench);
  TM_CHECK(broken);
  TM_CHECK(cleaned);
  findings.push_back(*std::move(cleaned));
  TM_LET(auto more, inspect_place(store, *options.clock));
  findings.insert(findings.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
  return findings;
}

}  // namespace tidemark::store
