//! `--format sarif`: SARIF 2.1.0 for code scanning. <https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html>
//!
//! GitHub's expectations and limits are those of
//! <https://docs.github.com/en/code-security/reference/code-scanning/sarif-files/sarif-support>.

mod schema;
mod uri;

use std::collections::BTreeSet;
use std::io::{self, Write};

use crate::finding::{Category, Confidence, Severity};
use crate::rules::Rule;

use super::{
    Edit, Finding, Fix, Format, Location, Note, Place, Report, Standing, Style, Summary, Suppressed,
    SuppressionKind, counted, help_url, sentence,
};
use schema::*;

pub(super) const FORMAT: Format =
    Format { name: "sarif", about: "SARIF 2.1.0, for code scanning (GitHub and others)", write };

/// GitHub takes so many results of a run.
const RESULTS: usize = 25_000;
/// It shows so many of them, the most severe first.
const RESULTS_SHOWN: usize = 5_000;
/// It takes 10 MB of compressed upload; results repeat themselves and compress to less than a fifth.
const BYTES: usize = 48 << 20;
/// So few results are never too large.
const FEW: usize = 500;
/// Other places in one result. A reader needs a few; GitHub takes 1,000.
const RELATED: usize = 100;
/// A longer line (a minified template) is not quoted.
const SNIPPET_BYTES: usize = 400;

fn write(report: &Report, style: &Style, out: &mut dyn Write) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, &log(report, style)?)?;
    writeln!(out)
}

fn log(report: &Report, style: &Style) -> io::Result<Log> {
    let all: Vec<SarifResult> =
        report.findings.iter().map(|finding| result(report, finding, style)).collect();
    let count = all.len();
    let mut results = within_limits(report, all)?;
    let mut notifications: Vec<Notification> = report.notes.iter().map(|note| of_note(note, style)).collect();
    notifications.extend(of_summary(&report.summary));
    if results.len() < count {
        let text = format!(
            "{} of {} left out, the least severe ones: code scanning takes {RESULTS} results and 10 MB.",
            count - results.len(),
            counted(count, "finding"),
        );
        notifications.push(notification("results-left-out", "warning", text, None));
    } else if count > RESULTS_SHOWN {
        let text = format!("{count} findings; code scanning shows the {RESULTS_SHOWN} most severe ones.");
        notifications.push(notification("results-not-shown", "warning", text, None));
    }
    let room = RESULTS_SHOWN.saturating_sub(results.len());
    results.extend(
        report.suppressed.iter().take(room).map(|suppressed| of_suppressed(report, suppressed, style)),
    );
    Ok(Log {
        schema: "https://json.schemastore.org/sarif-2.1.0.json",
        version: "2.1.0",
        runs: [Run {
            tool: Tool {
                driver: Driver {
                    name: "Portolan",
                    semantic_version: env!("CARGO_PKG_VERSION"),
                    information_uri: env!("CARGO_PKG_REPOSITORY"),
                    rules: report.rules.iter().map(|rule| descriptor(rule)).collect(),
                },
            },
            automation_details: AutomationDetails { id: "portolan/" },
            original_uri_base_ids: UriBaseIds {
                source_root: UriBase {
                    description: Text::plain(
                        "The top of the repository; outside of one, the folder in which the program ran.",
                    ),
                },
            },
            column_kind: "utf16CodeUnits",
            invocations: [Invocation {
                execution_successful: true,
                tool_execution_notifications: notifications,
            }],
            results,
        }],
    })
}

/// The most severe results that fit, in the order of the report.
fn within_limits(report: &Report, all: Vec<SarifResult>) -> io::Result<Vec<SarifResult>> {
    if all.len() <= FEW {
        return Ok(all);
    }
    let mut order: Vec<usize> = (0..all.len()).collect();
    order.sort_by_key(|index| std::cmp::Reverse(report.findings.get(*index).map(|finding| finding.severity)));
    let mut kept = BTreeSet::new();
    let mut bytes = 0;
    for index in order.into_iter().take(RESULTS) {
        if let Some(result) = all.get(index) {
            bytes += serde_json::to_vec(result)?.len();
        }
        if bytes > BYTES {
            break;
        }
        kept.insert(index);
    }
    Ok(all
        .into_iter()
        .enumerate()
        .filter(|(index, _)| kept.contains(index))
        .map(|(_, result)| result)
        .collect())
}

