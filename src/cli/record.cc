// tidemark record: records an etcd until it is stopped, or once.
#include <CLI/CLI.hpp>
#include <charconv>
#include <cstdlib>
#include <ostream>

#include "base/log.h"
#include "base/rfc3339.h"
#include "capture/recorder.h"
#include "cli/grace.h"
#include "cli/place.h"
#include "cli/program.h"
#include "cli/record_index.h"
#include "cli/record_metrics.h"
#include "cli/verbs.h"
#include "crypto/sha256.h"
#include "link/etcd_client.h"
#include "store/metered_store.h"
#include "store/open.h"

namespace tidemark::cli {
namespace {

constexpr const char* kExamples =
    "tidemark record --store dir:/backups/prod                     # an etcd on this machine, without TLS\n"
    "tidemark record --store dir:/backups/prod --endpoints https://10.0.0.1:2379,https://10.0.0.2:2379 \\\n"
    "    --cacert /etc/kubernetes/pki/etcd/ca.crt --cert /etc/kubernetes/pki/etcd/healthcheck-client.crt \\\n"
    "    --key /etc/kubernetes/pki/etcd/healthcheck-client.key     # a kubeadm control plane\n"
    "tidemark record --store dir:/backups/prod --once full         # one full now, for a cron job\n"
    "tidemark record --store dir:/backups/prod --once delta        # everything since the last run\n"
    "tidemark record --store dir:/backups/prod --delta-period 1m --full-schedule '0 */6 * * *'\n";

struct RecordWish {
  std::string store;
  std::vector<std::string> endpoints{"http://127.0.0.1:2379"};
  std::string cacert, cert, key, server_name;
  std::string user, password, password_file;
  bool skip_verify = false;
  std::string delta_period = "5m", full_schedule = "0 0 * * *", delta_limit = "100MiB";
  std::string spool_dir, spool_limit = "10GiB";
  std::string drain_within = "25s", claim_grace = "1m";
  std::string once;
  std::string metrics_listen;
  bool no_index = false;
};

// Whole numbers with a unit: "100MiB".
Result<std::uint64_t> parse_size(std::string_view flag, std::string_view text) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const std::string_view unit(end, text.data() + text.size());
  constexpr std::pair<std::string_view, unsigned> kUnits[] = {{"", 0},     {"B", 0},    {"KiB", 10},
                                                              {"MiB", 20}, {"GiB", 30}, {"TiB", 40}};
  for (const auto& [name, shift] : kUnits) {
    if (error != std::errc() || unit != name) continue;
    if (number == 0 || number > (std::uint64_t{1} << 62U) >> shift) break;
    return number << shift;
  }
  return fail(Errc::invalid, "{}: '{}' is no size (write 100MiB or 10GiB)", flag, text);
}

Result<std::chrono::nanoseconds> parse_time(std::string_view flag, std::string_view text,
                                            std::chrono::nanoseconds least) {
  TM_LET(const auto time, named(flag, parse_duration(text)));
  if (time < least) return fail(Errc::invalid, "{}: at least {} is needed", flag, print_duration(least));
  return time;
}

// Not on etcd's file system where that can be helped: /var/lib/tidemark is ours, /var/lib/etcd often a disk of its own.
io::Path default_spool_dir(const std::string& store_url) {
  const std::string name = to_hex(crypto::sha256(as_bytes(store_url))).substr(0, 16);
  if (const char* state = std::getenv("XDG_STATE_HOME"); state != nullptr && *state != '\0') {
    return io::Path(state) / "tidemark" / "spool" / name;
  }
  return io::Path("/var/lib/tidemark/spool") / name;
}

Result<std::string> password_of(const RecordWish& wish) {
  if (!wish.password_file.empty()) {
    TM_LET(const Buffer text, named("--password-file", io::read_file(wish.password_file, 64UL << 10U)));
    std::string password(as_text(text));
    while (password.ends_with('\n') || password.ends_with('\r')) password.pop_back();
    return password;
  }
  if (!wish.password.empty()) return wish.password;
  const char* env = std::getenv("TIDEMARK_ETCD_PASSWORD");
  return std::string(env != nullptr ? env : "");
}

Result<link::EtcdOptions> etcd_options(const RecordWish& wish) {
  link::EtcdOptions options;
  options.endpoints = wish.endpoints;
  options.ca_file = wish.cacert;
  options.cert_file = wish.cert;
  options.key_file = wish.key;
  options.server_name = wish.server_name;
  options.skip_server_check = wish.skip_verify;
  options.user = wish.user;
  // etcdctl's way of giving both at once.
  const std::size_t colon = wish.user.find(':');
  if (colon != std::string::npos) {
    options.user = wish.user.substr(0, colon);
    options.password = wish.user.substr(colon + 1);
    return options;
  }
  if (!wish.user.empty()) {
    TM_LET(options.password, password_of(wish));
  }
  return options;
}

Result<capture::RecorderOptions> recorder_options(const RecordWish& wish) {
  using namespace std::chrono_literals;
  capture::RecorderOptions options;
  TM_LET(options.delta_period, parse_time("--delta-period", wish.delta_period, 1s));
  TM_LET(options.drain_within, parse_time("--drain-within", wish.drain_within, 0s));
  TM_LET(options.claim_grace, parse_time("--claim-grace", wish.claim_grace, 1s));
  TM_LET(options.delta_limit, parse_size("--delta-limit", wish.delta_limit));
  TM_LET(options.spool_limit, parse_size("--spool-limit", wish.spool_limit));
  TM_LET(options.full_schedule, named("--full-schedule", capture::Schedule::parse(wish.full_schedule)));
  return options;
}

// A recorder that was stopped with something still in its spool did its work in part: the message says what is left.
Result<Exit> outcome(Program& program, const Status& status) {
  if (status) return Exit::done;
  if (status.error().code != Errc::timeout) return std::unexpected(status.error());
  program.err() << "tidemark: " << status.error().what << "\n";
  if (!status.error().hint.empty()) program.err() << "hint: " << status.error().hint << "\n";
  return Exit::partly;
}

Result<Exit> record(Program& program, const RecordWish& wish) {
  TM_LET(capture::RecorderOptions options, recorder_options(wish));
  TM_LET(link::EtcdOptions etcd, etcd_options(wish));
  TM_CHECK(check_place(wish.store));
  // A store that does not answer must not hold up the end for longer than was agreed.
  const Grace grace(program.stop(), options.drain_within + std::chrono::seconds(2));
  store::StoreTally tally;
  options.open_store = [&](const std::string& url) -> Result<std::unique_ptr<store::ObjectStore>> {
    TM_LET(auto opened, program.open_store(url, false, grace.token()));
    return std::make_unique<store::MeteredStore>(std::move(opened), program.clock(), tally);
  };
  TM_LET(const auto store, options.open_store(wish.store));
  TM_CHECK(store::clean_leftovers(*store, std::chrono::hours(1), program.now()));
  options.spool_dir = wish.spool_dir.empty() ? default_spool_dir(store->url()) : io::Path(wish.spool_dir);
  TM_CHECK(hinted(named("spool directory", io::make_dirs(options.spool_dir)), "choose another one with --spool-dir"));
  options.steps = &program.steps();
  // A store that is encrypted is not opened for writing without recipients.
  options.store_encrypted = !program.age().recipients.empty();
  if (!wish.no_index) options.witness = index_witness(/*values=*/!options.store_encrypted);
  if (wish.skip_verify) log_warning("the server's certificate is not checked", "because of --insecure-skip-tls-verify");
  // From here on: the wish makes sense.
  capture::Counters counters;
  std::unique_ptr<MetricsListener> metrics;
  if (!wish.metrics_listen.empty()) {
    const net::Traffic* const wire = store::traffic_of(*store);
    TM_LET(metrics,
           MetricsListener::listen(wish.metrics_listen, [&, wire] { return record_metrics(counters, tally, wire); }));
  }
  TM_LET(const auto member, link::connect_etcd(std::move(etcd)));
  capture::Recorder recorder(*member, *store, program.clock(), options, counters);
  if (wish.once == "full") return outcome(program, recorder.once_full(program.stop()));
  if (wish.once == "delta") return outcome(program, recorder.once_delta(program.stop()));
  return outcome(program, recorder.run(program.stop()));
}

void add_etcd_options(CLI::App& app, RecordWish& wish) {
  app.add_option("--endpoints", wish.endpoints, "etcd's client URLs, comma separated; unix:///path too")
      ->delimiter(',')
      ->capture_default_str()
      ->envname("ETCDCTL_ENDPOINTS");
  app.add_option("--cacert", wish.cacert, "CA of etcd's certificate")->envname("ETCDCTL_CACERT");
  app.add_option("--cert", wish.cert, "client certificate")->envname("ETCDCTL_CERT");
  app.add_option("--key", wish.key, "key of the client certificate")->envname("ETCDCTL_KEY");
  app.add_option("--tls-server-name", wish.server_name, "name to expect in etcd's certificate");
  app.add_flag("--insecure-skip-tls-verify", wish.skip_verify, "accept any certificate of etcd");
  app.add_option("--user", wish.user, "user, when etcd has authentication on; it needs the role root for fulls");
  app.add_option("--password", wish.password, "its password; others on this machine can see it: better the file");
  app.add_option("--password-file", wish.password_file,
                 "a file with its password (or the variable TIDEMARK_ETCD_PASSWORD)");
}

}  // namespace

