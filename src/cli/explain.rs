//! `portolan explain` and `portolan rules`.

use std::fmt::Write;
use std::process::ExitCode;

use clap::Args;
use serde::Serialize;

use crate::analyzer;
use crate::report;
use crate::rules::{ALL, Rule};

use super::{Failure, ListFormat, output};

#[derive(Args)]
pub(super) struct ExplainArguments {
    /// A rule's name, or an error code of Azure
    rule: String,
}

#[derive(Args)]
pub(super) struct RulesArguments {
    /// How to list them
    #[arg(long, value_enum, default_value_t)]
    format: ListFormat,
}

pub(super) fn explain(arguments: &ExplainArguments) -> Result<ExitCode, Failure> {
    let wanted = arguments.rule.trim();
    let rules: Vec<&Rule> = ALL.iter().copied().filter(|rule| answers_to(rule, wanted)).collect();
    if rules.is_empty() {
        let hint =
            analyzer::similar(wanted).map(|name| format!("; did you mean `{name}`?")).unwrap_or_default();
        anyhow::bail!("no rule has the name `{wanted}` or predicts an error of that name{hint}");
    }
    let pages: Vec<String> = rules.iter().map(|rule| report::page(rule)).collect();
    output::to_stdout(pages.join("\n").as_bytes())?;
    Ok(ExitCode::SUCCESS)
}

fn answers_to(rule: &Rule, wanted: &str) -> bool {
    rule.name.eq_ignore_ascii_case(wanted)
        || rule.error_codes.iter().any(|code| code.eq_ignore_ascii_case(wanted))
}

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
