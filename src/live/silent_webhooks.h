// Admission webhooks that nobody answers: whose they are, and who should answer.
//
// A server refuses all that such a webhook is asked about, and its words name the webhook only: not the object it
// stands in. Threads: one at a time. Source: k8s.io/apiserver pkg/util/webhook, ErrCallingWebhook.
#pragma once

#include <stop_token>
#include <string>
#include <vector>

#include "live/execute.h"
#include "live/served_kinds.h"

namespace tidemark::live {

// The webhook that did not answer, of a refusal for that; empty: it was refused for something else.
std::string silent_webhook_in(const Error& error);

struct SilentWebhook {
  std::string name{};           // "gate.shop.example.com"
  std::string configuration{};  // "validatingwebhookconfigurations/gate"; empty: not found, or not readable for us
  std::string backend{};        // "services shop/gate", or a URL; empty as above
  std::size_t refused = 0;      // so many steps
};

// Those that failures tell of, by name. Changes nothing.
std::vector<SilentWebhook> silent_webhooks(link::KubeClient& client, const ServedKinds& served,
                                           const std::vector<StepFailure>& failures, const std::stop_token& stop = {});

// What to do about it, a sentence.
std::string way_around(const SilentWebhook& webhook);

}  // namespace tidemark::live
