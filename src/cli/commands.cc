#include "cli/commands.h"

#include <cstdio>
#include <iostream>

#include <CLI/CLI.hpp>

#include "cli/flags.h"
#include "cli/service.h"
#include "cli/version.h"

namespace aevum::cli {
namespace {

struct Command {
  CLI::App* app;
  Runner run;
};

// Flags of one line each: the name with its value and default, then the text below it.
class Formatter final : public CLI::Formatter {
 public:
  std::string make_usage(const CLI::App* app, std::string /*name*/) const override {
    return app->get_parent() == nullptr ? "usage: aevum [<flags>] <command> [<flags>]\n"
                                        : "usage: aevum " + app->get_name() + " [<flags>]\n";
  }
  std::string make_option_opts(const CLI::Option* option) const override {
    std::string text;
    if (option->get_type_size() != 0 && !option->get_type_name().empty())
      text = "=" + option->get_type_name();
    if (!option->get_default_str().empty())
      text += "  (default: " + option->get_default_str() + ")";
    return text;
  }
  std::string make_option_name(const CLI::Option* option, bool /*positional*/) const override {
    return option->get_name(false, false);
  }
  std::string make_option(const CLI::Option* option, bool positional) const override {
    std::string text =
        "  " + make_option_name(option, positional) + make_option_opts(option) + "\n";
    if (!option->get_description().empty()) text += "      " + option->get_description() + "\n";
    return text;
  }
};

int UsageError(const std::string& command, std::string_view error) {
  std::cerr << "usage: aevum " << command << " [<flags>]\n\naevum: error: " << error << "\n"
            << "Try: aevum " << (command == "<command>" ? "" : command + " ") << "--help\n";
  return kExitUsage;
}

}  // namespace

int Main(int argc, char** argv) {
  CLI::App app("Aevum: one highly available system out of any number of Prometheus servers.",
               "aevum");
  const auto formatter = std::make_shared<Formatter>();
  app.formatter(formatter);
  app.set_version_flag("--version",
                       fmt::format("aevum, version {} (revision: {})", kVersion, kRevision));
  app.require_subcommand(1);
  app.fallthrough();

  GlobalOptions global;
  FlagSet global_flags(app);
  AddGlobalFlags(global_flags, &global);

  CLI::App* sidecar =
      app.add_subcommand("sidecar", "Serves the data of one Prometheus server beside it.");
  CLI::App* store =
      app.add_subcommand("store", "Serves the blocks of a bucket: unlimited history.");
  CLI::App* query = app.add_subcommand("query", "Answers PromQL over any number of stores.");
  for (CLI::App* command : {sidecar, store, query}) {
    command->formatter(formatter);
    command->fallthrough();
  }
  const Command commands[] = {{sidecar, AddSidecarCommand(*sidecar)},
                              {store, AddStoreCommand(*store)},
                              {query, AddQueryCommand(*query)}};

  BlockSignals();
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    const auto used = app.get_subcommands();
    std::cout << (used.empty() ? app.help()
                               : used.front()->help() + "\nGlobal flags: aevum --help\n");
    return 0;
  } catch (const CLI::CallForVersion& error) {
    std::cout << error.what() << '\n';
    return 0;
  } catch (const CLI::ParseError& error) {
    const auto used = app.get_subcommands();
    if (used.empty() && argc > 1 && argv[1][0] != '-') {
      return UsageError("<command>", fmt::format("there is no command {}", argv[1]));
    }
    return UsageError(used.empty() ? "<command>" : used.front()->get_name(), error.what());
  }
  for (const Command& command : commands) {
    if (command.app->parsed()) return command.run(global);
  }
  return kExitUsage;
}

}  // namespace aevum::cli
