//! Which provider configuration makes a resource, and which version of a provider it is.

use std::path::Path;
use std::rc::Rc;

use ecow::{EcoString, eco_format};

use super::evaluator::Node;
use super::syntax::ast::{Block, Expression, ExpressionKind};
use super::traversal::names;

/// The provider configuration of a resource, named from the root; `None` for the default one.
pub(super) fn provider_of(node: &Rc<Node>, resource_type: &str, block: &Block) -> Option<EcoString> {
    let explicit =
        block.body.attribute("provider").and_then(|attribute| configuration_name(&attribute.value));
    let implied = resource_type.split_once('_').map_or(resource_type, |(prefix, _)| prefix);
    let mut name = explicit.unwrap_or_else(|| implied.into());
    let mut at = node;
    while let Some(caller) = &at.caller {
        // A configuration that the module itself declares is its own.
        if name.contains('.') && at.module.providers.contains_key(&name) {
            return Some(eco_format!("{}.{name}", at.path));
        }
        let call = caller.node.module.calls.get_index(caller.call).map(|(_, call)| call);
        let passed = call.and_then(|call| call.block.body.attribute("providers"));
        match passed.and_then(|attribute| passed_as(&attribute.value, &name)) {
            Some(outer) => name = outer,
            // An alias that is not passed on cannot be meant to be that of the caller.
            None if name.contains('.') => return Some(eco_format!("{}.{name}", at.path)),
            None => {}
        }
        at = &caller.node;
    }
    name.contains('.').then_some(name)
}

/// `azurerm.hub`, also as a string in JSON syntax and in old configurations.
fn configuration_name(expression: &Expression) -> Option<EcoString> {
    let name = names(expression).map(|names| EcoString::from(names.join(".")));
    name.or_else(|| expression.plain_string())
}

/// What the `providers` map of a module call passes under a name.
fn passed_as(providers: &Expression, name: &str) -> Option<EcoString> {
    let ExpressionKind::Object(items) = &providers.kind else { return None };
    let item = items.iter().find(|item| match &item.key {
        super::syntax::ast::ObjectKey::Name(key, _) => key == name,
        super::syntax::ast::ObjectKey::Expression(key) => {
            configuration_name(key).is_some_and(|key| key == name)
        }
    })?;
    configuration_name(&item.value)
}

/// The major version of azurerm that a module instance uses: what its constraints, or those of its callers, come to.
pub(super) fn azurerm_major(node: &Rc<Node>) -> Option<u8> {
    let mut at = node;
    loop {
        let constraint = at.module.provider_versions.get("azurerm");
        if let Some(major) = constraint.and_then(|constraint| newest_major(constraint)) {
            return Some(major);
        }
        at = &at.caller.as_ref()?.node;
    }
}

/// The major version of azurerm that a root's lock file has chosen.
pub(super) fn locked_azurerm_major(root: &Path) -> Option<u8> {
    let text = std::fs::read_to_string(root.join(".terraform.lock.hcl")).ok()?;
    let block = text
        .split("provider ")
        .find(|part| part.lines().next().is_some_and(|line| line.contains("/hashicorp/azurerm\"")))?;
    let line = block.lines().find_map(|line| line.trim().strip_prefix("version"))?;
    let version = line.trim_start().strip_prefix('=')?.trim().trim_matches('"');
    version.split('.').next()?.parse().ok()
}

/// The newest major version that version constraints admit; `None` when they leave it open upwards.
///
/// Constraints are those of <https://developer.hashicorp.com/terraform/language/expressions/version-constraints>.
fn newest_major(constraints: &str) -> Option<u8> {
    constraints.split(',').filter_map(upper_major).min()
}

/// The newest major version that one constraint admits.
fn upper_major(constraint: &str) -> Option<u8> {
    let constraint = constraint.trim();
    let digits = constraint.find(|c: char| c.is_ascii_digit() || c == 'v')?;
    let (operator, version) = constraint.split_at(digits);
    let version = version.trim_start_matches('v');
    let core = version.split(['-', '+']).next().unwrap_or(version);
    let parts: Vec<u64> = core.split('.').map_while(|part| part.trim().parse().ok()).collect();
    let major = u8::try_from(*parts.first()?).ok()?;
    let rest_is_zero = parts.iter().skip(1).all(|part| *part == 0);
    match operator.trim() {
        "" | "=" | "<=" => Some(major),
        // `~> 4` lets the major version itself grow.
        "~>" => (parts.len() > 1).then_some(major),
        "<" if rest_is_zero => major.checked_sub(1),
        "<" => Some(major),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::newest_major;

    #[test]
    fn constraints_say_the_newest_major_version_they_admit() {
        for (constraints, expected) in [
            ("~> 4.0", Some(4)),
            ("~> 3.71.0", Some(3)),
            ("~> 4", None),
            (">= 3.0", None),
            (">= 3.0, < 5.0", Some(4)),
            (">= 3.0, < 4.5", Some(4)),
            (">=3.0.0, <=4.10", Some(4)),
            ("= 2.99.0", Some(2)),
            ("3.116.0", Some(3)),
            ("v4.1.0", Some(4)),
            ("< 0", None),
            ("!= 3.0", None),
            ("", None),
            ("~> 4.0-beta1", Some(4)),
        ] {
            assert_eq!(newest_major(constraints), expected, "{constraints}");
        }
    }
}
