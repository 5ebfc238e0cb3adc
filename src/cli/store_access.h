// How verbs come to their stores: the URL, and the keys of age for the encrypted layout.
#pragma once

#include <memory>
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
Result<store::AgeKeys> read_age_keys(const AgeWish& wish);

// The output of a program, at most 64 KiB, without a shell. It shares our terminal, so that it can ask for a PIN or a
// touch. Errc::timeout after two minutes.
Result<Buffer> run_identity_command(const std::string& command);

}  // namespace tidemark::cli
