//! The command line. A thin face over [`crate::analyzer`]: reads arguments, chooses where output goes, and sets the exit
//! status: 0 clean, 1 findings at or above `--fail-on`, 2 could not run or could not read part of the input.

mod check;
mod configured;
mod eval;
mod explain;
mod facts;
mod fix;
mod output;
mod progress;
mod repository;

use std::process::ExitCode;

use clap::{ArgMatches, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};

use output::ColorChoice;

/// What ends a command early: the message for standard error. The exit status is 2.
type Failure = anyhow::Error;

#[derive(Parser)]
#[command(
    name = "portolan",
    version,
    about = "Finds what Azure would reject or silently drop in Terraform, Bicep and ARM network configuration",
    after_help = "Exit status: 0 clean; 1 findings at or above --fail-on (with --diff: something to fix); 2 could not run, or part of the input could not be read.",
    propagate_version = true,
    disable_help_subcommand = true
)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
    /// Colours in the output
    #[arg(long, global = true, value_enum, default_value_t, value_name = "WHEN")]
    color: ColorChoice,
}

#[derive(Subcommand)]
enum Command {
    /// Check configuration
    Check(check::CheckArguments),
    /// Explain a rule, by its name or by the Azure error that it predicts
    Explain(explain::ExplainArguments),
    /// Show what is known of a service of Azure, and where that is from
    Facts(facts::FactsArguments),
    /// List the rules
    Rules(explain::RulesArguments),
    /// Write the network that the configuration describes as JSON
    Topology(check::TopologyArguments),
    /// Tell about portolan.toml
    #[command(subcommand)]
    Config(configured::ConfigCommand),
    /// Evaluate expressions
    Eval(eval::EvalArguments),
    /// Write a completion script for a shell
    Completions {
        /// The shell
        #[arg(value_enum)]
        shell: clap_complete::Shell,
    },
}

/// A format for lists.
#[derive(Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
enum ListFormat {
    /// For people
    #[default]
    Text,
    /// For programs
    Json,
}

/// Runs the program with the process's arguments.
pub fn main() -> ExitCode {
    let matches = Arguments::command().get_matches();
    let arguments = Arguments::from_arg_matches(&matches).unwrap_or_else(|problem| problem.exit());
    // The matches of the subcommand, in which the order of its arguments can be asked for.
    let matches = matches.subcommand().map_or(&matches, |(_, inner)| inner);
    run(&arguments, matches).unwrap_or_else(|failure| {
        output::complain(&failure, arguments.color);
        ExitCode::from(2)
    })
}

fn run(arguments: &Arguments, matches: &ArgMatches) -> Result<ExitCode, Failure> {
    match &arguments.command {
        Command::Check(check) => check::check(check, matches, arguments.color),
        Command::Topology(topology) => check::topology(topology, matches, arguments.color),
        Command::Explain(explain) => explain::explain(explain),
        Command::Facts(facts) => facts::facts(facts),
        Command::Rules(rules) => explain::rules(rules),
        Command::Config(config) => configured::config(config),
        Command::Eval(eval) => eval::eval(eval, matches),
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(*shell, &mut Arguments::command(), "portolan", &mut script);
            output::to_stdout(&script).map(|()| ExitCode::SUCCESS)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_definition_of_the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }
}
