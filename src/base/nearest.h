// The word that was probably meant by a misspelt one: for hints like "did you mean 'deploy'?".
//
// Near is what one typing error in four letters makes (at least one error is allowed): a letter too many, missing,
// another one, or two neighbours exchanged. The beginning of a word, of three letters or more, is near it, too.
// Threads: each its own.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace tidemark {

class Nearest {
 public:
  // `word` is what was typed. Compared as it is: who knows no case lowers both.
  explicit Nearest(std::string word);

  void consider(std::string_view candidate);

  // The nearest of the considered, of several the first; empty: none is near.
  const std::string& found() const { return best_; }

 private:
  std::string word_, best_;
  std::size_t best_errors_;  // one more than allowed until something is found
};

}  // namespace tidemark
