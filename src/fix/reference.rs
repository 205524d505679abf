//! How one declaration names another one.

use std::sync::Arc;

use crate::resource::Resource;
use crate::topology::ResourceId;

use super::Planner;
use super::document::{Dialect, Document, Node, NodeKind, Step};

/// A declaration that others can be put behind and can name.
pub(super) struct Declaration<'a> {
    pub id: ResourceId,
    pub resource: &'a Resource,
    pub document: Arc<Document>,
    /// The declaration at the outermost level of its file or template: what is added goes behind it.
    pub outer: (usize, usize),
    /// Where the list of resources begins that it is in, which tells templates inside a file apart.
    pub list: usize,
    /// How Bicep names it.
    pub symbol: Option<String>,
    /// One of several that a loop makes, which cannot be named without saying which.
    pub repeated: bool,
}

impl<'a> Planner<'a> {
    /// The declaration of a resource, in a file that may be edited.
    pub(super) fn declaration(&self, id: ResourceId) -> Option<Declaration<'a>> {
        let resource = self.resource(id)?;
        let repeated = relative(resource).ends_with(']');
        let document = self.document(resource.span.file)?;
        let path = document.path(resource.span)?;
        let (outer, list, symbol) = match document.dialect {
            Dialect::Hcl => {
                let first = path.first()?.entry?;
                ((first.start, first.end), 0, None)
            }
            Dialect::Bicep => {
                let first = path.first()?.entry?;
                let names: Vec<&str> = path
                    .iter()
                    .filter_map(|step| step.entry)
                    .filter(|e| e.block)
                    .map(|e| e.name.as_str())
                    .collect();
                ((first.start, first.end), 0, Some(names.join("::")))
            }
            Dialect::TerraformJson => ((0, 0), 0, None),
            Dialect::ArmJson => {
                let (outer, list) = in_template(&document.root, &path)?;
                (outer, list, None)
            }
        };
        Some(Declaration { id, resource, document, outer, list, symbol, repeated })
    }
}

/// The outermost resource of the innermost template on a path, and where the template's list of resources begins.
fn in_template(root: &Node, path: &[Step<'_>]) -> Option<((usize, usize), usize)> {
    let mut found = None;
    let mut parent = root;
    for (index, step) in path.iter().enumerate() {
        let is_template = parent.object().is_some_and(|object| {
            object.entry("contentVersion").is_some() || object.entry("$schema").is_some()
        });
        if let Some(entry) =
            step.entry.filter(|entry| is_template && entry.name.eq_ignore_ascii_case("resources"))
        {
            let next = path.get(index + 1)?;
            let outer = match (&entry.node.kind, next.entry) {
                (NodeKind::List(_), None) => (next.node.start, next.node.end),
                (NodeKind::Object(_), Some(member)) => (member.start, member.end),
                _ => return None,
            };
            found = Some((outer, entry.node.start));
        }
        parent = step.node;
    }
    found
}

impl Declaration<'_> {
    /// Whether another declaration can be named from where this one stands.
    pub(super) fn can_name(&self, other: &Declaration<'_>) -> bool {
        if self.resource.key.root != other.resource.key.root || other.repeated {
            return false;
        }
        match self.document.dialect {
            Dialect::Hcl | Dialect::TerraformJson => module(self.resource) == module(other.resource),
            Dialect::Bicep => {
                self.document.file.id() == other.document.file.id()
                    && prefix(self.resource) == prefix(other.resource)
            }
            Dialect::ArmJson => {
                self.document.file.id() == other.document.file.id() && self.list == other.list
            }
        }
    }

    /// An attribute of this declaration, as expressions beside it name it. Bicep and Terraform only.
    pub(super) fn attribute(&self, name: &str) -> Option<String> {
        match self.document.dialect {
            Dialect::Hcl | Dialect::TerraformJson => Some(format!("{}.{name}", relative(self.resource))),
            Dialect::Bicep => Some(format!("{}.{name}", self.symbol.as_ref()?)),
            Dialect::ArmJson => None,
        }
    }

    /// The id of this declaration, as expressions beside it name it.
    pub(super) fn id_expression(&self) -> Option<String> {
        if self.document.dialect != Dialect::ArmJson {
            return self.attribute("id");
        }
        let names = self.name_expressions()?;
        Some(format!("resourceId('{}', {})", self.resource.resource_type, names.join(", ")))
    }

    /// ARM: the names along the type's segments, as expressions.
    pub(super) fn name_expressions(&self) -> Option<Vec<String>> {
        let depth = self.resource.resource_type.split('/').count().checked_sub(1)?;
        let text = self.own("name")?;
        match text.strip_prefix('[').filter(|rest| !rest.starts_with('[')) {
            Some(rest) => {
                let expression = rest.strip_suffix(']')?.trim();
                if depth == 1 {
                    return Some(vec![expression.to_string()]);
                }
                segments(expression, depth)
            }
            None => {
                let names: Vec<String> =
                    text.split('/').map(|name| format!("'{}'", name.replace('\'', "''"))).collect();
                (names.len() == depth).then_some(names)
            }
        }
    }

    /// A member of the declaration that is written as a literal.
    pub(super) fn own(&self, name: &str) -> Option<String> {
        let node = self.document.node(self.resource.span)?;
        Some(node.object()?.entry(name)?.node.literal()?.to_string())
    }

    /// The text of a member, whatever it is.
    pub(super) fn expression(&self, name: &str) -> Option<String> {
        let node = &self.document.node(self.resource.span)?.object()?.entry(name)?.node;
        self.document.text().get(node.start..node.end).map(str::to_string)
    }

    /// The API version.
    pub(super) fn api_version(&self) -> Option<String> {
        match self.document.dialect {
            Dialect::ArmJson => self.own("apiVersion").filter(|text| !text.starts_with('[')),
            Dialect::Bicep => {
                let span = self.resource.header;
                let text = self.document.text().get(span.start as usize..span.end as usize)?;
                let rest = text.split('@').nth(1)?;
                Some(rest.split('\'').next()?.to_string())
            }
            Dialect::Hcl | Dialect::TerraformJson => Some(self.own("type")?.split('@').nth(1)?.to_string()),
        }
    }
}

