// Objects put back while the API server fails at each call, goes away, is asked too much, or while the program itself
// is killed: it ends well or says what to do, and that is then done.
#include <signal.h>

#include <algorithm>
#include <mutex>
#include <random>

#include "capture/testing/kill_at.h"
#include "kit/restore_objects_drill.h"
#include "kit/step_program.h"
#include "net/testing/breaking_proxy.h"

namespace tidemark::testing {
namespace {

using net::testing::Break;
using net::testing::BreakingProxy;
using net::testing::Received;
using namespace std::chrono_literals;
using ::testing::AnyOf;
using ::testing::HasSubstr;

json map_of(const std::string& name, const std::string& text) {
  return {{"metadata", {{"name", name}}}, {"data", {{"text", text}}}, {"immutable", name == "fixed"}};
}

Break answer(int status, const std::string& reason, int retry_after = 0) {
  Break how{.kind = Break::Kind::answer,
            .status = status,
            .body = json{{"kind", "Status"}, {"code", status}, {"reason", reason}, {"message", "told to"}}.dump()};
  if (retry_after != 0) how.headers.push_back({"Retry-After", std::to_string(retry_after)});
  return how;
}

bool is_rehearsal(const Received& request) { return request.target.find("dryRun=All") != std::string::npos; }

// Counted from 1; the last call when none changes anything.
int first_change(const std::vector<std::string>& calls) {
  const auto found = std::ranges::find_if(calls, [](const std::string& call) {
    return !call.starts_with("GET ") && call.find("dryRun=All") == std::string::npos &&
           call.find("selfsubject") == std::string::npos;
  });
  return static_cast<int>(std::min(found - calls.begin() + 1, std::ssize(calls)));
}

// One namespace in which two ConfigMaps are to be changed, one is to be made again, one and a Secret come back, and one
// goes.
class RestoreFaults : public RestoreObjectsDrill {
 protected:
  static void SetUpTestSuite() {
    start({.scheduler =
               false});  // what is made again is deleted with its dependants left: the garbage collector does that
    if (!ready_) return;
    const link::KubeAccess& access = admin_->access();
    proxy_ = std::make_unique<BreakingProxy>(access.server, net::ClientOptions{.ca_file = access.authority.file,
                                                                               .cert_file = access.certificate.file,
                                                                               .key_file = access.key.file,
                                                                               .proxy = "",
                                                                               .ca_pem = access.authority.text,
                                                                               .cert_pem = access.certificate.text,
                                                                               .key_pem = access.key.text,
                                                                               .server_name = access.tls_server_name});
    const std::string config = fmt::format(
        "{{apiVersion: v1, kind: Config, current-context: c, contexts: [{{name: c, context: {{cluster: c}}}}], "
        "clusters: [{{name: c, cluster: {{server: '{}'}}}}]}}",
        proxy_->url());
    ASSERT_TRUE(io::write_file_durably(through_proxy(), as_bytes(config)));
    make_namespace("calls");
    for (const char* name : {"one", "two", "fixed", "lost"}) make("configmaps", "calls", map_of(name, "then"));
    make("secrets", "calls", {{"metadata", {{"name", "key"}}}, {"stringData", {{"k", "v"}}}});
    at_ = moment();
    wanted_ = dump("calls");
    damage();
    damaged_ = dump("calls");
  }
  static void TearDownTestSuite() {
    proxy_.reset();
    RestoreObjectsDrill::TearDownTestSuite();
  }

  static io::Path through_proxy() { return temp_->path() / "proxy.kubeconfig"; }
  static ProgramResult by_proxy(std::vector<std::string> args, std::vector<std::string> environment = {}) {
    args.insert(args.begin(), std::filesystem::read_symlink("/proc/self/exe").native());
    args.insert(args.end(),
                {"--store", store(), "--kubeconfig", through_proxy().native(), "--progress", "none", "--yes"});
    environment.push_back("TM_STEP_JOURNAL=" + (temp_->path() / "journal").string());
    const auto ran = run_program(args, {.environment = environment, .timeout = kPatience});
    EXPECT_TRUE(ran) << ran.error().what;
    return ran ? *ran : ProgramResult();
  }
  static std::vector<std::string> restore() {
    return {"restore", "-n", "calls", "--at", at_, "--existing", "recreate", "--prune", "--max-share", "90"};
  }
  static std::vector<std::string> with(std::vector<std::string> args, std::initializer_list<const char*> more) {
    args.insert(args.end(), more.begin(), more.end());
    return args;
  }

  static void damage() {
    for (const auto& [id, object] : dump("calls")) {
      if (id.starts_with("configmaps")) remove("configmaps", "calls", id.substr(id.find('/') + 1));
      if (id == "secrets calls/key") remove("secrets", "calls", "key");
    }
    for (const char* name : {"one", "two", "fixed", "fresh"}) make("configmaps", "calls", map_of(name, "now"));
  }

