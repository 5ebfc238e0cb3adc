#include "live/warnings.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "live/testing/objects.h"

namespace tidemark::live {
namespace {

using testing::object;
using testing::planned;
using testing::step_of;

TEST(ManagerOf, ByMarksAndByFieldManagers) {
  struct Row {
    const char* rest;
    const char* manager;
  };
  const Row rows[] = {
      {R"({"metadata":{"labels":{"app.kubernetes.io/managed-by":"Helm"}}})", "helm"},
      {R"({"metadata":{"annotations":{"meta.helm.sh/release-name":"web"}}})", "helm (release web)"},
      {R"({"metadata":{"labels":{"kustomize.toolkit.fluxcd.io/name":"apps"}}})", "flux (kustomization apps)"},
      {R"({"metadata":{"labels":{"helm.toolkit.fluxcd.io/name":"web","app.kubernetes.io/managed-by":"Helm"}}})",
       "flux (helm release web)"},
      {R"({"metadata":{"annotations":{"argocd.argoproj.io/tracking-id":"web:apps/Deployment:shop/web"}}})",
       "argo cd (web:apps/Deployment:shop/web)"},
      {R"({"metadata":{"labels":{"argocd.argoproj.io/instance":"web"}}})", "argo cd (application web)"},
      {R"({"metadata":{"managedFields":[{"manager":"argocd-controller","fieldsV1":{}}]}})", "argo cd"},
      {R"({"metadata":{"managedFields":[{"manager":"kustomize-controller"}]}})", "flux"},
      {R"({"metadata":{"labels":{"olm.owner":"csv"}}})", "olm (csv)"},
      {"{}", ""},
      {R"({"metadata":{"labels":{"app.kubernetes.io/managed-by":"me"}}})", ""},
      {R"({"metadata":{"labels":{"meta.helm.sh/release-name":"web"}}})", ""},
      {R"({"metadata":{"managedFields":[{"manager":"kubectl-edit"},{"manager":7},3]}})", ""},
      {R"({"metadata":{"annotations":{"meta.helm.sh/release-name":"{}{0}"}}})", "helm (release {}{0})"},
  };
  for (const Row& row : rows)
    EXPECT_EQ(manager_of(object("configmaps shop/c", row.rest).object), row.manager) << row.rest;
}

TEST(Warnings, WhoMayPutItBack) {
  const Found then = object("configmaps shop/c", R"({"data":{"a":"1"}})");
  const Found flux =
      object("configmaps shop/c", R"({"metadata":{"labels":{"kustomize.toolkit.fluxcd.io/name":"apps"}}})");
  const Found helm = object("configmaps shop/c", R"({"metadata":{"annotations":{"meta.helm.sh/release-name":"web"}}})");
  const auto warnings = [&](const Found& now, Existing existing) {
    return planned({.wanted = {then}, .live = {now}}, {.existing = existing}).steps[0].warnings;
  };
  EXPECT_EQ(warnings(flux, Existing::replace),
            std::vector<std::string>({"managed by flux (kustomization apps), which will put back its own state"}));
  EXPECT_EQ(warnings(helm, Existing::merge),
            std::vector<std::string>(
                {"managed by helm (release web), which may put back its own state with the next upgrade"}));
  EXPECT_TRUE(warnings(flux, Existing::skip).empty()) << "nothing is done";
  EXPECT_EQ(planned({.wanted = {flux}}).steps[0].warnings.size(), 1U);
}

TEST(Warnings, FinalizersThatNobodyMayServe) {
  const Found marked = object("widgets.shop.example.com shop/w", R"({"metadata":{"finalizers":["mine.io/x"]}})");
  const Found other = object("widgets.shop.example.com shop/other", R"({"metadata":{"finalizers":["mine.io/x"]}})");
  const Found claim = object("persistentvolumeclaims shop/c",
                             R"({"metadata":{"finalizers":["kubernetes.io/pvc-protection","foregroundDeletion"]}})");
  EXPECT_EQ(planned({.wanted = {marked}}).steps[0].warnings,
            std::vector<std::string>({"finalizer mine.io/x: nothing here has it now; when nobody serves it, the object "
                                      "cannot be deleted"}));
  EXPECT_TRUE(
      step_of(planned({.wanted = {marked}, .live = {other}}), "widgets.shop.example.com shop/w").warnings.empty());
  EXPECT_TRUE(planned({.wanted = {claim}}).steps[0].warnings.empty());
}

TEST(Warnings, WhatIsMissingIsNamedOnceWithAllWhoMissIt) {
  PlanInput input;
  for (const char* name : {"a", "b", "c", "d"}) {
    input.wanted.push_back(object(fmt::format("deployments.apps shop/{}", name),
                                  R"({"spec":{"template":{"spec":{"serviceAccountName":"bot",
      "volumes":[{"secret":{"secretName":"tls"}},{"secret":{"secretName":"maybe","optional":true}}]}}}})"));
  }
  EXPECT_TRUE(planned(input).warnings.empty()) << "nothing is known of them";
  input.missing = {"secrets shop/tls", "secrets shop/maybe", "serviceaccounts shop/bot", "namespaces shop"};
  EXPECT_EQ(
      planned(input).warnings,
      std::vector<std::string>({
          "namespaces shop is not here: deployments.apps shop/a, deployments.apps shop/b, deployments.apps shop/c "
          "and 1 more need it",
          "secrets shop/tls is not here: deployments.apps shop/a, deployments.apps shop/b, deployments.apps shop/c "
          "and 1 more need it",
          "serviceaccounts shop/bot is not here: deployments.apps shop/a, deployments.apps shop/b, deployments.apps "
          "shop/c and 1 more need it",
      }));
  input.wanted.push_back(object("serviceaccounts shop/bot"));
  input.wanted.push_back(object("namespaces shop"));
  input.beside.push_back(object("secrets shop/tls"));
  EXPECT_TRUE(planned(input).warnings.empty());
}

