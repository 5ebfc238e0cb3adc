// tidemark serve: a read-only Kubernetes API of a moment of the recorded past.
#include "serve/api.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <mutex>
#include <ostream>

#include "base/log.h"
#include "base/rfc3339.h"
#include "cli/object_reading.h"
#include "cli/program.h"
#include "cli/serve_metrics.h"
#include "cli/verbs.h"
#include "cli/version.h"
#include "net/url.h"
#include "serve/http_listener.h"
#include "serve/kubeconfig.h"
#include "store/open.h"

namespace tidemark::cli {
namespace {

// A server that runs longer is started again, with new keys.
constexpr std::chrono::days kGoodFor{365};
// From the signal on, for requests that are being answered.
constexpr std::chrono::seconds kDrainWithin{10};

struct ServeWish {
  std::string at = "latest";
  std::string listen = "127.0.0.1:8001";
  std::string kubeconfig_out, metrics_listen;
  std::vector<std::string> hosts;
  bool allow_remote = false, insecure_http = false;
  ObjectReading reading;
};

struct Address {
  std::string host;
  int port = 0;
};

// "127.0.0.1:8001", "[::1]:8001", "localhost:0".
Result<Address> read_address(const std::string& text) {
  const std::size_t colon = text.rfind(':');
  const auto wrong = [&] { return fail(Errc::invalid, "--listen '{}': ADDRESS:PORT expected", text); };
  if (colon == std::string::npos || colon + 1 == text.size() || text.size() - colon > 6) return wrong();
  Address address{.host = text.substr(0, colon), .port = 0};
  for (const char c : text.substr(colon + 1)) {
    if (c < '0' || c > '9') return wrong();
    address.port = address.port * 10 + (c - '0');
  }
  if (address.port > 65535 || address.host.empty()) return wrong();
  if (address.host == "localhost") address.host = "127.0.0.1";
  if (address.host.starts_with('[') && address.host.ends_with(']')) {
    address.host = address.host.substr(1, address.host.size() - 2);
  }
  return address;
}

bool is_any(const std::string& host) { return host == "0.0.0.0" || host == "::"; }
std::string in_url(const std::string& host) { return host.find(':') == std::string::npos ? host : "[" + host + "]"; }

Status check_openness(const ServeWish& wish, const Address& address) {
  if (net::is_loopback(in_url(address.host))) return {};
  if (wish.insecure_http) {
    return fail(Errc::invalid,
                "--insecure-http offers every Secret to whoever reaches the port: only on a loopback "
                "address");
  }
  if (!wish.allow_remote) {
    return hinted(Status(fail(Errc::invalid, "--listen {}: others than this machine could reach it", wish.listen)),
                  "--allow-remote says that they may");
  }
  if (is_any(address.host) && wish.hosts.empty()) {
    return hinted(Status(fail(Errc::invalid, "--listen {}: by which name will it be called?", wish.listen)),
                  "--host NAME, once for each name or address");
  }
  return {};
}

// Names by which it may be called, the first for the kubeconfig.
std::vector<std::string> names_of(const ServeWish& wish, const Address& address) {
  std::vector<std::string> names = wish.hosts;
  if (!is_any(address.host)) names.push_back(address.host);
  for (const char* own : {"127.0.0.1", "localhost", "::1"}) {
    if (std::ranges::find(names, own) == names.end()) names.emplace_back(own);
  }
  return names;
}

// Where a kubeconfig goes that nobody named: into a folder of our own, gone when we are.
Result<io::TempDir> runtime_dir() {
  const char* runtime = std::getenv("XDG_RUNTIME_DIR");
  if (runtime != nullptr && std::filesystem::is_directory(runtime)) return io::TempDir::create(runtime);
  return io::TempDir::create();
}

void tell(Program& program, const ServeWish& wish, const serve::PastCluster& cluster, const std::string& url,
          const io::Path& kubeconfig) {
  (void)tell_moment(program, wish.at, cluster.moment());
  for (const std::string& note : cluster.notes()) program.err() << "note: " << note << '\n';
  if (wish.insecure_http) {
    program.err() << "note: without TLS clients send no token: every user of this machine can read every Secret\n";
  }
  program.err() << fmt::format("the cluster as it was at {}, revision {}, at {} until stopped\n",
                               print_rfc3339(cluster.time()), cluster.revision(), url);
  program.out() << "export KUBECONFIG=" << kubeconfig.string() << '\n' << std::flush;
}

Result<Exit> serve_past(Program& program, ServeWish& wish) {
  TM_CHECK(named("--at", history::check_when(wish.at, program.now())));
  TM_LET(const Address address, read_address(wish.listen));
  TM_CHECK(check_openness(wish, address));
  ReadingKeys keys(wish.reading);
  TM_CHECK(keys.prepare(wish.reading));
  const std::vector<std::string> names = names_of(wish, address);
  TM_LET(const crypto::ServerIdentity identity,
         named("--host", crypto::make_server_identity(names, program.now(), kGoodFor)));
  // While the moment opens, a stop ends the reading at once; later, when those who asked have got their answers.
  std::atomic<bool> opening = true;
  std::stop_source reads;
  const std::stop_callback at_once(program.stop(), [&] {
    if (opening) reads.request_stop();
  });
  store::StoreTally tally;
  TM_LET(const History from, open_history(program, wish.reading.store, reads.get_token(), &tally));
  for (const std::string& what : from.origin->left_out()) program.err() << "note: " << what << '\n';

  // The moment is open, and what is said about it is known.
  TM_LET(const io::TempDir scratch, io::TempDir::create(wish.reading.scratch));
  history::MomentOptions reading = moment_options(program, scratch.path());
  reading.stop = reads.get_token();
  reading.progress = [&](std::string_view step, std::uint64_t done, std::uint64_t all) {
    if (opening) program.progress().update(step, done, all);
  };
  const auto index = open_index(program, from, wish.reading.index, reading);
  reading.index = index.get();
  serve::Past past{.origin = index ? index->origin() : *from.origin,
                   .etcd_prefix = wish.reading.objects.etcd_prefix,
                   .decryptor = wish.reading.objects.decryptor,
                   .options = std::move(reading)};
  std::unique_ptr<MetricsListener> metrics;
  if (!wish.metrics_listen.empty()) {
    const net::Traffic* const wire = from.store ? store::traffic_of(*from.store) : nullptr;
    TM_LET(metrics, MetricsListener::listen(wish.metrics_listen,
                                            [&, wire] { return serve_metrics(past.counters, tally, wire); }));
  }
  TM_LET(const restore::Target target,
         target_anywhere(program, "--at", wish.at, wish.reading, past.origin, past.options));
  TM_LET(const auto cluster, serve::PastCluster::open(past, target));
  opening = false;  // later reads are many clients', and drawn nowhere
  program.progress().finish();

  const std::string token = wish.insecure_http ? "" : serve::make_token();
  serve::Moments moments(past, cluster, program.clock());
  std::unique_ptr<const serve::Api> api;
  std::mutex starting;
  std::unique_lock started(starting);
  TM_LET(const auto listener,
         serve::HttpListener::open(
             {.address = address.host, .port = address.port, .identity = wish.insecure_http ? nullptr : &identity},
             [&](const serve::Request& request, serve::Reply& reply) {
               {
                 const std::lock_guard wait(starting);
               }
               api->answer(request, reply);
             }));
  api = std::make_unique<serve::Api>(
      moments, serve::Gate(names, listener->port(), token),
      serve::Api::Options{.version = std::string(version_number()), .clock = program.clock()});
  started.unlock();

  // It answers; the file says how to ask.
  TM_LET(const io::TempDir runtime, runtime_dir());
  const io::Path kubeconfig =
      wish.kubeconfig_out.empty() ? runtime.path() / "kubeconfig" : io::Path(wish.kubeconfig_out);
  const std::string url =
      fmt::format("{}://{}:{}", wish.insecure_http ? "http" : "https", in_url(names.front()), listener->port());
  const std::string text = serve::print_kubeconfig({.server = url,
                                                    .authority = wish.insecure_http ? "" : identity.authority,
                                                    .token = token,
                                                    .context = fmt::format("tidemark-{}", cluster->revision())});
  TM_CHECK(named("--kubeconfig-out", io::write_file_durably(kubeconfig, as_bytes(text), 0600)));
  tell(program, wish, *cluster, url, kubeconfig);
  listener->wait(program.stop());
  if (!listener->drain(kDrainWithin)) log_warning("answers broken off", "after={}", print_duration(kDrainWithin));
  reads.request_stop();
  return Exit::done;
}

}  // namespace

void add_serve(Program& program) {
  auto wish = std::make_shared<ServeWish>();
  CLI::App& app = program.verb(
      "serve", "a read-only Kubernetes API at a moment: kubectl, k9s and others just work",
      "tidemark serve --at -2h --store dir:/backups/prod        # prints: export KUBECONFIG=...; ends with Ctrl-C\n"
      "tidemark serve --at rev:123456 --kubeconfig-out past.kubeconfig --store dir:/backups/prod &\n"
      "kubectl --kubeconfig past.kubeconfig get pods -A         # the pods of then\n"
      "kubectl --kubeconfig past.kubeconfig --server https://127.0.0.1:8001/at/2026-11-21T10:00:00Z get deploy -A\n"
      "tidemark serve --listen 127.0.0.1:0 --encryption-config enc.yaml --store file:/x/snapshot.db\n",
      [wish](Program& p) { return serve_past(p, *wish); });
  app.add_option(
         "--at", wish->at,
         "latest, rev:1234, -2h, 2024-05-01T12:00:00Z or before:delete:KIND/NAME; /at/WHEN in a URL is another moment")
      ->capture_default_str()
      ->type_name("WHEN");
  app.add_option("--listen", wish->listen, "where; port 0: any that is free")
      ->capture_default_str()
      ->type_name("ADDRESS:PORT");
  app.add_option("--kubeconfig-out", wish->kubeconfig_out,
                 "the kubeconfig, which has the token in it; default: a file in a private folder, removed at the end")
      ->type_name("FILE");
  app.add_option("--host", wish->hosts, "another name or address by which clients call it; may be repeated")
      ->type_name("NAME");
  app.add_flag("--allow-remote", wish->allow_remote, "listen where other machines can reach it");
  app.add_flag("--insecure-http", wish->insecure_http,
               "without TLS and without a token: every user of this machine can then read every Secret");
  app.add_option("--metrics-listen", wish->metrics_listen, "serve Prometheus metrics, for example 127.0.0.1:9403")
      ->type_name("ADDRESS:PORT");
  add_reading_options(program, app, wish->reading);
  add_index_options(app, wish->reading.index);
}

}  // namespace tidemark::cli
