//! `portolan facts`: what is known of a service, and where that is from.

use std::fmt::Write;
use std::process::ExitCode;

use clap::Args;
use serde::Serialize;

use crate::azure::facts::{self, Service};

use super::{Failure, ListFormat, output};

#[derive(Args)]
pub(super) struct FactsArguments {
    /// A service: its name, ARM type, azurerm type, delegation or reserved subnet. Without it, the services are listed
    service: Vec<String>,
    /// How to show them
    #[arg(long, value_enum, default_value_t)]
    format: ListFormat,
}

/// A service in the list, for programs.
#[derive(Serialize)]
struct Listed<'a> {
    arm_type: &'a str,
    names: Vec<&'a str>,
    facts: usize,
}

pub(super) fn facts(arguments: &FactsArguments) -> Result<ExitCode, Failure> {
    let wanted = arguments.service.join(" ");
    let text =
        if wanted.trim().is_empty() { list(arguments.format)? } else { show(&wanted, arguments.format)? };
    output::to_stdout(text.as_bytes())?;
    Ok(ExitCode::SUCCESS)
}

fn list(format: ListFormat) -> Result<String, Failure> {
    let services = facts::services();
    if let ListFormat::Json = format {
        let listed: Vec<Listed> = services
            .iter()
            .map(|service| Listed {
                arm_type: &service.arm_type,
                names: service.names.iter().map(String::as_str).collect(),
                facts: service.facts.len(),
            })
            .collect();
        return Ok(serde_json::to_string_pretty(&listed)? + "\n");
    }
    let mut text = String::new();
    for service in &services {
        let _ = writeln!(text, "{}: {}", service.arm_type, names(service));
    }
    Ok(text)
}

fn show(wanted: &str, format: ListFormat) -> Result<String, Failure> {
    let found = facts::find(wanted);
    if found.is_empty() {
        let similar: Vec<String> =
            facts::similar(wanted).into_iter().map(|name| format!("`{name}`")).collect();
        let hint = match similar.as_slice() {
            [] => "; `portolan facts` lists what there is".to_string(),
            names => format!("; did you mean {}?", names.join(", ")),
        };
        anyhow::bail!(
            "no service is known by the name `{}`{hint}",
            wanted.chars().take(80).collect::<String>()
        );
    }
    if let ListFormat::Json = format {
        return Ok(serde_json::to_string_pretty(&found)? + "\n");
    }
    let mut text = String::new();
    for service in &found {
        if !text.is_empty() {
            text.push('\n');
        }
        let _ = writeln!(text, "{}: {}", service.arm_type, names(service));
        if !service.terraform_types.is_empty() {
            let types: Vec<&str> = service.terraform_types.iter().map(String::as_str).collect();
            let _ = writeln!(text, "  azurerm: {}", types.join(", "));
        }
        let mut topics: Vec<&str> = Vec::new();
        for fact in &service.facts {
            if !topics.contains(&fact.topic) {
                topics.push(fact.topic);
            }
        }
        for topic in topics {
            let _ = writeln!(text, "\n  {topic}");
            for fact in service.facts.iter().filter(|fact| fact.topic == topic) {
                let _ = writeln!(text, "    {} [{}]", fact.fact, fact.confidence);
                let _ = writeln!(text, "      from {}", fact.sources.join(", "));
            }
        }
    }
    Ok(text)
}

fn names(service: &Service) -> String {
    service
        .names
        .iter()
        .filter(|name| **name != service.arm_type)
        .map(String::as_str)
        .collect::<Vec<_>>()
        .join("; ")
}