void add_record(Program& program) {
  auto wish = std::make_shared<RecordWish>();
  CLI::App& app = program.verb("record", "record an etcd: deltas all the time, fulls on a schedule", kExamples,
                               [wish](Program& p) { return record(p, *wish); });
  program.add_store(app, wish->store);
  program.add_recipients(app);
  add_etcd_options(app, *wish);
  app.add_option("--delta-period", wish->delta_period, "publish a delta at least this often")->capture_default_str();
  app.add_option("--delta-limit", wish->delta_limit, "publish one earlier when its JSON reaches this")
      ->capture_default_str();
  app.add_option("--full-schedule", wish->full_schedule, "when to take fulls: five cron fields, UTC, or @daily")
      ->capture_default_str();
  app.add_option("--spool-dir", wish->spool_dir,
                 "where events are kept until they are published, and fulls while they are checked; not on etcd's "
                 "disk. Default: $XDG_STATE_HOME or /var/lib, tidemark/spool/<hash of the store>");
  app.add_option("--spool-limit", wish->spool_limit, "most bytes of events in it; then the watch waits")
      ->capture_default_str();
  app.add_option("--once", wish->once, "do one thing and end")->check(CLI::IsMember({"full", "delta"}));
  app.add_option("--drain-within", wish->drain_within, "when stopped: how long to publish what is spilled")
      ->capture_default_str();
  app.add_option("--claim-grace", wish->claim_grace, "how long to wait for another recorder before taking over")
      ->capture_default_str();
  app.add_flag("--no-index", wish->no_index,
               "do not put an index beside each object: get, log and diff then read the objects to make it");
  app.add_option("--metrics-listen", wish->metrics_listen, "serve Prometheus metrics, for example 127.0.0.1:9402");
}

}  // namespace tidemark::cli
