// What is stripped from objects of some kinds by more than a path. Only for src/live. Threads: any.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

namespace tidemark::live {

struct Stripping;

// `kind`: "services", "jobs.batch". Returns what a person should know of it.
std::vector<std::string> strip_by_kind(const std::string& kind, const Stripping& how, nlohmann::json& object);

// Of a Service as it was, managedFields included: node ports that nobody chose, or all of them.
void drop_node_ports(nlohmann::json& service, bool chosen_too);
// Of a role with an aggregationRule: a controller gathers its rules from other roles.
void drop_gathered_rules(const std::string& kind, nlohmann::json& role);
// What admission adds to a pod for its account's token: kube-api-access-x and account-token-x.
void drop_token_volumes(nlohmann::json& pod_spec);
// The labels and the selector that the server makes of a Job's uid.
void drop_job_ids(nlohmann::json& job);
// Of a Secret with an account's token: what the controller fills in.
void drop_token(nlohmann::json& secret);
bool is_account_token(const nlohmann::json& secret);
// Is `name` the Secret of a token or of a registry's password that a controller made for the account?
bool is_made_for_account(const std::string& account, const std::string& name);
// cert-manager writes the authority into caBundle.
bool has_injected_authority(const nlohmann::json& object);
// Calls for each client configuration: those of webhooks, and of a definition's conversion.
std::vector<nlohmann::json*> client_configs(nlohmann::json& object);

}  // namespace tidemark::live