fn result(report: &Report, finding: &Finding, style: &Style) -> SarifResult {
    SarifResult {
        rule_id: finding.rule,
        rule_index: report.rules.iter().position(|rule| rule.name == finding.rule),
        level: finding.severity.as_str(),
        baseline_state: finding.standing.map(|standing| match standing {
            Standing::New => "new",
            Standing::Known => "unchanged",
        }),
        suppressions: (!report.suppressed.is_empty()).then(Vec::new),
        message: Text::plain(message(finding)),
        locations: [PlaceLocation {
            id: None,
            message: None,
            physical_location: Some(match &finding.place.location {
                Some(location) => physical(location, style),
                None => nowhere(&finding.place.root, style),
            }),
            logical_locations: logical(&finding.place),
        }],
        related_locations: finding
            .related
            .iter()
            .take(RELATED)
            .enumerate()
            .map(|(index, related)| PlaceLocation {
                id: Some(index + 1),
                message: Some(Text::plain(sentence(&related.statement(finding)))),
                physical_location: related.place.location.as_ref().map(|location| physical(location, style)),
                logical_locations: logical(&related.place),
            })
            .collect(),
        partial_fingerprints: PartialFingerprints { primary_location_line_hash: finding.fingerprint.clone() },
        fixes: finding.fix.iter().map(|offered| fix(offered, style)).collect(),
        properties: ResultProperties {
            confidence: match finding.confidence {
                Confidence::Certain => "certain",
                Confidence::Possible => "possible",
            },
            resource_id: finding.place.resource_id.clone(),
        },
    }
}

fn fix(fix: &Fix, style: &Style) -> SarifFix {
    let one_file = |a: &Edit, b: &Edit| a.location.file.display() == b.location.file.display();
    let change = |edits: &[Edit]| {
        let file = &edits.first()?.location.file;
        let replacements = edits.iter().map(|edit| Replacement {
            deleted_region: region(&edit.location),
            inserted_content: Text::plain(&edit.text),
        });
        Some(ArtifactChange {
            artifact_location: uri::artifact(&style.in_repository(file.display())),
            replacements: replacements.collect(),
        })
    };
    SarifFix {
        description: Text::plain(sentence(&fix.title)),
        artifact_changes: fix.edits.chunk_by(one_file).filter_map(change).collect(),
    }
}

fn of_suppressed(report: &Report, suppressed: &Suppressed, style: &Style) -> SarifResult {
    let suppression = Suppression {
        kind: match suppressed.kind {
            SuppressionKind::InSource => "inSource",
            SuppressionKind::External => "external",
        },
        justification: suppressed.reason.clone(),
    };
    SarifResult { suppressions: Some(vec![suppression]), ..result(report, &suppressed.finding, style) }
}

/// What is wrong, the proof, and what to do.
fn message(finding: &Finding) -> String {
    let mut text = sentence(&finding.message);
    if !finding.witness.is_empty() {
        text.push_str("\nWitness: ");
        text.push_str(&finding.witness.join("\n"));
    }
    if let Some(advice) = &finding.advice {
        text.push('\n');
        text.push_str(&sentence(advice));
    }
    if finding.witness.is_empty() || finding.advice.is_some() { text } else { sentence(&text) }
}

fn logical(place: &Place) -> Vec<LogicalLocation> {
    if place.resource.is_empty() {
        return Vec::new();
    }
    vec![LogicalLocation { fully_qualified_name: place.resource.clone(), kind: "resource" }]
}

/// What no file holds is at the beginning of its root: code scanning takes no result without a region.
fn nowhere(root: &str, style: &Style) -> PhysicalLocation {
    PhysicalLocation {
        artifact_location: uri::artifact(&style.in_repository(root)),
        region: Some(Region { start_line: 1, start_column: 1, end_line: 1, end_column: 1, snippet: None }),
    }
}

