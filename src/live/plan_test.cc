#include "live/plan.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "live/testing/objects.h"

namespace tidemark::live {
namespace {

using testing::actions;
using testing::object;
using testing::planned;
using testing::step_of;
using testing::with;

constexpr Existing kAll[] = {Existing::skip, Existing::merge, Existing::replace, Existing::recreate};

TEST(MakePlan, ByWhatWasAndWhatIs) {
  struct Row {
    const char* then;  // nullptr: not there
    const char* now;
    Action skip, merge, replace, recreate;
  };
  constexpr const char* kPlain = "{}";
  constexpr const char* kA = R"({"data":{"k":"a"}})";
  constexpr const char* kB = R"({"data":{"k":"b"}})";
  constexpr const char* kMore = R"({"data":{"k":"a","more":"b"}})";
  constexpr const char* kFixed = R"({"data":{"k":"b"},"immutable":true})";
  constexpr const char* kNoise = R"({"data":{"k":"a"},"metadata":{"uid":"other","resourceVersion":"9","generation":3,
    "creationTimestamp":"2026-01-01T00:00:00Z","managedFields":[{}],"labels":{},
    "annotations":{"kubectl.kubernetes.io/last-applied-configuration":"{}"}}})";
  constexpr const char* kGoing = R"({"data":{"k":"a"},"metadata":{"deletionTimestamp":"2026-01-01T00:00:00Z"}})";
  const Row rows[] = {
      {kA, nullptr, Action::create, Action::create, Action::create, Action::create},
      {nullptr, kA, Action::keep, Action::keep, Action::keep, Action::keep},
      {kA, kA, Action::keep, Action::keep, Action::keep, Action::keep},
      {kA, kNoise, Action::keep, Action::keep, Action::keep, Action::keep},
      {kNoise, kA, Action::keep, Action::keep, Action::keep, Action::keep},
      {kA, kB, Action::keep, Action::change, Action::change, Action::change},
      {kPlain, kA, Action::keep, Action::keep, Action::change, Action::change},
      {kA, kMore, Action::keep, Action::keep, Action::change, Action::change},
      {kMore, kA, Action::keep, Action::change, Action::change, Action::change},
      {kA, kFixed, Action::keep, Action::keep, Action::keep, Action::recreate},
      {kFixed, kA, Action::keep, Action::change, Action::change, Action::change},
      {kFixed, kFixed, Action::keep, Action::keep, Action::keep, Action::keep},
      {kA, kGoing, Action::recreate, Action::recreate, Action::recreate, Action::recreate},
      {kGoing, kA, Action::leave_out, Action::leave_out, Action::leave_out, Action::leave_out},
  };
  for (const Row& row : rows) {
    const Action expected[] = {row.skip, row.merge, row.replace, row.recreate};
    for (std::size_t i = 0; i < 4; i++) {
      PlanInput input;
      if (row.then != nullptr) input.wanted.push_back(object("configmaps shop/c", row.then));
      if (row.now != nullptr) input.live.push_back(object("configmaps shop/c", row.now));
      const Plan plan = planned(input, {.existing = kAll[i]});
      ASSERT_EQ(plan.steps.size(), 1U);
      const Step& step = plan.steps[0];
      EXPECT_EQ(step.action, expected[i]) << (row.then ? row.then : "-") << (row.now ? row.now : "-") << i;
      const bool sends = step.action != Action::keep && step.action != Action::leave_out;
      EXPECT_EQ(step.body.is_object(), sends);
      EXPECT_EQ(step.wave, sends ? 1 : 0);
      EXPECT_EQ(step.merge, step.action == Action::change && kAll[i] == Existing::merge);
      EXPECT_EQ(step.before.is_null(), row.now == nullptr || step.action == Action::leave_out);
      EXPECT_EQ(step.reason.empty(), step.action == Action::create || step.action == Action::change) << step.reason;
      for (const char* served : {"uid", "resourceVersion", "managedFields", "generation", "creationTimestamp"}) {
        if (sends) {
          EXPECT_FALSE(step.body["metadata"].contains(served)) << served;
        }
      }
    }
  }
}

TEST(MakePlan, SaysWhyNothingIsDone) {
  const Found then = object("configmaps shop/c", R"({"data":{"a":"1","b":"1","c":"1","d":"1"}})");
  const Found now = object("configmaps shop/c", R"({"data":{"a":"2","b":"2","c":"2","d":"2"}})");
  EXPECT_EQ(planned({.wanted = {then}, .live = {now}}).steps[0].reason,
            "differs in .data.a, .data.b, .data.c and 1 more");
  const Found fixed = with(now, R"({"immutable":true})");
  EXPECT_EQ(planned({.wanted = {then}, .live = {fixed}}, {.existing = Existing::replace}).steps[0].reason,
            ".data, .immutable cannot be changed in place; --existing recreate deletes it and makes it again");
  EXPECT_EQ(planned({.wanted = {then}, .live = {fixed}}, {.existing = Existing::recreate}).steps[0].reason,
            ".data, .immutable cannot be changed in place");
}

