// How verbs come to their stores: the URL, and the keys of age for the encrypted layout.
#pragma once

#include <chrono>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "store/encrypted_store.h"

namespace tidemark::cli {

// As given on the command line.
struct AgeWish {
  std::vector<std::string> recipients;      // "age1…", or files of them
  std::vector<std::string> identity_files;  // "-": standard input is not one; it may be needed for answers
  std::string identity_command;             // its words separated by blanks; run without a shell
};

// Reads the files and runs the command. Errc::invalid: a file or the command's output holds no key. Errors name the
// file or the command, never what is in it.
Result<store::AgeKeys> read_age_keys(const AgeWish& wish, const std::stop_token& stop);

struct IdentityWait {
  std::stop_token stop;
  std::chrono::milliseconds longest = std::chrono::minutes(2);  // somebody may have to find a key and touch it
};

// The output of a program, at most 64 KiB, without a shell. It gets our terminal, so that it can ask for a PIN or a
// touch, and a process group of its own. It is waited for until it ends, also when it closes its output before, and is
// ended with its group when that takes too long (Errc::timeout) or we are stopped (Errc::cancelled). Errc::denied: it
// ended with another code than 0. Errc::not_found: there is no such program.
Result<Buffer> run_identity_command(const std::string& command, const IdentityWait& wait = {});

}  // namespace tidemark::cli