TEST(Warnings, AWebhookThatNobodyAnswers) {
  const auto hook = [](const char* policy) {
    return object("validatingwebhookconfigurations.admissionregistration.k8s.io w",
                  fmt::format(R"({{"webhooks":[{{"failurePolicy":"{}","clientConfig":{{"service":
                  {{"namespace":"shop","name":"hook"}}}}}}]}})",
                              policy));
  };
  const PlanInput silent{.beside = {hook("Fail")}, .missing = {"services shop/hook"}};
  EXPECT_EQ(planned(silent).warnings,
            std::vector<std::string>({"validatingwebhookconfigurations.admissionregistration.k8s.io w asks services "
                                      "shop/hook, which is not here now: what it is asked for is refused"}));
  EXPECT_TRUE(planned({.beside = {hook("Ignore")}, .missing = {"services shop/hook"}}).warnings.empty());
  EXPECT_TRUE(planned({.beside = {hook("Fail"), object("services shop/hook")}}).warnings.empty());
  EXPECT_TRUE(planned({.beside = {hook("Fail")}}).warnings.empty()) << "nothing is known of it";
}

TEST(Warnings, ANodePortThatAnotherHas) {
  const Found wants = object("services a/web", R"({"spec":{"type":"NodePort","ports":[{"port":80,"nodePort":30080}]},
    "metadata":{"annotations":{"kubectl.kubernetes.io/last-applied-configuration":
      "{\"spec\":{\"ports\":[{\"port\":80,\"nodePort\":30080}]}}"}}})");
  const Found has = object("services b/web", R"({"spec":{"type":"NodePort","ports":[{"port":80,"nodePort":30080}]}})");
  const PlanInput input{.wanted = {wants}, .live = {has}};
  const std::vector<std::string> told{
      "services b/web has node port 30080 now, and services a/web wants it: that is refused until it is free"};
  EXPECT_EQ(planned(input, {.same_cluster = false}).warnings, told);
  EXPECT_EQ(planned(input).warnings, told);
  EXPECT_TRUE(planned(input, {.prune = true, .max_share = 100}).warnings.empty()) << "it goes first";
  EXPECT_TRUE(planned({.wanted = {wants}, .live = {wants}}).warnings.empty());
  EXPECT_TRUE(planned({.wanted = {object("services a/web", R"({"spec":{"ports":[{"port":80,"nodePort":30080}]}})")},
                       .live = {has}},
                      {.same_cluster = false})
                  .warnings.empty())
      << "nobody chose it";
}

}  // namespace
}  // namespace tidemark::live
