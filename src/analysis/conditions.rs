//! Whether the conditions of a row of the knowledge base hold for a resource.

use std::sync::Arc;

use crate::azure::flows::{Service, Status, Test, TestKind, When, required_flows};
use crate::topology::{ResourceNode, Topology, Values};
use crate::value::{Unknown, ValueKind};

/// Whether something holds.
#[derive(Clone, Debug)]
pub enum Truth {
    /// It does.
    Yes,
    /// It does not.
    No,
    /// It depends on something that is not known.
    Unknown(Arc<Unknown>),
    /// The files do not say, whatever their values.
    NotInFiles,
}

/// The services that a resource may be, without those that cannot be made any more.
pub fn services_of(resource: &ResourceNode) -> impl Iterator<Item = &'static Service> {
    let arm = resource.is_arm();
    let written = resource.written_type.clone();
    let arm_type = resource.arm_type.clone();
    required_flows().services.iter().filter(move |service| {
        let fits = if arm {
            arm_type
                .as_deref()
                .is_some_and(|own| service.arm_types.iter().any(|t| t.eq_ignore_ascii_case(own)))
        } else {
            service.terraform_types.iter().any(|own| *own == written)
        };
        fits && service.status != Status::Retired
    })
}

/// Whether a resource is a service, by the service's own conditions.
pub fn is_service(topology: &Topology, resource: &ResourceNode, service: &Service) -> Truth {
    match &service.when {
        Some(conditions) => all_hold(topology, resource, conditions),
        None => Truth::NotInFiles,
    }
}

/// Whether all conditions hold.
pub fn all_hold(topology: &Topology, resource: &ResourceNode, conditions: &[When]) -> Truth {
    let mut truth = Truth::Yes;
    for condition in conditions {
        match (holds(topology, resource, condition), &truth) {
            (Truth::No, _) => return Truth::No,
            (Truth::Yes, _) | (_, Truth::Unknown(_)) => {}
            (open, _) => truth = open,
        }
    }
    truth
}

fn holds(topology: &Topology, resource: &ResourceNode, condition: &When) -> Truth {
    let test = if resource.is_arm() { &condition.arm } else { &condition.terraform };
    let truth = match test {
        Some(test) => passes(topology, resource, test),
        None => Truth::NotInFiles,
    };
    match (&truth, &condition.or) {
        // Another condition, in words, would do as well: its failing cannot be seen.
        (Truth::No, Some(_)) => Truth::NotInFiles,
        _ => truth,
    }
}

fn passes(topology: &Topology, resource: &ResourceNode, test: &Test) -> Truth {
    if test.test == TestKind::ResourceExists {
        let wanted = test.of.as_deref().unwrap_or("");
        let exists = topology.resources.iter().any(|other| {
            other.written_type.eq_ignore_ascii_case(wanted)
                || other.arm_type.as_deref().is_some_and(|kind| kind.eq_ignore_ascii_case(wanted))
        });
        let is_type = wanted.contains('/') || wanted.starts_with("azurerm_");
        return if is_type && !exists { Truth::No } else { Truth::NotInFiles };
    }
    if test.of.is_some() {
        return Truth::NotInFiles;
    }
    if test.test == TestKind::TypeIs {
        let is = test.values.iter().any(|kind| {
            kind.eq_ignore_ascii_case(&resource.written_type)
                || resource.arm_type.as_deref().is_some_and(|own| own.eq_ignore_ascii_case(kind))
        });
        return if is { Truth::Yes } else { Truth::No };
    }
    let values = resource.values(&test.paths, &test.paths);
    let texts = match read(&values, test.unset_means.as_deref()) {
        Ok(texts) => texts,
        Err(why) => return Truth::Unknown(why),
    };
    let is_one = |text: &String| test.values.iter().any(|value| value.eq_ignore_ascii_case(text));
    let compares = !matches!(test.test, TestKind::Set | TestKind::Unset);
    // A value that is there but not known may be any of them; only one that is known to be wanted settles it.
    if compares
        && !(matches!(test.test, TestKind::In | TestKind::ContainsAny) && texts.iter().any(is_one))
        && let Some(why) = values.found.iter().find_map(|(value, _)| value.first_unknown())
    {
        return Truth::Unknown(why);
    }
    let yes = match test.test {
        TestKind::Set => !values.found.is_empty(),
        TestKind::Unset => values.found.is_empty(),
        TestKind::In | TestKind::ContainsAny => texts.iter().any(is_one),
        TestKind::NotIn => !texts.iter().any(is_one),
        TestKind::PrefixIn => texts.iter().any(|text| {
            let text = text.to_ascii_lowercase();
            test.values.iter().any(|value| text.starts_with(&value.to_ascii_lowercase()))
        }),
        TestKind::TypeIs | TestKind::ResourceExists => false,
    };
    if yes { Truth::Yes } else { Truth::No }
}

/// The values as texts, or why they are not all known.
fn read(values: &Values, unset_means: Option<&str>) -> Result<Vec<String>, Arc<Unknown>> {
    let mut texts = Vec::new();
    for (value, _) in &values.found {
        match &value.kind {
            ValueKind::String(text) => texts.push(text.to_string()),
            ValueKind::Bool(flag) => texts.push(flag.to_string()),
            ValueKind::Number(number) => texts.push(number.to_string()),
            // A reference, a block or an object is there, whatever it holds.
            _ => {}
        }
    }
    match (&values.unknown, unset_means) {
        (Some(unknown), _) if values.found.is_empty() => Err(Arc::clone(unknown)),
        (_, Some(text)) if values.found.is_empty() => Ok(vec![text.to_string()]),
        _ => Ok(texts),
    }
}
