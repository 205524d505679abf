//! What rules report. One type of data, rendered by `report/*`; it knows places only as the model's [`Place`]s.

mod fix;

use std::sync::Arc;

use crate::topology::Place;
use crate::value::Unknown;

pub use fix::{Change, Fix, NewRule};

/// How bad a finding is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Severity {
    /// Advice.
    Note,
    /// It deploys, but a documented requirement is broken.
    Warning,
    /// Azure rejects it, or the workload cannot work.
    Error,
}

impl Severity {
    /// `error`, `warning`, `note`.
    pub fn as_str(self) -> &'static str {
        match self {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Note => "note",
        }
    }
}

/// Whether a finding holds whatever the unknowns turn out to be.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Confidence {
    /// It may hold: shown with `--possible` only.
    Possible,
    /// It holds for every value that the unknowns could take.
    Certain,
}

/// How a finding stands to what was there before: the network that a plan starts from, or a baseline.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Standing {
    /// It was not there before.
    New,
    /// It was there already.
    Known,
}

/// Which part of the network a rule is about.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[allow(missing_docs)]
pub enum Category {
    Delegation,
    Subnet,
    Nsg,
    Peering,
    Dns,
    PrivateEndpoint,
    ServiceEndpoint,
    Route,
    Gateway,
    LoadBalancing,
    Ordering,
    PlanChange,
    Exposure,
    Reference,
}

impl Category {
    /// Every category.
    pub const ALL: [Category; 14] = [
        Category::Delegation,
        Category::Subnet,
        Category::Nsg,
        Category::Peering,
        Category::Dns,
        Category::PrivateEndpoint,
        Category::ServiceEndpoint,
        Category::Route,
        Category::Gateway,
        Category::LoadBalancing,
        Category::Ordering,
        Category::PlanChange,
        Category::Exposure,
        Category::Reference,
    ];

    /// The kebab-case name.
    pub fn as_str(self) -> &'static str {
        match self {
            Category::Delegation => "delegation",
            Category::Subnet => "subnet",
            Category::Nsg => "nsg",
            Category::Peering => "peering",
            Category::Dns => "dns",
            Category::PrivateEndpoint => "private-endpoint",
            Category::ServiceEndpoint => "service-endpoint",
            Category::Route => "route",
            Category::Gateway => "gateway",
            Category::LoadBalancing => "load-balancing",
            Category::Ordering => "ordering",
            Category::PlanChange => "plan-change",
            Category::Exposure => "exposure",
            Category::Reference => "reference",
        }
    }
}

/// A defect of the network.
#[derive(Clone, Debug)]
pub struct Finding {
    /// The rule's name.
    pub rule: &'static str,
    /// How bad; usually the rule's own severity, lower where the rule says so.
    pub severity: Severity,
    /// Certain or possible.
    pub confidence: Confidence,
    /// What is wrong, with the names and numbers that prove it: one sentence, no final full stop.
    pub message: String,
    /// Where: its resource is the finding's resource.
    pub place: Place,
    /// The ARM path of the part that is wrong, where it is not the resource itself (an inline subnet, a rule).
    pub resource_id: Option<String>,
    /// The other places that take part, each with what it has to do with it.
    pub related: Vec<Related>,
    /// A concrete packet, address or name that shows the defect, one line a step.
    pub witness: Vec<String>,
    /// What to do: one or two sentences.
    pub advice: Option<String>,
    /// Whether it is news; `None` when there is nothing to compare with. Rules leave it alone.
    pub standing: Option<Standing>,
    /// The parts of the network that it is about, where it says so; else the places say it. By them it is recognised in
    /// the next run.
    pub between: Vec<(Place, Option<String>)>,
    /// What to change, where a change is safe.
    pub fix: Option<Fix>,
}

/// A place that takes part in a finding.
#[derive(Clone, Debug)]
pub struct Related {
    /// What it has to do with it.
    pub message: String,
    /// Where.
    pub place: Place,
    /// The ARM path, where it is not the resource itself.
    pub resource_id: Option<String>,
    /// Whether the place is one of the model of what is there now: something that a plan removes.
    pub before: bool,
}

/// A check that could not be decided.
#[derive(Clone, Debug)]
pub struct Undecided {
    /// The rule's name.
    pub rule: &'static str,
    /// What was being checked.
    pub place: Place,
    /// Why it could not be decided.
    pub because: Arc<Unknown>,
}

impl Finding {
    /// A certain finding at a place.
    pub fn new(rule: &'static str, severity: Severity, message: impl Into<String>, place: Place) -> Self {
        Self {
            rule,
            severity,
            confidence: Confidence::Certain,
            message: message.into(),
            place,
            resource_id: None,
            related: Vec::new(),
            witness: Vec::new(),
            advice: None,
            standing: None,
            between: Vec::new(),
            fix: None,
        }
    }

    /// Names the part that is wrong by its ARM path.
    pub fn of(mut self, resource_id: &Option<String>) -> Self {
        self.resource_id = resource_id.clone();
        self
    }

    /// Adds a place that takes part.
    pub fn related(mut self, message: impl Into<String>, place: Place) -> Self {
        self.related.push(Related { message: message.into(), place, resource_id: None, before: false });
        self
    }

    /// Adds a part of the model that takes part.
    pub fn related_part(mut self, message: impl Into<String>, header: &crate::topology::Header) -> Self {
        self.related.push(Related {
            message: message.into(),
            place: header.place,
            resource_id: header.resource_id.clone(),
            before: false,
        });
        self
    }

    /// Adds a resource that is there now and that the plan removes; its place is one of the model before.
    pub fn related_before(
        mut self,
        message: impl Into<String>,
        resource: &crate::topology::ResourceNode,
    ) -> Self {
        self.related.push(Related {
            message: message.into(),
            place: resource.place,
            resource_id: resource.resource_id.clone(),
            before: true,
        });
        self
    }

    /// Adds a line of the witness.
    pub fn witness(mut self, line: impl Into<String>) -> Self {
        self.witness.push(line.into());
        self
    }

    /// Says what to do.
    pub fn advice(mut self, advice: impl Into<String>) -> Self {
        self.advice = Some(advice.into());
        self
    }

    /// Says which parts it is about, where it may start at several places (at either half of a peering) and the order of the
    /// input decides which.
    pub fn between(mut self, parts: &[&crate::topology::Header]) -> Self {
        self.between = parts.iter().map(|part| (part.place, part.resource_id.clone())).collect();
        self
    }

    /// Offers a change that does away with the defect.
    pub fn fix(mut self, fix: impl Into<Option<Fix>>) -> Self {
        self.fix = fix.into();
        self
    }

    /// Marks the finding as possible when `certain` is false.
    pub fn certain_if(mut self, certain: bool) -> Self {
        if !certain {
            self.confidence = Confidence::Possible;
        }
        self
    }
}
