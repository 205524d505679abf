//! `portolan eval`: evaluates expressions, one JSON answer a line. For trying things out, and for comparing with the
//! languages' own tools.

use std::io::{self, BufRead, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{ArgMatches, Args, ValueEnum};

use crate::analyzer::{self, VariableArgument};
use crate::frontend::{arm, bicep, terraform};
use crate::resource::Diagnostic;
use crate::source::{SourceMap, Span};

use super::{Failure, check};

#[derive(Args)]
pub(super) struct EvalArguments {
    /// The expression; without one, each line of standard input is one
    #[arg(value_name = "EXPR")]
    expression: Option<String>,
    /// The expression's language
    #[arg(long, value_enum, default_value_t)]
    lang: Language,
    /// Evaluate inside the root module in this folder
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    /// Each line of standard input is a JSON string that holds an expression
    #[arg(long, conflicts_with = "expression")]
    json_lines: bool,
    #[command(flatten)]
    values: check::ValueArguments,
}

/// The languages whose expressions can be evaluated.
#[derive(Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
enum Language {
    /// Terraform
    #[default]
    Terraform,
    /// ARM template expressions, with or without their brackets
    Arm,
    /// Bicep
    Bicep,
}

/// Longer lines are no expressions.
const LINE: u64 = 16 << 20;

pub(super) fn eval(arguments: &EvalArguments, matches: &ArgMatches) -> Result<ExitCode, Failure> {
    if let Some(dir) = arguments.dir.as_deref().filter(|dir| !dir.is_dir()) {
        anyhow::bail!("`{}` is not a folder", dir.display());
    }
    if arguments.dir.is_some() && arguments.lang != Language::Terraform {
        anyhow::bail!("--dir is for Terraform");
    }
    let mut out = io::stdout().lock();
    if let Some(expression) = &arguments.expression {
        return finish(writeln!(out, "{}", answer(arguments, matches, expression)));
    }
    let mut input = io::stdin().lock();
    loop {
        let mut line = Vec::new();
        let read = io::Read::take(&mut input, LINE).read_until(b'\n', &mut line);
        if read.context("cannot read standard input")? == 0 {
            return finish(out.flush());
        }
        let result = match expression_of(arguments, &line) {
            Ok(expression) if expression.trim().is_empty() && !arguments.json_lines => continue,
            Ok(expression) => answer(arguments, matches, &expression),
            Err(message) => serde_json::json!({ "error": message }),
        };
        if let Err(problem) = writeln!(out, "{result}") {
            return finish(Err(problem));
        }
    }
}

/// The expression on a line of standard input.
fn expression_of(arguments: &EvalArguments, line: &[u8]) -> Result<String, String> {
    let line = std::str::from_utf8(line).map_err(|_| "the line is not UTF-8 text".to_string())?;
    let line = line.strip_suffix('\n').unwrap_or(line);
    let line = line.strip_suffix('\r').unwrap_or(line);
    if arguments.json_lines {
        serde_json::from_str(line).map_err(|problem| format!("the line is not a JSON string: {problem}"))
    } else {
        Ok(line.to_string())
    }
}

/// `{"value": …}`, `{"unknown": "cause"}` or `{"error": "message"}`.
fn answer(arguments: &EvalArguments, matches: &ArgMatches, expression: &str) -> serde_json::Value {
    match arguments.lang {
        Language::Terraform => {
            let options = terraform::Options {
                variables: arguments.values.in_order(matches),
                environment: check::environment(),
                ..terraform::Options::default()
            };
            let sources = SourceMap::new();
            let answer =
                terraform::evaluate_expression(arguments.dir.as_deref(), expression, &options, &sources);
            terraform::answer_json(&answer)
        }
        Language::Arm => {
            let answer = arm::evaluate_expression(expression, &parameters(arguments, matches));
            terraform::answer_json(
                &answer.map_err(|message| Diagnostic::error("evaluation-error", message, Span::NOWHERE)),
            )
        }
        Language::Bicep => {
            let file = SourceMap::new().add(Path::new("<expression>"), expression);
            let answer = bicep::evaluate_expression(&file, &parameters(arguments, matches));
            let unknown =
                || Diagnostic::error("evaluation-error", "the expression cannot be evaluated", Span::NOWHERE);
            terraform::answer_json(
                &answer.map_err(|problems| problems.into_iter().next().unwrap_or_else(unknown)),
            )
        }
    }
}

/// The values that the command line gives to parameters.
fn parameters(arguments: &EvalArguments, matches: &ArgMatches) -> arm::Options {
    let given = arguments.values.in_order(matches).into_iter().filter_map(|argument| match argument {
        VariableArgument::Text(name, text) => Some((name, analyzer::parameter_value(&text))),
        _ => None,
    });
    arm::Options { parameters: given.collect(), ..arm::Options::default() }
}

fn finish(written: io::Result<()>) -> Result<ExitCode, Failure> {
    match written {
        Err(problem) if problem.kind() != io::ErrorKind::BrokenPipe => {
            Err(problem).context("cannot write to standard output")
        }
        _ => Ok(ExitCode::SUCCESS),
    }
}