  // A restore that was cut is brought to its end, or to its beginning.
  static void finish(const std::string& number, bool forward) {
    const ProgramResult ran =
        forward ? tidemark({"restore", "--resume", number, "--yes"}) : tidemark({"undo", number, "--yes"});
    EXPECT_EQ(ran.exit_code, 0) << ran.out << ran.err;
    expect_dump("calls", forward ? wanted_ : damaged_);
    // Nothing is left that could keep the next one from beginning.
    const ProgramResult next = tidemark(with(restore(), {"--yes"}));
    EXPECT_EQ(next.exit_code, 0) << next.out << next.err;
    expect_dump("calls", wanted_);
  }

  // Each step of a run of `args`: where it can be killed.
  static std::vector<capture::testing::Cut> steps_of(const std::vector<std::string>& args) {
    EXPECT_TRUE(io::remove_tree(temp_->path() / "journal"));
    const ProgramResult ran = tidemark(args);
    EXPECT_EQ(ran.exit_code, 0) << ran.out << ran.err;
    std::vector<capture::testing::Cut> cuts;
    for (const auto& [step, times] : capture::testing::read_journal(temp_->path() / "journal")) {
      if (!step.starts_with("live: ")) continue;
      for (int nth = 1; nth <= times; nth++) cuts.push_back({step, nth});
    }
    return cuts;
  }