/// The names in `format('{0}/{1}', a, b)` and `concat(a, '/', b)`, where they can be told.
fn segments(expression: &str, depth: usize) -> Option<Vec<String>> {
    let pattern: Vec<String> = (0..depth).map(|index| format!("{{{index}}}")).collect();
    let start = format!("format('{}',", pattern.join("/"));
    let inside = expression.strip_prefix(&start)?.strip_suffix(')')?;
    // Commas inside calls or texts would have to be told from those between the names.
    if inside.contains(['(', '\'']) {
        return None;
    }
    let names: Vec<String> = inside.split(',').map(|name| name.trim().to_string()).collect();
    (names.len() == depth).then_some(names)
}

/// The address inside its module.
pub(super) fn relative(resource: &Resource) -> &str {
    split(&resource.key.address).1
}

/// The address of the module.
pub(super) fn module(resource: &Resource) -> &str {
    split(&resource.key.address).0
}

/// `module.a["b"].azurerm_subnet.c` into `module.a["b"]` and `azurerm_subnet.c`.
fn split(address: &str) -> (&str, &str) {
    let mut at = 0;
    while address.get(at..).is_some_and(|rest| rest.starts_with("module.")) {
        let rest = address.get(at..).unwrap_or("");
        let Some(end) = end_of_module(rest) else { break };
        at += end + 1;
    }
    (address.get(..at.saturating_sub(1)).unwrap_or(""), address.get(at..).unwrap_or(""))
}

/// Where the first step into a module ends: the dot behind it.
fn end_of_module(address: &str) -> Option<usize> {
    let mut quoted = false;
    let mut escaped = false;
    for (index, character) in address.char_indices().skip("module.".len()) {
        match character {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            '.' if !quoted => return Some(index),
            _ => {}
        }
    }
    None
}

/// Bicep: what stands before the symbolic name.
fn prefix(resource: &Resource) -> &str {
    let address = resource.key.address.as_str();
    address.rsplit_once("::").map_or("", |(prefix, _)| prefix)
}

#[cfg(test)]
mod tests {
    use super::split;

    #[test]
    fn an_address_is_taken_apart_at_its_module() {
        assert_eq!(split("azurerm_subnet.a"), ("", "azurerm_subnet.a"));
        assert_eq!(split("module.a.azurerm_subnet.b[0]"), ("module.a", "azurerm_subnet.b[0]"));
        assert_eq!(
            split("module.a[\"x.y\"].module.b.data.azurerm_subnet.c"),
            ("module.a[\"x.y\"].module.b", "data.azurerm_subnet.c")
        );
    }
}
