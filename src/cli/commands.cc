#include "cli/commands.h"

#include <cstdio>
#include <iostream>

#include <CLI/CLI.hpp>

#include "cli/flags.h"
#include "cli/service.h"
#include "cli/version.h"

namespace aevum::cli {
namespace {

// "tools bucket ls"; "" for aevum itself.
std::string PathOf(const CLI::App* app) {
  std::string path;
  for (; app->get_parent() != nullptr; app = app->get_parent())
    path = app->get_name() + (path.empty() ? "" : " ") + path;
  return path;
}

// The command that a command line names, as far as it was understood; the root when it names none.
CLI::App* NamedCommand(CLI::App* app) {
  for (auto used = app->get_subcommands(); !used.empty(); used = app->get_subcommands())
    app = used.front();
  return app;
}

// Flags of one line each: the name with its value and default, then the text below it.
class Formatter final : public CLI::Formatter {
 public:
  std::string make_usage(const CLI::App* app, std::string /*name*/) const override {
    if (app->get_parent() == nullptr) return "usage: aevum [<flags>] <command> [<flags>]\n";
    const bool is_group = !app->get_subcommands([](const CLI::App*) { return true; }).empty();
    return "usage: aevum " + PathOf(app) + (is_group ? " [<flags>] <command>" : "") +
           " [<flags>]\n";
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
    const std::vector<std::string>& letters = option->get_snames();
    return (letters.empty() || letters.front() == "h" ? "" : "-" + letters.front() + ", ") +
           option->get_name(false, false);
  }
  std::string make_option(const CLI::Option* option, bool positional) const override {
    std::string text =
        "  " + make_option_name(option, positional) + make_option_opts(option) + "\n";
    if (!option->get_description().empty()) text += "      " + option->get_description() + "\n";
    return text;
  }
};

// What applies to a command beside its own flags, for the end of its help.
std::string MoreHelp(const CLI::App* app) {
  std::string more = "\n";
  for (app = app->get_parent(); app != nullptr && app->get_parent() != nullptr;
       app = app->get_parent()) {
    if (app->get_options().size() > 1)  // more than --help
      more +=
          fmt::format("Flags of all {} commands: aevum {} --help\n", app->get_name(), PathOf(app));
  }
  return more + "Global flags: aevum --help\n";
}

void Prepare(CLI::App* app, const std::shared_ptr<CLI::FormatterBase>& formatter) {
  app->formatter(formatter);
  app->fallthrough();
  for (CLI::App* command : app->get_subcommands([](const CLI::App*) { return true; }))
    Prepare(command, formatter);
}

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
  app.set_version_flag("--version",
                       fmt::format("aevum, version {} (revision: {})", kVersion, kRevision));
  app.require_subcommand(1);

  GlobalOptions global;
  FlagSet global_flags(app);
  AddGlobalFlags(global_flags, &global);

  CLI::App* sidecar =
      app.add_subcommand("sidecar", "Serves the data of one Prometheus server beside it.");
  CLI::App* store =
      app.add_subcommand("store", "Serves the blocks of a bucket: unlimited history.");
  CLI::App* query = app.add_subcommand("query", "Answers PromQL over any number of stores.");
  CLI::App* compact = app.add_subcommand(
      "compact", "Merges the blocks of a bucket, makes them coarser and deletes the old.");
  CLI::App* tools = app.add_subcommand("tools", "Tools for operators: the blocks of a bucket.");
  std::vector<Command> commands = {{sidecar, AddSidecarCommand(*sidecar)},
                                   {store, AddStoreCommand(*store)},
                                   {query, AddQueryCommand(*query)},
                                   {compact, AddCompactCommand(*compact)}};
  for (Command& command : AddToolsCommands(*tools)) commands.push_back(std::move(command));
  Prepare(&app, formatter);

  BlockSignals();
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    const CLI::App* named = NamedCommand(&app);
    std::cout << named->help() << (named == &app ? "" : MoreHelp(named));
    return 0;
  } catch (const CLI::CallForVersion& error) {
    std::cout << error.what() << '\n';
    return 0;
  } catch (const CLI::ParseError& error) {
    const CLI::App* named = NamedCommand(&app);
    if (named == &app && argc > 1 && argv[1][0] != '-') {
      return UsageError("<command>", fmt::format("there is no command {}", argv[1]));
    }
    return UsageError(named == &app ? "<command>" : PathOf(named), error.what());
  }
  for (const Command& command : commands) {
    if (command.app->parsed()) return command.run(global);
  }
  return kExitUsage;
}

}  // namespace aevum::cli