TEST(MakePlan, MergeSaysOnlyWhatWasWanted) {
  const Found then = object("deployments.apps shop/web", R"({"metadata":{"finalizers":["a/b"],"labels":{"l":"1"}},
    "spec":{"replicas":2,"paused":true}})");
  const Found now = object("deployments.apps shop/web", R"({"metadata":{"annotations":{"new":"1"}},
    "spec":{"replicas":2,"minReadySeconds":5}})");
  const Plan plan = planned({.wanted = {then}, .live = {now}}, {.existing = Existing::merge});
  EXPECT_EQ(plan.steps[0].body, nlohmann::json::parse(R"({"apiVersion":"apps/v1","kind":"Deployment",
    "metadata":{"name":"web","namespace":"shop","labels":{"l":"1"}},"spec":{"replicas":2,"paused":true}})"));
}

TEST(MakePlan, StatusOnlyWhenAsked) {
  const Found then = object("widgets.shop.example.com shop/w", R"({"spec":{"a":1},"status":{"ready":true}})");
  const Found now = object("widgets.shop.example.com shop/w", R"({"spec":{"a":1},"status":{"ready":false}})");
  const PlanInput input{.wanted = {then}, .live = {now}};
  EXPECT_EQ(planned(input, {.existing = Existing::replace}).steps[0].action, Action::keep);
  const Plan asked = planned(input, {.existing = Existing::replace, .status = true});
  EXPECT_EQ(asked.steps[0].action, Action::change);
  EXPECT_EQ(asked.steps[0].status, then.object["status"]);
  EXPECT_FALSE(asked.steps[0].body.contains("status"));
  EXPECT_EQ(planned(input, {.existing = Existing::skip, .status = true}).steps[0].reason, "differs in .status");
  const Plan made = planned({.wanted = {then}}, {.status = true});
  EXPECT_EQ(made.steps[0].status, then.object["status"]);
  EXPECT_TRUE(planned({.wanted = {then}}).steps[0].status.is_null());
  // Without the subresource it is data as any.
  Found plain_then = then;
  Found plain_now = now;
  plain_then.kind.subresources.clear();
  plain_now.kind.subresources.clear();
  const Plan plain = planned({.wanted = {plain_then}, .live = {plain_now}}, {.existing = Existing::replace});
  EXPECT_EQ(plain.steps[0].body["status"], then.object["status"]);
  EXPECT_TRUE(plain.steps[0].status.is_null());
}

TEST(MakePlan, ToTheVersionThatWasKept) {
  Found then = object("widgets.shop.example.com shop/w", R"({"apiVersion":"shop.example.com/v1beta1"})");
  const Plan plan = planned({.wanted = {then}});
  EXPECT_EQ(plan.steps[0].kind.version, "v1beta1");
  EXPECT_EQ(plan.steps[0].body["apiVersion"], "shop.example.com/v1beta1");
}

TEST(MakePlan, PortsThatAnotherClusterPickedAreNoDifference) {
  const Found then = object("services shop/s", R"({"metadata":{"managedFields":[{"fieldsV1":{"f:spec":{"f:ports":{
      "k:{\"port\":80,\"protocol\":\"TCP\"}":{"f:nodePort":{}}}}}}]},
    "spec":{"type":"NodePort","ports":[{"port":80,"nodePort":30001},{"port":81,"nodePort":30002}]}})");
  const auto now = [](int chosen, int picked) {
    return object("services shop/s", fmt::format(R"({{"spec":{{"type":"NodePort","ports":[
      {{"port":80,"nodePort":{}}},{{"port":81,"nodePort":{}}}]}}}})",
                                                 chosen, picked));
  };
  const PlanOptions moved{.existing = Existing::replace, .same_cluster = false};
  EXPECT_EQ(planned({.wanted = {then}, .live = {now(30001, 30009)}}, moved).steps[0].reason, kAsItWas);
  const Step back = planned({.wanted = {then}, .live = {now(30005, 30009)}}, moved).steps[0];
  EXPECT_EQ(back.action, Action::change);
  EXPECT_EQ(back.body["spec"], now(30001, 30009).object["spec"]);
  EXPECT_EQ(planned({.wanted = {then}, .live = {now(30001, 30009)}}, {.existing = Existing::replace}).steps[0].action,
            Action::change)
      << "the same cluster";
}

TEST(MakePlan, SaysWhatItWasKeptAs) {
  Found then = object("cronjobs.batch shop/c", R"({"spec":{"suspend":true}})");
  then.kept_as = "v1beta1";
  const Step made = planned({.wanted = {then}}).steps[0];
  EXPECT_EQ(made.kept_as, "v1beta1");
  EXPECT_EQ(made.kind.version, "v1");
  EXPECT_EQ(made.reason, "kept as v1beta1, made as v1");
  const Found now = object("cronjobs.batch shop/c", R"({"spec":{"suspend":false}})");
  const PlanOptions options{.existing = Existing::replace};
  EXPECT_EQ(planned({.wanted = {then}, .live = {now}}, options).steps[0].kept_as, "v1beta1");
  const std::string digest = planned({.wanted = {then}}).digest();
  then.kept_as.clear();
  EXPECT_NE(planned({.wanted = {then}}).digest(), digest);
}

