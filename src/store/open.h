// From a store's URL to the store.
#pragma once

#include <stop_token>

#include "store/object_store.h"

namespace tidemark::net {
struct Traffic;
}

namespace tidemark::store {

// "dir:/backups/prod", a bare path, "s3://bucket/prefix" (store/s3_options.h), "gs://bucket/prefix"
// (store/gcs_options.h) or "az://account/container/prefix" (store/azure_options.h). `stop` ends calls that wait for a
// server: Errc::cancelled. Errc::unsupported for schemes that name no store this program opens (the message says what
// does), Errc::invalid for an unknown one, Errc::not_found for a missing directory when `read_only`.
Result<std::unique_ptr<ObjectStore>> open_store(std::string_view url, bool read_only, const std::stop_token& stop = {});

// Removes what writers that died left in a directory store, when it was last written to more than `older_than` before
// `now`. Returns how many files; 0 for stores that leave nothing.
Result<std::size_t> clean_leftovers(ObjectStore& store, std::chrono::nanoseconds older_than, Time now);

// What went over the wire for this store; nullptr: it needs none. Lives as long as the store.
const net::Traffic* traffic_of(const ObjectStore& store);

// The scheme of a URL ("dir", "s3", "file", …); "" for a bare path. A path may hold a ':' behind a '/' or '.'.
std::string_view url_scheme(std::string_view url);

}  // namespace tidemark::store
