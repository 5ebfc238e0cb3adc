#include "etcd/cluster.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <set>

#include "base/bytes.h"
#include "crypto/sha256.h"

namespace tidemark::etcd {

namespace {

std::string_view trimmed(std::string_view text) {
  const auto is_space = [](char c) { return c == ' ' || (c >= '\t' && c <= '\r'); };
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

std::vector<std::string_view> split_at_commas(std::string_view list) {
  std::vector<std::string_view> parts;
  for (;;) {
    const std::size_t comma = list.find(',');
    parts.push_back(list.substr(0, comma));
    if (comma == std::string_view::npos) return parts;
    list.remove_prefix(comma + 1);
  }
}

bool printable(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c > ' ' && c < 0x7f; });
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return out;
}

bool good_port(std::string_view port) {
  if (port.empty() || port.size() > 5) return false;
  unsigned number = 0;
  for (const char c : port) {
    if (c < '0' || c > '9') return false;
    number = number * 10 + static_cast<unsigned>(c - '0');
  }
  return number <= 65535;
}

Status check_address(std::string_view address, std::string_view url) {
  if (address.find('/') != std::string_view::npos)
    return fail(Errc::invalid, "peer URL '{}' must not have a path", url);
  const std::size_t colon = address.rfind(':');
  if (colon == std::string_view::npos) return fail(Errc::invalid, "peer URL '{}' is not of the form host:port", url);
  const std::string_view host = address.substr(0, colon);
  const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
  // An IPv6 address only in brackets: otherwise its last group would be the port.
  const std::string_view inside = bracketed ? host.substr(1, host.size() - 2) : host;
  const bool colons = inside.find(':') != std::string_view::npos;
  if (inside.empty() || (colons && !bracketed) || inside.find_first_of("[]") != std::string_view::npos ||
      !good_port(address.substr(colon + 1)))
    return fail(Errc::invalid, "peer URL '{}' is not of the form host:port", url);
  return {};
}

Result<std::vector<std::string>> normal_urls(std::string_view list) {
  std::vector<std::string> urls;
  for (const std::string_view part : split_at_commas(list)) {
    TM_LET(std::string url, normal_peer_url(part));
    urls.push_back(std::move(url));
  }
  std::ranges::sort(urls);
  return urls;
}

}  // namespace

std::string json_quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    if (c == '<' || c == '>' || c == '&')
      out += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
    else
      out += c;
  }
  return out + '"';
}

std::string peer_urls_json(const std::vector<std::string>& urls) {
  std::string out = "[";
  for (const std::string& url : urls) {
    if (out.size() > 1) out += ',';
    out += json_quoted(url);
  }
  return out + ']';
}

const NewMember* NewCluster::find(MemberId wanted) const {
  const auto it = std::ranges::find(members, wanted, &NewMember::id);
  return it == members.end() ? nullptr : &*it;
}

const NewMember* NewCluster::find(std::string_view name) const {
  const auto it = std::ranges::find(members, name, &NewMember::name);
  return it == members.end() ? nullptr : &*it;
}

Result<std::string> normal_peer_url(std::string_view url) {
  url = trimmed(url);
  const std::size_t mark = url.find("://");
  const std::string scheme = lower(url.substr(0, mark == std::string_view::npos ? 0 : mark));
  if (scheme != "http" && scheme != "https" && scheme != "unix" && scheme != "unixs")
    return fail(Errc::invalid, "peer URL '{}' must begin with http://, https://, unix:// or unixs://", url);
  const std::string_view rest = url.substr(mark + 3);
  // What Go would rewrite or escape: ids are made of the text, so there must be one way to write a URL.
  if (!printable(rest) || rest.find_first_of("?#@%\"\\<>&^`{}|=") != std::string_view::npos)
    return fail(Errc::invalid, "peer URL '{}' has a character that does not belong there", url);
  if (scheme.starts_with("http")) {
    TM_CHECK(check_address(rest, url));
  } else if (rest.empty()) {
    return fail(Errc::invalid, "peer URL '{}' names no socket", url);
  }
  return scheme + "://" + std::string(rest);
}