TEST(MakePlan, RefusesWhatHasNoPlaceOrTheSame) {
  struct Row {
    PlanInput input;
    PlanOptions options;
    const char* what;
  };
  const Row rows[] = {
      {{.wanted = {object("configmaps shop/c"), object("configmaps shop/c")}},
       {},
       "configmaps shop/c: it is wanted twice"},
      {{.wanted = {object("configmaps a/c"), object("configmaps b/c")}},
       {.namespaces = {{"a", "b"}}},
       "configmaps b/c: configmaps a/c would come to the same place"},
      {{.wanted = {object("namespaces a"), object("namespaces b")}},
       {.namespaces = {{"a", "c"}, {"b", "c"}}},
       "namespaces b: namespaces a would come to the same place"},
      {{.wanted = {object("configmaps shop/c", R"({"metadata":{"name":null}})")}},
       {},
       "configmaps shop/: an object without a name cannot be put back"},
      {{.wanted = {object("configmaps shop/c", R"({"metadata":null})")}},
       {},
       "configmaps : an object without a name cannot be put back"},
  };
  for (const Row& row : rows) {
    const auto plan = make_plan(row.input, row.options);
    ASSERT_FALSE(plan) << row.what;
    EXPECT_EQ(plan.error().code, Errc::invalid);
    EXPECT_EQ(plan.error().what, row.what);
  }
  EXPECT_TRUE(make_plan({.wanted = {object("configmaps a/c"), object("configmaps b/c")}},
                        {.namespaces = {{"a", "b"}, {"b", "a"}}}))
      << "they change places";
}

TEST(MakePlan, OddShapesAreNoCrash) {
  for (const char* rest : {R"({"metadata":{"labels":1,"annotations":[],"ownerReferences":{},"finalizers":"x",
                              "managedFields":7}})",
                           R"({"spec":[]})", R"({"spec":{"ports":1,"template":3,"containers":{},"claimRef":[]}})",
                           R"({"metadata":{"ownerReferences":[1,null,{"kind":3}],"managedFields":[1,{"fieldsV1":2}]}})",
                           R"({"data":7,"secrets":[1],"subjects":{},"webhooks":[1,{"clientConfig":2}],"status":[]})"}) {
    for (const char* id :
         {"services shop/x", "pods shop/x", "persistentvolumes x", "persistentvolumeclaims shop/x",
          "serviceaccounts shop/x", "jobs.batch shop/x", "secrets shop/x", "statefulsets.apps shop/x",
          "validatingwebhookconfigurations.admissionregistration.k8s.io x",
          "rolebindings.rbac.authorization.k8s.io shop/x", "networkpolicies.networking.k8s.io shop/x"}) {
      for (const Existing existing : kAll) {
        const PlanOptions options{.existing = existing, .status = true, .namespaces = {{"shop", "store"}}};
        EXPECT_EQ(planned({.wanted = {object(id, rest)}}, options).steps.size(), 1U);
        EXPECT_EQ(planned({.wanted = {object(id, rest)}, .live = {object(id)}}, options).steps.size() % 2,
                  planned({.wanted = {object(id)}, .live = {object(id, rest)}}, options).steps.size() % 2);
      }
    }
  }
}

TEST(PlanDigest, KnowsAllThatWasDecidedAndOnWhat) {
  const Found then = object("configmaps shop/c", R"({"data":{"k":"a"}})");
  const Found now = object("configmaps shop/c", R"({"data":{"k":"b"}})");
  const PlanOptions options{.existing = Existing::replace};
  const std::string digest = planned({.wanted = {then}, .live = {now}}, options).digest();
  EXPECT_EQ(digest, planned({.wanted = {then}, .live = {now}}, options).digest());
  EXPECT_EQ(digest.size(), 7U + 64U);
  struct Row {
    Found then, now;
    PlanOptions options;
  };
  const Row rows[] = {
      {with(then, R"({"data":{"k":"c"}})"), now, options},
      {then, with(now, R"({"metadata":{"resourceVersion":"2"}})"), options},
      {then, with(now, R"({"metadata":{"uid":"another"}})"), options},
      {then, now, {.existing = Existing::skip}},
      {then, now, {.existing = Existing::merge}},
  };
  for (const Row& row : rows) {
    EXPECT_NE(digest, planned({.wanted = {row.then}, .live = {row.now}}, row.options).digest());
  }
  EXPECT_NE(digest, Plan().digest());
}

}  // namespace
}  // namespace tidemark::live