  static inline std::unique_ptr<BreakingProxy> proxy_;
  static inline std::string at_;
  static inline Dump wanted_, damaged_;
};

template <class T>
void sample(std::vector<T>& all, std::mt19937_64& dice, std::size_t of_scale_one) {
  std::shuffle(all.begin(), all.end(), dice);
  if (scale() == 1) all.resize(std::min(all.size(), of_scale_one));
}

// One call fails, whichever it is and however: nobody has to do anything about it.
TEST_F(RestoreFaults, OneCallThatFailsIsMadeGood) {
  damage();
  proxy_->heal();
  ASSERT_EQ(by_proxy(restore()).exit_code, 0);
  const int calls = proxy_->calls();
  EXPECT_GT(calls, 30);
  expect_dump("calls", wanted_);
  const std::pair<const char*, Break> faults[] = {{"dropped", {.kind = Break::Kind::drop}},
                                                  {"done, without an answer", {.kind = Break::Kind::lose_answer}},
                                                  {"done, with half an answer", {.kind = Break::Kind::cut}},
                                                  {"500", answer(500, "InternalError")},
                                                  {"503", answer(503, "ServiceUnavailable", 1)},
                                                  {"429", answer(429, "TooManyRequests", 1)},
                                                  {"504", answer(504, "Timeout")}};
  std::mt19937_64 dice(seed());
  std::vector<std::pair<int, std::size_t>> all;
  for (int n = 1; n <= calls; n++) {
    for (std::size_t fault = 0; fault < std::size(faults); fault++) all.emplace_back(n, fault);
  }
  sample(all, dice, 8);
  for (const auto& [n, fault] : all) {
    damage();
    proxy_->break_call(n, faults[fault].second);
    const ProgramResult ran = by_proxy(restore());
    const auto log = proxy_->log();
    SCOPED_TRACE(fmt::format("call {} ({}) was {}", n, log.size() < static_cast<std::size_t>(n) ? "" : log[n - 1],
                             faults[fault].first));
    EXPECT_EQ(ran.exit_code, 0) << ran.out << ran.err;
    expect_dump("calls", wanted_);
    if (HasFailure()) break;
  }
  proxy_->heal();
}

// From one call on nobody answers any more: it says so, and when the server is back it is finished or taken back.
TEST_F(RestoreFaults, AServerThatGoesAwayLosesNothing) {
  damage();
  proxy_->heal();
  ASSERT_EQ(by_proxy(restore()).exit_code, 0);
  const std::vector<std::string> log = proxy_->log();
  std::vector<int> all;
  for (int n = 1; n <= std::ssize(log); n++) all.push_back(n);
  std::mt19937_64 dice(seed());
  const bool last_is_forward = dice() % 2 == 0;
  sample(all, dice, 4);
  // Always among them: the first change, of which nobody can know then whether it was made.
  all.push_back(first_change(log));
  for (std::size_t i = 0; i < all.size(); i++) {
    const bool forward = (i % 2 == 0) == last_is_forward;
    damage();
    int seen = 0;  // the proxy asks one at a time
    const auto gone = [&seen, from = all[i]](const Received&) { return ++seen >= from; };
    const bool answers = i + 1 < all.size() && dice() % 2 == 0;
    proxy_->break_all(answers ? answer(503, "ServiceUnavailable") : Break{.kind = Break::Kind::drop}, gone);
    const std::string before = last_restore();
    const ProgramResult ran = by_proxy(restore(), {"TM_CLOCK_SPEED=20"});
    SCOPED_TRACE(fmt::format("from call {} on {}, then {}\n{}{}", all[i], answers ? "503" : "nothing",
                             forward ? "resume" : "undo", ran.out, ran.err));
    proxy_->heal();
    const std::string number = last_restore();
    if (ran.exit_code == 0) {
      // Only the answer to the last question was lost.
      expect_dump("calls", wanted_);
    } else if (ran.exit_code == 3) {
      // By a clock that is too fast a slow answer is none: the server was there, and the restore has ended.
      EXPECT_EQ(tidemark({"undo", number, "--yes"}).exit_code, 0);
      expect_dump("calls", damaged_);
    } else if (number == before) {
      EXPECT_THAT(ran.exit_code, AnyOf(7, 8));
      expect_dump("calls", damaged_);
      EXPECT_EQ(by_proxy(restore()).exit_code, 0);
      expect_dump("calls", wanted_);
    } else {
      EXPECT_THAT(ran.exit_code, AnyOf(7, 8));
      EXPECT_THAT(ran.err, HasSubstr("restore " + number + " was cut"));
      EXPECT_THAT(ran.err, HasSubstr("'tidemark restore --resume " + number + "' finishes it"));
      finish(number, forward);
    }
    if (HasFailure()) break;
  }
  proxy_->heal();
}

// The API server's own way of saying that it is asked too much, for one call in twelve.
TEST_F(RestoreFaults, AServerThatIsAskedTooMuchIsAskedLater) {
  damage();
  const auto broken = bed_->bed({"break", "front", "--status", "429", "--retry-after", "1", "--share", "0.08"});
  ASSERT_TRUE(broken) << broken.error().what;
  const ProgramResult ran = tidemark(with(restore(), {"--yes"}), {}, "front");
  const auto healed = bed_->bed({"heal", "front"});
  EXPECT_TRUE(healed) << healed.error().what;
  EXPECT_EQ(ran.exit_code, 0) << ran.out << ran.err;
  expect_dump("calls", wanted_);
}

// Killed in an undo or in a resume, and then again in the next try: at last it is done, either way.
TEST_F(RestoreFaults, KilledWhileItGoesOnOrGoesBackItIsFinishedAllTheSame) {
  std::mt19937_64 dice(seed());
  damage();
  const auto there = steps_of(with(restore(), {"--yes"}));
  const auto back = steps_of({"undo", last_restore(), "--yes"});
  expect_dump("calls", damaged_);
  EXPECT_GE(there.size(), 7U);
  EXPECT_GE(back.size(), 7U);
  struct Way {
    capture::testing::Cut first;
    bool undo;
    capture::testing::Cut second;
    bool other = false;
  };
  std::vector<Way> ways;
  for (const auto& first : there) {
    if (first.step == "live: begin") continue;  // nothing is there to go on with
    for (const auto& second : there) ways.push_back({first, false, second, dice() % 2 == 0});
    for (const auto& second : back) ways.push_back({first, true, second, dice() % 2 == 0});
  }
  // All is taken back, only that is not written down: the next try finds nothing to do.
  const Way nothing_left{{"live: create an object", 1}, true, {"live: end", 1}};
  sample(ways, dice, 5);
  if (scale() > 1) ways.resize(std::min<std::size_t>(ways.size(), static_cast<std::size_t>(scaled(10))));
  ways.push_back(nothing_left);
  for (const Way& way : ways) {
    damage();
    const auto killed_at = [](const capture::testing::Cut& cut) {
      return std::vector<std::string>{"TM_STEP=" + cut.step, "TM_STEP_NTH=" + std::to_string(cut.nth)};
    };
    ASSERT_EQ(tidemark(with(restore(), {"--yes"}), killed_at(way.first)).exit_code, 128 + SIGKILL);
    const std::string number = last_restore();
    const ProgramResult again = way.undo ? tidemark({"undo", number, "--yes"}, killed_at(way.second))
                                         : tidemark({"restore", "--resume", number, "--yes"}, killed_at(way.second));
    SCOPED_TRACE(fmt::format("killed in front of '{}' {}, then {} in front of '{}' {}, then the {} way", way.first.step,
                             way.first.nth, way.undo ? "undo" : "resume", way.second.step, way.second.nth,
                             way.other ? "other" : "same"));
    // What was done before needs no second time: then it lived on.
    EXPECT_THAT(again.exit_code, AnyOf(0, 128 + SIGKILL)) << again.out << again.err;
    const std::string last = last_restore();
    if (again.exit_code == 0) {
      expect_dump("calls", way.undo ? damaged_ : wanted_);
    } else if (last == number) {
      finish(number, way.undo == way.other);
    } else {
      // It was half taken back: that is finished, by its number or by saying it again.
      const ProgramResult refused = tidemark({"restore", "--resume", number, "--yes"});
      EXPECT_EQ(refused.exit_code, 1) << refused.out << refused.err;
      EXPECT_THAT(refused.err, HasSubstr("'tidemark restore --resume " + last + "' finishes that"));
      const ProgramResult ran =
          way.other ? tidemark({"restore", "--resume", last, "--yes"}) : tidemark({"undo", number, "--yes"});
      EXPECT_EQ(ran.exit_code, 0) << ran.out << ran.err;
      expect_dump("calls", damaged_);
    }
    const ProgramResult after = tidemark(with(restore(), {"--yes"}));
    EXPECT_EQ(after.exit_code, 0) << after.out << after.err;
    expect_dump("calls", wanted_);
    if (HasFailure()) return;
  }
}

// What its controllers keep in an object, and who still has to clean up, may change between the plan and the write, and
// stays as it is; what somebody else changes there is not written over.
TEST_F(RestoreFaults, BetweenPlanAndWriteControllersMayWriteAndOthersMayNot) {
  constexpr const char* kLeader = "control-plane.alpha.kubernetes.io/leader";
  make_namespace("between");
  make("configmaps", "between", {{"metadata", {{"name", "m"}}}, {"data", {{"a", "then"}}}});
  const std::string at = moment();
  const auto change = [](const json& patch) {
    const auto done =
        admin_->patch(kind("configmaps"), {.name_space = "between", .name = "m"}, link::KubePatch::merge, patch);
    EXPECT_TRUE(done) << done.error().what;
  };
  change({{"data", {{"a", "now"}}}});
  const std::vector<std::string> args{"restore", "cm/m", "-n", "between", "--at", at, "--existing", "replace", "--yes"};
  const auto while_it_stands = [&](const json& patch, int expected) {
    MUST(Child ran, stopped_before("live: put an object", args));
    change(patch);
    ran.signal(SIGCONT);
    MUST(const int code, ran.wait(kPatience));
    EXPECT_EQ(code, expected) << ran.log_tail();
  };
  while_it_stands({{"metadata", {{"annotations", {{kLeader, "me"}}}, {"finalizers", {"between.example.com/x"}}}}}, 0);
  const json is = get("configmaps", "between", "m");
  EXPECT_EQ(is.at("data"), (json{{"a", "then"}}));
  EXPECT_EQ(is.at("metadata").at("annotations").at(kLeader), "me");
  EXPECT_EQ(is.at("metadata").at("finalizers"), json{"between.example.com/x"});

  change({{"metadata", {{"finalizers", nullptr}}}, {"data", {{"a", "now"}}}});
  while_it_stands({{"data", {{"a", "theirs"}}}}, 1);
  EXPECT_EQ(get("configmaps", "between", "m").at("data"), (json{{"a", "theirs"}}));
}

// The server takes all steps but one; with --undo-on-failure nothing of it stays.
TEST_F(RestoreFaults, OneStepThatIsRefusedTakesAllBackWhenToldTo) {
  damage();
  const auto its_write = [](const Received& request) {
    return request.method == "PUT" && !is_rehearsal(request) &&
           request.target.find("/configmaps/two?") != std::string::npos;
  };
  proxy_->break_all(answer(422, "Invalid"), its_write);
  const ProgramResult back = by_proxy(with(restore(), {"--undo-on-failure"}), {"TM_CLOCK_SPEED=20"});
  EXPECT_EQ(back.exit_code, 1) << back.out << back.err;
  EXPECT_THAT(back.err, HasSubstr("tidemark: not done: configmaps calls/two: "));
  EXPECT_THAT(back.err, HasSubstr("going back, as --undo-on-failure says"));
  expect_dump("calls", damaged_);

  proxy_->break_all(answer(422, "Invalid"), its_write);
  const ProgramResult partly = by_proxy(restore(), {"TM_CLOCK_SPEED=20"});
  EXPECT_EQ(partly.exit_code, 3) << partly.out << partly.err;
  EXPECT_THAT(partly.err, HasSubstr("tidemark: not done: configmaps calls/two: "));
  proxy_->heal();
  EXPECT_EQ(get("configmaps", "calls", "two").at("data").at("text"), "now");
  EXPECT_EQ(get("configmaps", "calls", "one").at("data").at("text"), "then");
  const ProgramResult undone = tidemark({"undo", last_restore(), "--yes"});
  EXPECT_EQ(undone.exit_code, 0) << undone.out << undone.err;
  expect_dump("calls", damaged_);
}

}  // namespace
}  // namespace tidemark::testing

int main(int argc, char** argv) {
  if (tidemark::testing::is_step_program()) return tidemark::testing::step_program(argc, argv);
  ::testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
