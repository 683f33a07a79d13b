#include "cli/commands.h"

int main(int argc, char** argv) { return aevum::cli::Main(argc, argv); }
