//! `portolan explain` and `portolan rules`.

use std::fmt::Write;
use std::io::Read;
use std::process::ExitCode;

use clap::Args;
use serde::Serialize;

use crate::analyzer;
use crate::azure::error_codes;
use crate::report;
use crate::rules::{ALL, Rule};

use super::{Failure, ListFormat, output};

#[derive(Args)]
pub(super) struct ExplainArguments {
    /// A rule's name, an error code of Azure, or an error message or JSON body as Azure printed it (`-`: from standard input)
    rule: String,
}

#[derive(Args)]
pub(super) struct RulesArguments {
    /// How to list them
    #[arg(long, value_enum, default_value_t)]
    format: ListFormat,
}

/// How much of standard input is read.
const LONGEST_MESSAGE: u64 = 4 * 1024 * 1024;

pub(super) fn explain(arguments: &ExplainArguments) -> Result<ExitCode, Failure> {
    let text = match arguments.rule.as_str() {
        "-" => {
            let mut bytes = Vec::new();
            std::io::stdin().lock().take(LONGEST_MESSAGE).read_to_end(&mut bytes)?;
            String::from_utf8_lossy(&bytes).into_owned()
        }
        text => text.to_string(),
    };
    output::to_stdout(explanation(text.trim())?.as_bytes())?;
    Ok(ExitCode::SUCCESS)
}

/// The page of the rule of a name; else, for what Azure said, what that means and the pages of the rules that find its cause.
fn explanation(wanted: &str) -> Result<String, Failure> {
    if let Some(rule) = ALL.iter().find(|rule| rule.name.eq_ignore_ascii_case(wanted)) {
        return Ok(report::page(rule));
    }
    let errors = error_codes::in_text(wanted);
    if errors.is_empty() {
        let hint =
            analyzer::similar(wanted).map(|name| format!("; did you mean `{name}`?")).unwrap_or_default();
        let shown: String = wanted.chars().take(LONGEST_SHOWN).collect();
        let more = if shown.len() < wanted.len() { " …" } else { "" };
        anyhow::bail!("no rule has the name `{shown}{more}` or predicts an error of that name{hint}");
    }
    let mut text = String::new();
    let mut rules: Vec<&str> = Vec::new();
    for error in &errors {
        let _ = writeln!(text, "{}: {}.", error.message().unwrap_or(&error.code), error.meaning);
        if let Some(because) = &error.because {
            let _ = writeln!(text, "No rule predicts it, because {because}.");
        }
        for source in &error.sources {
            let _ = writeln!(text, "  {source}");
        }
        rules.extend(error.rules.iter().map(String::as_str));
    }
    for rule in ALL.iter().filter(|rule| rules.contains(&rule.name)) {
        let _ = write!(text, "\n{}", report::page(rule));
    }
    Ok(text)
}

/// How much of what was asked is repeated in an error.
const LONGEST_SHOWN: usize = 80;

/// A rule, for programs.
#[derive(Serialize)]
struct Listed {
    name: &'static str,
    category: &'static str,
    severity: &'static str,
    summary: &'static str,
    error_codes: &'static [&'static str],
    pedantic: bool,
    fix: Option<&'static str>,
    help_url: String,
}

pub(super) fn rules(arguments: &RulesArguments) -> Result<ExitCode, Failure> {
    let text = match arguments.format {
        ListFormat::Text => table(),
        ListFormat::Json => {
            let listed: Vec<Listed> = ALL.iter().map(|rule| listed(rule)).collect();
            serde_json::to_string_pretty(&listed)? + "\n"
        }
    };
    output::to_stdout(text.as_bytes())?;
    Ok(ExitCode::SUCCESS)
}

fn listed(rule: &Rule) -> Listed {
    Listed {
        name: rule.name,
        category: rule.category.as_str(),
        severity: rule.severity.as_str(),
        summary: rule.summary,
        error_codes: rule.error_codes,
        pedantic: rule.pedantic,
        fix: rule.fix,
        help_url: report::help_url(rule.name),
    }
}

fn table() -> String {
    let width = |of: fn(&Rule) -> usize| ALL.iter().map(|rule| of(rule)).max().unwrap_or(0);
    let (names, categories) = (width(|rule| rule.name.len()), width(|rule| rule.category.as_str().len()));
    let mut table = String::new();
    for rule in ALL {
        let (name, category, severity) = (rule.name, rule.category.as_str(), rule.severity.as_str());
        let _ = writeln!(table, "{name:names$}  {category:categories$}  {severity:7}  {}", rule.summary);
    }
    table
}
