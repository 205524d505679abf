//! Telling a plan from other texts, and what to say about texts that come close.

/// What else of Terraform's a text is, and what to do instead.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Mistake {
    /// What it is: the rest of "`x` is …".
    pub what: &'static str,
    /// One sentence.
    pub help: &'static str,
}

/// Whether a text looks like `terraform show -json`: for telling it from other JSON. Its keys may stand in any order.
pub fn is_plan(text: &str) -> bool {
    let start = without_wrapper(text);
    start.starts_with('{')
        && start.contains("\"format_version\"")
        && !start.contains("deploymentTemplate.json#")
        && [
            "\"resource_changes\"",
            "\"planned_values\"",
            "\"configuration\"",
            "\"values\"",
            "\"terraform_version\"",
        ]
        .iter()
        .any(|key| start.contains(key))
}

/// The document without a byte order mark, and without the line that the wrapper script of GitHub's `setup-terraform`
/// writes before it (`[command]/usr/bin/terraform-bin show -json tfplan`).
pub(super) fn without_wrapper(text: &str) -> &str {
    let mut rest = text.trim_start_matches('\u{feff}').trim_start();
    while rest.starts_with("[command]") || rest.starts_with("::") {
        rest = rest.split_once('\n').map_or("", |(_, rest)| rest).trim_start();
    }
    rest
}

/// Of a long text, so much is looked at.
const LOOKED_AT: usize = 64 << 10;

/// What a file that is no plan is, when it is something else that Terraform writes.
pub fn mistake(bytes: &[u8]) -> Option<Mistake> {
    if bytes.starts_with(b"PK\x03\x04") {
        return Some(Mistake {
            what: "a plan in Terraform's own format, which only Terraform reads",
            help: "Pass what `terraform show -json PLANFILE` writes.",
        });
    }
    let head = String::from_utf8_lossy(bytes.get(..LOOKED_AT).unwrap_or(bytes));
    let start = without_wrapper(&head);
    let has = |key: &str| start.contains(key);
    let first_line = start.lines().next().unwrap_or("");
    if first_line.starts_with('{') && first_line.contains("\"@level\"") && first_line.contains("\"@message\"")
    {
        return Some(Mistake {
            what: "the log that `terraform plan -json` writes, not the plan",
            help: "Save the plan with `terraform plan -out=PLANFILE` and pass what `terraform show -json PLANFILE` writes.",
        });
    }
    if !start.starts_with('{') {
        let spoken = [
            "will perform the following actions",
            "No changes. Your infrastructure",
            "selected providers to generate",
        ];
        return spoken.iter().any(|words| has(words)).then_some(Mistake {
            what: "a plan as it is shown to people",
            help: "Pass what `terraform show -json PLANFILE` writes.",
        });
    }
    if has("\"lineage\"") && has("\"serial\"") {
        return Some(Mistake {
            what: "a state file as Terraform keeps it",
            help: "Pass what `terraform show -json STATEFILE` writes.",
        });
    }
    if has("\"provider_schemas\"") || has("\"valid\"") && has("\"diagnostics\"") {
        return Some(Mistake {
            what: "what another command of Terraform's writes",
            help: "Pass what `terraform show -json PLANFILE` writes.",
        });
    }
    has("\"format_version\"").then_some(Mistake {
        what: "cut off, or holds neither a plan nor a state",
        help: "Pass the whole of what `terraform show -json PLANFILE` writes.",
    })
}
