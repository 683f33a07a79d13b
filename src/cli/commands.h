// The commands of aevum.
#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace CLI {
class App;
}

namespace aevum::cli {

struct GlobalOptions;

// A subcommand: declares its flags on an app and gives what runs it, which returns the exit code.
// The runner owns the variables that the flags write to.
using Runner = std::function<int(const GlobalOptions&)>;
Runner AddSidecarCommand(CLI::App& app);
Runner AddStoreCommand(CLI::App& app);
Runner AddQueryCommand(CLI::App& app);
Runner AddCompactCommand(CLI::App& app);

// A command below another, with what runs it.
struct Command {
  CLI::App* app;
  Runner run;
};
// `tools bucket ...`, declared below `tools`.
std::vector<Command> AddToolsCommands(CLI::App& tools);

// Parses the command line and runs the command. The exit code: 0, 1 for a failure at run time, 2
// for a command line that can't be right (with the usage on standard error).
int Main(int argc, char** argv);

}  // namespace aevum::cli
