// Rules and targets of all endpoints as gRPC services: thanos.Rules and thanos.Targets.
#pragma once

namespace aevum::net::grpc {
class Server;
}

namespace aevum::query {

class Evaluator;
class Rules;
class Targets;

// Registers both, before the server starts. Answers are what the endpoints gave, neither filtered
// nor deduplicated, as who asks does both; then warnings. A failure without partial response is the
// answer, with the endpoint's code. Each request has a memory budget of the evaluator. What is
// borrowed must outlive the server.
void RegisterRules(net::grpc::Server& server, const Rules& rules, const Evaluator& evaluator);
void RegisterTargets(net::grpc::Server& server, const Targets& targets, const Evaluator& evaluator);

}  // namespace aevum::query