fn physical(location: &Location, style: &Style) -> PhysicalLocation {
    let one_line = location.start.line == location.end.line;
    let snippet = if one_line && !location.sensitive {
        let text = location.file.slice(location.span);
        (!text.is_empty() && text.len() <= SNIPPET_BYTES).then(|| Text::plain(text))
    } else {
        None
    };
    PhysicalLocation {
        artifact_location: uri::artifact(&style.in_repository(location.file.display())),
        region: Some(Region { snippet, ..region(location) }),
    }
}

fn region(location: &Location) -> Region {
    Region {
        start_line: location.start.line,
        start_column: location.start.column_utf16,
        end_line: location.end.line,
        end_column: location.end.column_utf16,
        snippet: None,
    }
}

fn descriptor(rule: &Rule) -> ReportingDescriptor {
    let documentation = rule.documentation();
    let level = rule.severity.as_str();
    let mut tags = vec!["azure", "network", rule.category.as_str()];
    if is_security(rule.category) {
        tags.push("security");
    }
    ReportingDescriptor {
        id: rule.name,
        name: pascal_case(rule.name),
        short_description: Text::plain(sentence(rule.summary)),
        full_description: Text::plain(
            first_paragraph(&documentation).unwrap_or_else(|| sentence(rule.summary)),
        ),
        help: Help { text: documentation.clone(), markdown: documentation },
        help_uri: help_url(rule.name),
        default_configuration: Configuration { level },
        properties: RuleProperties {
            tags,
            precision: "very-high",
            problem_severity: match rule.severity {
                Severity::Error => "error",
                Severity::Warning => "warning",
                Severity::Note => "recommendation",
            },
            security_severity: is_security(rule.category).then_some(match rule.severity {
                Severity::Error => "8.0",
                Severity::Warning => "6.0",
                Severity::Note => "3.0",
            }),
        },
    }
}

/// Whether a category's findings are about who can reach what, not only about what works.
fn is_security(category: Category) -> bool {
    category == Category::Exposure
}

/// The documentation's first paragraph, on one line.
fn first_paragraph(documentation: &str) -> Option<String> {
    let is_text = |line: &&str| !line.trim().is_empty() && !line.starts_with('#');
    let paragraph: Vec<&str> =
        documentation.lines().skip_while(|line| !is_text(line)).take_while(is_text).map(str::trim).collect();
    (!paragraph.is_empty()).then(|| sentence(&paragraph.join(" ")))
}

fn pascal_case(name: &str) -> String {
    name.split('-')
        .flat_map(|word| {
            let mut letters = word.chars();
            letters.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(letters)
        })
        .collect()
}

fn of_note(note: &Note, style: &Style) -> Notification {
    notification(
        note.code,
        note.level.as_str(),
        note.statement(),
        note.location.as_ref().map(|location| physical(location, style)),
    )
}

/// What could not be decided and what was not understood.
fn of_summary(summary: &Summary) -> Vec<Notification> {
    let undecided = summary.causes.iter().map(|cause| {
        let advice = cause.advice.map(|advice| format!("; {advice}")).unwrap_or_default();
        let checks = counted(cause.checks, "check");
        notification(
            "undecided",
            "note",
            format!("{checks} undecided because {}{advice}.", cause.because),
            None,
        )
    });
    let unsupported = summary.unsupported.iter().map(|unsupported| {
        let resources = counted(unsupported.count, "resource");
        let text = format!("{resources} of a type that Portolan does not know: {}.", unsupported.what);
        notification("unsupported", "note", text, None)
    });
    undecided.chain(unsupported).collect()
}

fn notification(
    code: &'static str,
    level: &'static str,
    text: String,
    location: Option<PhysicalLocation>,
) -> Notification {
    Notification {
        descriptor: DescriptorReference { id: code },
        level,
        message: Text::plain(text),
        locations: location
            .map(|location| PlaceLocation {
                id: None,
                message: None,
                physical_location: Some(location),
                logical_locations: Vec::new(),
            })
            .into_iter()
            .collect(),
    }
}
