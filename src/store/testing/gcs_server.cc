#include "store/testing/gcs_server.h"

#include "crypto/crc32c.h"
#include "net/url.h"
#include "store/gcs_client.h"
#include "store/json_fields.h"
#include "store/resuming_source.h"

namespace tidemark::store::testing {

using net::testing::Received;
using net::testing::Reply;
using nlohmann::json;

struct GcsServer::Target {
  std::string path, key;
  std::map<std::string, std::string> query;
  std::string at(const char* name) const {
    const auto it = query.find(name);
    return it == query.end() ? std::string() : it->second;
  }
};

namespace {

constexpr std::size_t kUnit = 256UL << 10U;

Reply refuse(int status, const std::string& reason, const std::string& message) {
  const json body = {{"error", {{"code", status}, {"message", message}, {"errors", {{{"reason", reason}}}}}}};
  return {.status = status, .headers = {{"Content-Type", "application/json"}}, .body = body.dump()};
}

std::uint32_t crc_of(std::string_view body) { return crypto::crc32c(0, as_bytes(body)); }

void flip(std::string& body) {
  if (!body.empty()) body[body.size() / 2] = static_cast<char>(body[body.size() / 2] ^ 1);
}

// The two parts of a multipart/related body.
std::pair<std::string, std::string> two_parts(const Received& r) {
  const std::string type(r.header("Content-Type"));
  const std::string line = "--" + type.substr(type.find("boundary=") + 9);
  const auto part = [&](std::size_t from) {
    const std::size_t begin = r.body.find("\r\n\r\n", from) + 4;
    const std::size_t end = r.body.find("\r\n" + line, begin);
    return std::pair(r.body.substr(begin, end - begin), end + 2);
  };
  const auto [first, next] = part(0);
  return {first, part(next).first};
}

}  // namespace

void GcsServer::break_request(int n, GcsFault fault) {
  const std::scoped_lock lock(mutex_);
  requests_ = 0;
  fault_at_ = n;
  fault_ = fault;
  fired_ = false;
}

bool GcsServer::fired() const {
  const std::scoped_lock lock(mutex_);
  return fired_;
}

int GcsServer::requests() const {
  const std::scoped_lock lock(mutex_);
  return requests_;
}

bool GcsServer::noncurrent(const std::string& key) const {
  const std::scoped_lock lock(mutex_);
  return noncurrent_.contains(key);
}

std::map<std::string, GcsServer::Object> GcsServer::objects() {
  const std::scoped_lock lock(mutex_);
  return objects_;
}

void GcsServer::put(const std::string& key, Object object) {
  const std::scoped_lock lock(mutex_);
  objects_[key] = std::move(object);
}

std::size_t GcsServer::open_sessions() const {
  const std::scoped_lock lock(mutex_);
  return static_cast<std::size_t>(
      std::ranges::count_if(sessions_, [](const auto& session) { return !session.second.done; }));
}

Reply GcsServer::handle(const Received& r) {
  const std::scoped_lock lock(mutex_);
  ++requests_;
  const bool now = fault_at_ == requests_ || fault_at_ == 0;
  const GcsFault fault = now ? fault_ : GcsFault::none;
  fired_ |= now && fault_ != GcsFault::none;
  switch (fault) {
    case GcsFault::drop_before: return {.drop = true};
    case GcsFault::busy: return refuse(503, "backendError", "try again");
    case GcsFault::too_many: return {.status = 429, .headers = {{"Retry-After", "1"}}};
    case GcsFault::rate_limit: return refuse(403, "rateLimitExceeded", "slower");
    default: break;
  }
  Reply reply = route(r, fault);
  if (fault == GcsFault::drop_after || fault == GcsFault::keep_half) reply.drop = true;
  if (fault == GcsFault::cut_body) reply.cut_after = reply.body.size() / 2;
  return reply;
}

Reply GcsServer::route(const Received& r, GcsFault fault) {
  Target target;
  const std::size_t question = std::min(r.target.find('?'), r.target.size());
  target.path = r.target.substr(0, question);
  if (question < r.target.size()) {
    const net::Query query = net::parse_query(r.target.substr(question + 1)).value();
    target.query.insert(query.begin(), query.end());
  }
  if (target.path == "/upload/storage/v1/b/bkt/o") {
    return target.at("upload_id").empty() ? insert(r, target, fault) : session(r, target.at("upload_id"), fault);
  }
  constexpr std::string_view kObjects = "/storage/v1/b/bkt/o";
  if (target.path == kObjects) return list(target);
  if (!target.path.starts_with(std::string(kObjects) + "/")) {
    return refuse(404, "notFound", "The specified bucket does not exist.");
  }
  target.key = net::percent_decode(target.path.substr(kObjects.size() + 1)).value();
  const auto found = objects_.find(target.key);
  const std::string generation = target.at("generation");
  if (found == objects_.end() || (!generation.empty() && generation != std::to_string(found->second.generation))) {
    return refuse(404, "notFound", "No such object: bkt/" + target.key);
  }
  if (r.method == "DELETE") {
    if (found->second.held) return refuse(403, "objectUnderActiveHold", "the object is under active hold");
    const std::string expected = target.at("ifGenerationMatch");
    if (!expected.empty() && expected != std::to_string(found->second.generation)) {
      return refuse(412, "conditionNotMet", "At least one of the pre-conditions did not hold.");
    }
    if (generation.empty()) noncurrent_.insert(target.key);
    objects_.erase(found);
    return {.status = 204};
  }
  return target.at("alt") == "media" ? read(r, target, fault) : resource(target.key);
}

Reply GcsServer::resource(const std::string& key) {
  const Object& object = objects_.at(key);
  json fields = {{"name", key},
                 {"size", std::to_string(object.body.size())},
                 {"generation", std::to_string(object.generation)},
                 {"timeCreated", "2026-11-21T10:00:00.123Z"},
                 {"crc32c", print_crc32c(crc_of(object.body))}};
  const auto metadata = json::parse(object.metadata, nullptr, false);
  if (metadata.is_object() && metadata.contains("metadata")) fields["metadata"] = metadata["metadata"];
  return {.headers = {{"Content-Type", "application/json"}}, .body = fields.dump()};
}

Reply GcsServer::create(const std::string& key, const std::string& metadata, const std::string& body) {
  if (objects_.contains(key)) return refuse(412, "conditionNotMet", "At least one of the pre-conditions did not hold.");
  const std::string declared = text_of(json::parse(metadata), "crc32c");
  if (!declared.empty() && declared != print_crc32c(crc_of(body))) {
    return refuse(400, "invalid", "Provided CRC32C does not match the calculated one.");
  }
  objects_[key] = {.body = body, .metadata = metadata, .generation = ++generation_};
  return resource(key);
}

Reply GcsServer::insert(const Received& r, const Target& target, GcsFault fault) {
  if (target.at("ifGenerationMatch") != "0") return refuse(400, "required", "this server wants ifGenerationMatch=0");
  if (target.at("uploadType") == "multipart") {
    auto [metadata, body] = two_parts(r);
    if (fault == GcsFault::flip_upload) flip(body);
    return create(text_of(json::parse(metadata), "name"), metadata, body);
  }
  const std::string key = text_of(json::parse(r.body), "name");
  if (objects_.contains(key)) return refuse(412, "conditionNotMet", "At least one of the pre-conditions did not hold.");
  const std::string id = fmt::format("session-{}", sessions_.size() + 1);
  sessions_[id] = {.key = key, .metadata = r.body, .bytes = {}};
  return {.headers = {{"Location", http_.url() + "/upload/storage/v1/b/bkt/o?uploadType=resumable&upload_id=" + id}}};
}

Reply GcsServer::session(const Received& r, const std::string& id, GcsFault fault) {
  if (fault == GcsFault::forget_upload) sessions_.erase(id);
  const auto found = sessions_.find(id);
  if (found == sessions_.end()) return {.status = 410};
  Session& s = found->second;
  if (r.method == "DELETE") {
    sessions_.erase(found);
    return {.status = 499};
  }
  if (s.done) return objects_.contains(s.key) ? resource(s.key) : Reply{.status = 410};
  // "bytes 0-9/*", "bytes 0-9/10", "bytes */10", "bytes */*"
  const std::string range(r.header("Content-Range"));
  const std::size_t slash = range.find('/');
  const auto total = parse_decimal(range.substr(slash + 1));
  std::string body = r.body;
  if (fault == GcsFault::flip_upload) flip(body);
  if (!range.starts_with("bytes *")) {
    const auto first = parse_decimal(range.substr(6, range.find('-') - 6)).value();
    if (first > s.bytes.size()) return refuse(400, "invalid", "the range leaves a hole");
    if (!total && body.size() % kUnit != 0) return refuse(400, "invalid", "no multiple of 256 KiB");
    if (fault == GcsFault::keep_half) body.resize(body.size() / 2 / kUnit * kUnit);
    s.bytes.resize(first);
    s.bytes += body;
  }
  if (total && s.bytes.size() == *total) {
    const Reply reply = create(s.key, s.metadata, s.bytes);
    s.done = reply.status == 200;
    if (!s.done) sessions_.erase(found);
    return reply;
  }
  Reply reply{.status = 308};
  if (!s.bytes.empty()) reply.headers.push_back({"Range", fmt::format("bytes=0-{}", s.bytes.size() - 1)});
  return reply;
}

Reply GcsServer::read(const Received& r, const Target& target, GcsFault fault) {
  const Object& object = objects_.at(target.key);
  Reply reply{.headers = {{"x-goog-generation", std::to_string(object.generation)},
                          {"x-goog-stored-content-length", std::to_string(object.body.size())},
                          {"x-goog-stored-content-encoding", "identity"},
                          {"x-goog-hash", "crc32c=" + print_crc32c(crc_of(object.body))},
                          {"x-goog-hash", "md5=AAAAAAAAAAAAAAAAAAAAAA=="}},
              .body = object.body};
  if (fault == GcsFault::flip_body) flip(reply.body);
  std::string range(r.header("Range"));
  if (range.empty()) return reply;
  range.erase(0, 6);
  const std::size_t dash = range.find('-');
  const std::uint64_t first = parse_decimal(range.substr(0, dash)).value();
  const std::uint64_t last = parse_decimal(range.substr(dash + 1)).value_or(UINT64_MAX);
  if (first >= object.body.size()) return refuse(416, "requestedRangeNotSatisfiable", "the range is behind the end");
  const std::uint64_t end = std::min<std::uint64_t>(last, object.body.size() - 1);
  reply.status = 206;
  reply.headers.push_back({"Content-Range", fmt::format("bytes {}-{}/{}", first, end, object.body.size())});
  reply.body = reply.body.substr(first, end - first + 1);
  return reply;
}

Reply GcsServer::list(const Target& target) {
  json page = json::object();
  const std::string prefix = target.at("prefix"), from = target.at("pageToken");
  std::size_t count = 0;
  for (auto it = objects_.upper_bound(from); it != objects_.end(); ++it) {
    if (!it->first.starts_with(prefix)) continue;
    if (count == page_size) {
      page["nextPageToken"] = text_of(page["items"].back(), "name");
      break;
    }
    page["items"].push_back(json::parse(resource(it->first).body));
    ++count;
  }
  return {.headers = {{"Content-Type", "application/json"}}, .body = page.dump()};
}

}  // namespace tidemark::store::testing