MemberId member_id(std::vector<std::string> peer_urls, std::string_view token) {
  std::ranges::sort(peer_urls);
  std::string text;
  for (const std::string& url : peer_urls) text += url;
  text += token;
  return MemberId(load_be<std::uint64_t>(crypto::sha1(as_bytes(text))));
}

ClusterId cluster_id(std::vector<MemberId> members) {
  std::ranges::sort(members);
  Buffer bytes(members.size() * 8);
  for (std::size_t i = 0; i < members.size(); i++) store_be(bytes.data() + 8 * i, members[i].raw());
  return ClusterId(load_be<std::uint64_t>(crypto::sha1(bytes)));
}

std::string hex_id(std::uint64_t id) { return fmt::format("{:x}", id); }

Result<std::uint64_t> parse_hex_id(std::string_view text) {
  std::uint64_t id = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), id, 16);
  if (error != std::errc{} || hex_id(id) != text) return fail(Errc::corrupt, "'{}' is not a member id", text);
  return id;
}

std::string member_json(const NewMember& member) {
  return fmt::format(R"({{"id":{},"peerURLs":{},"name":{}}})", member.id, peer_urls_json(member.peer_urls),
                     json_quoted(member.name));
}

Result<NewCluster> plan_cluster(std::string_view initial_cluster, std::string_view token) {
  std::map<std::string, std::vector<std::string>> by_name;
  std::set<std::string> all_urls;
  if (trimmed(initial_cluster).empty()) return fail(Errc::invalid, "the initial cluster has no members");
  for (const std::string_view part : split_at_commas(initial_cluster)) {
    const std::size_t equals = part.find('=');
    if (equals == std::string_view::npos)
      return fail(Errc::invalid, "initial cluster: '{}' is not of the form name=url", part);
    const std::string name(trimmed(part.substr(0, equals)));
    if (name.empty()) return fail(Errc::invalid, "initial cluster: '{}' has no name", part);
    if (!printable(name))
      return fail(Errc::invalid, "initial cluster: the name '{}' has a character that is not printable ASCII", name);
    TM_LET(std::string url, named("initial cluster", normal_peer_url(part.substr(equals + 1))));
    if (!all_urls.insert(url).second) return fail(Errc::invalid, "initial cluster: {} occurs twice", url);
    by_name[name].push_back(std::move(url));
  }

  NewCluster cluster;
  cluster.token = token;
  std::vector<MemberId> ids;
  for (auto& [name, urls] : by_name) {
    std::ranges::sort(urls);
    ids.push_back(member_id(urls, token));
    cluster.members.push_back({ids.back(), name, std::move(urls)});
  }
  std::ranges::sort(cluster.members, {}, &NewMember::id);
  for (std::size_t i = 0; i < cluster.members.size(); i++) {
    const NewMember& member = cluster.members[i];
    if (member.id == MemberId{} || (i > 0 && member.id == cluster.members[i - 1].id))
      return fail(Errc::invalid, "initial cluster: the id {} of '{}' cannot be used; choose another token",
                  hex_id(member.id.raw()), member.name);
  }
  cluster.id = cluster_id(std::move(ids));
  return cluster;
}

Result<MemberId> choose_member(const NewCluster& cluster, std::string_view name, std::string_view advertise_peer_urls) {
  const NewMember* member = cluster.find(name);
  if (member == nullptr) return fail(Errc::invalid, "no member '{}' in the initial cluster", name);
  if (trimmed(advertise_peer_urls).empty()) return member->id;
  TM_LET(const std::vector<std::string> advertised, named("advertised peer URLs", normal_urls(advertise_peer_urls)));
  if (advertised != member->peer_urls)
    return fail(Errc::invalid, "the advertised peer URLs {} of '{}' are not those in the initial cluster: {}",
                fmt::join(advertised, ","), name, fmt::join(member->peer_urls, ","));
  return member->id;
}

}  // namespace tidemark::etcd
