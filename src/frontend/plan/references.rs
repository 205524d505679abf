//! What the values that are unknown until apply refer to: the plan's own references, followed through variables, outputs,
//! `for_each` and module calls to the resource instance behind them.
//!
//! References in a plan carry no instance keys for resources and none of the operators and functions around them. So an
//! answer is given only where exactly one instance can be meant; locals are not in a plan, and end the search.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde_json::value::RawValue;

use super::address::{ModulePath, Segment, segments};
use super::document::{Configuration, ConfigurationResource, Index, Module, ModuleCall};
use super::expression::Expression;

/// How many steps a chain of references may have.
const MAXIMUM_DEPTH: usize = 32;

/// How many targets one expression may lead to.
const MAXIMUM_TARGETS: usize = 4096;

/// A resource instance, or an attribute of one, that an expression refers to.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Target {
    /// The instance's address, or the block's address where the instance is not certain.
    pub address: String,
    /// Whether `address` names one instance.
    pub exact: bool,
    /// The attributes behind it.
    pub path: Vec<String>,
}

/// The instances of the plan and the configuration that made them.
pub(super) struct References<'d, 'a> {
    root: Option<&'d Module<'a>>,
    /// Resource blocks by the module's body (where it lies in memory: each body is there once) and their address in it.
    blocks: HashMap<(usize, &'d str), &'d ConfigurationResource<'a>>,
    /// Instance keys by block address (with the keys of modules, without the resource's own).
    instances: BTreeMap<String, BTreeSet<Option<Index>>>,
    /// Keys of module calls, by the call's address without its own key.
    module_keys: BTreeMap<String, BTreeSet<Option<Index>>>,
}

/// Where an expression stands: its module instance, and what `each` and `count` mean there.
#[derive(Clone, Copy)]
pub(super) struct Scope<'s, 'd, 'a> {
    pub module: &'s ModulePath,
    /// The key of the resource instance itself.
    pub key: Option<&'s Index>,
    /// The resource's own `for_each`.
    pub for_each: Option<&'a RawValue>,
    /// The module's body.
    pub body: &'d Module<'a>,
}

impl<'d, 'a> References<'d, 'a> {
    /// Over a configuration and the addresses of all instances: module, block name (`azurerm_subnet.this`), key.
    pub fn new(
        configuration: Option<&'d Configuration<'a>>,
        instances: impl Iterator<Item = (ModulePath, String, Option<Index>)>,
    ) -> Self {
        let mut by_block: BTreeMap<String, BTreeSet<Option<Index>>> = BTreeMap::new();
        let mut module_keys: BTreeMap<String, BTreeSet<Option<Index>>> = BTreeMap::new();
        for (module, block, key) in instances {
            for depth in 0..module.0.len() {
                let parent = ModulePath(module.0[..depth].to_vec()).prefix();
                let (name, key) = &module.0[depth];
                module_keys.entry(format!("{parent}module.{name}")).or_default().insert(key.clone());
            }
            by_block.entry(format!("{}{block}", module.prefix())).or_default().insert(key);
        }
        let root = configuration.and_then(|c| c.root_module.as_ref());
        let mut blocks = HashMap::new();
        let mut open: Vec<&'d Module<'a>> = root.into_iter().collect();
        while let Some(module) = open.pop() {
            for resource in &module.resources {
                blocks.entry((place_of(module), resource.address.as_ref())).or_insert(resource);
            }
            open.extend(module.module_calls.values().filter_map(|call| call.module.as_ref()));
        }
        Self { root, blocks, instances: by_block, module_keys }
    }

    /// The body of a module.
    pub fn module(&self, path: &ModulePath) -> Option<&'d Module<'a>> {
        path.0
            .iter()
            .try_fold(self.root?, |module, (name, _)| module.module_calls.get(name.as_str())?.module.as_ref())
    }

    /// The call of a module, and the body that it stands in.
    fn call(&self, path: &ModulePath) -> Option<(&'d ModuleCall<'a>, &'d Module<'a>, ModulePath)> {
        let (last, parents) = path.0.split_last()?;
        let parent = ModulePath(parents.to_vec());
        let body = self.module(&parent)?;
        Some((body.module_calls.get(last.0.as_str())?, body, parent))
    }

    /// The block of a resource.
    pub fn block(&self, module: &ModulePath, address: &str) -> Option<&'d ConfigurationResource<'a>> {
        self.blocks.get(&(place_of(self.module(module)?), address)).copied()
    }

    /// What an expression (an object with `references`, or nested ones) refers to. `None` when some of it cannot be
    /// followed (a local, a function of something else): then the answer would not be complete.
    pub fn targets(&self, expression: &Expression, scope: Scope<'_, 'd, 'a>) -> Option<BTreeSet<Target>> {
        let mut found = BTreeSet::new();
        self.follow_expression(expression, scope, &[], &mut found, 0)?;
        (found.len() <= MAXIMUM_TARGETS).then_some(found)
    }

    fn follow_expression(
        &self,
        expression: &Expression,
        scope: Scope<'_, 'd, 'a>,
        rest: &[Segment],
        found: &mut BTreeSet<Target>,
        depth: usize,
    ) -> Option<()> {
        if depth > MAXIMUM_DEPTH || found.len() > MAXIMUM_TARGETS {
            return None;
        }
        if let Expression::References(references) = expression {
            let texts: Vec<&str> = references.iter().map(|text| text.as_ref()).collect();
            return self.follow_texts(&texts, scope, rest, found, depth);
        }
        expression.inside().try_for_each(|inner| self.follow_expression(inner, scope, rest, found, depth + 1))
    }

    /// Follows the references of one expression: each most specific text, without the prefixes that follow it.
    fn follow_texts(
        &self,
        texts: &[&str],
        scope: Scope<'_, 'd, 'a>,
        rest: &[Segment],
        found: &mut BTreeSet<Target>,
        depth: usize,
    ) -> Option<()> {
        let mut previous = "";
        let by_key = texts.iter().any(|text| text.starts_with("each.") || text.starts_with("count."));
        for text in texts {
            let is_prefix = previous.starts_with(text) && previous[text.len()..].starts_with(['.', '[']);
            if is_prefix {
                continue;
            }
            previous = text;
            let mut parts = segments(text);
            // What remains of the way leads into an object or a map that was made of texts such as ids.
            if !ends_at_a_text(&parts) {
                parts.extend(rest.iter().cloned());
            }
            self.follow(&parts, scope, by_key, found, depth + 1)?;
        }
        Some(())
    }

    fn follow(
        &self,
        parts: &[Segment],
        scope: Scope<'_, 'd, 'a>,
        by_key: bool,
        found: &mut BTreeSet<Target>,
        depth: usize,
    ) -> Option<()> {
        let [first, second, ..] = parts else { return Some(()) };
        match first.name.as_str() {
            "each" if second.name == "value" => {
                let expression = Expression::parse(scope.for_each?)?;
                let mut rest = parts[2..].to_vec();
                rest.extend(key_segment(scope.key));
                self.follow_expression(&expression, scope, &rest, found, depth)
            }
            "each" | "count" | "path" | "terraform" | "self" => Some(()),
            "local" => None,
            "var" => {
                let (call, body, parent) = self.call(scope.module)?;
                let arguments = Expression::parse(call.expressions?)?;
                let argument = arguments.get(&second.name)?;
                let key = scope.module.0.last().and_then(|(_, key)| key.as_ref());
                let outer = Scope { module: &parent, key, for_each: call.for_each_expression, body };
                self.follow_expression(argument, outer, &with_keys(second, &parts[2..]), found, depth)
            }
            "module" => {
                let call = scope.body.module_calls.get(second.name.as_str())?;
                let body = call.module.as_ref()?;
                let output = parts.get(2)?;
                let expression = Expression::parse(body.outputs.get(output.name.as_str())?.expression?)?;
                let key = self.module_key(scope, second, by_key)?;
                let mut path = scope.module.clone();
                path.0.push((second.name.clone(), key));
                let inner = Scope { module: &path, key: None, for_each: None, body };
                self.follow_expression(&expression, inner, &with_keys(output, &parts[3..]), found, depth)
            }
            _ => self.resource(parts, scope, by_key, found),
        }
    }

    /// Which instance of a module a reference means.
    fn module_key(&self, scope: Scope<'_, 'd, 'a>, call: &Segment, by_key: bool) -> Option<Option<Index>> {
        if let Some(key) = call.keys.first() {
            return Some(Some(key.clone()));
        }
        let keys = self.module_keys.get(&format!("{}module.{}", scope.module.prefix(), call.name))?;
        if keys.len() == 1 {
            return keys.first().cloned();
        }
        let own = scope.key.cloned();
        (by_key && own.is_some() && keys.contains(&own)).then_some(own)
    }

    /// A reference that names a resource: which instance, and what of it.
    fn resource(
        &self,
        parts: &[Segment],
        scope: Scope<'_, 'd, 'a>,
        by_key: bool,
        found: &mut BTreeSet<Target>,
    ) -> Option<()> {
        let words = if parts.first()?.name == "data" { 3 } else { 2 };
        let name = parts.get(..words)?;
        let block: Vec<&str> = name.iter().map(|part| part.name.as_str()).collect();
        let block = format!("{}{}", scope.module.prefix(), block.join("."));
        let keys = self.instances.get(&block)?;
        let path: Vec<String> =
            parts[words..].iter().map(|part| part.name.clone()).filter(|n| !n.is_empty()).collect();
        // A key may stand at the resource, or (from a map that an output makes) further on.
        let given = parts[words - 1..].iter().flat_map(|part| &part.keys);
        let exact = if keys.len() == 1 {
            keys.first().cloned()
        } else {
            given.map(|key| Some(key.clone())).find(|key| keys.contains(key)).or_else(|| {
                Some(scope.key.cloned()).filter(|own| by_key && own.is_some() && keys.contains(own))
            })
        };
        match exact {
            Some(key) => {
                let address = format!("{block}{}", key.map(|key| key.to_string()).unwrap_or_default());
                found.insert(Target { address, exact: true, path });
            }
            None => {
                found.insert(Target { address: block, exact: false, path });
            }
        }
        Some(())
    }

    /// The addresses (without the resource's own key) of the resources that a block waits for.
    pub fn dependencies(
        &self,
        module: &ModulePath,
        block: &ConfigurationResource<'a>,
        expressions: Option<&Expression>,
    ) -> Vec<ecow::EcoString> {
        let mut found = BTreeSet::new();
        let Some(body) = self.module(module) else { return Vec::new() };
        let scope = Scope { module, key: None, for_each: block.for_each_expression, body };
        if let Some(expressions) = expressions {
            self.collect(expressions, scope, &mut found, 0);
        }
        for expression in [block.for_each_expression, block.count_expression].into_iter().flatten() {
            if let Some(expression) = Expression::parse(expression) {
                self.collect(&expression, scope, &mut found, 0);
            }
        }
        for text in &block.depends_on {
            self.depends_on(text, scope, &mut found);
        }
        // A module that waits for something makes everything in it wait.
        for depth in 0..module.0.len() {
            let path = ModulePath(module.0[..=depth].to_vec());
            if let Some((call, body, parent)) = self.call(&path) {
                let outer = Scope { module: &parent, key: None, for_each: None, body };
                for text in &call.depends_on {
                    self.depends_on(text, outer, &mut found);
                }
            }
        }
        found.into_iter().map(ecow::EcoString::from).collect()
    }

    /// Like [`References::targets`], but takes what it finds and goes on where something cannot be followed.
    fn collect(
        &self,
        expression: &Expression,
        scope: Scope<'_, 'd, 'a>,
        found: &mut BTreeSet<String>,
        depth: usize,
    ) {
        if depth > MAXIMUM_DEPTH {
            return;
        }
        if let Expression::References(references) = expression {
            let mut targets = BTreeSet::new();
            for text in references {
                // Each alone, so that one that cannot be followed does not hide the others.
                let _ = self.follow_texts(&[text.as_ref()], scope, &[], &mut targets, depth);
            }
            found.extend(targets.into_iter().map(|target| target.address));
        }
        expression.inside().for_each(|inner| self.collect(inner, scope, found, depth + 1));
    }

    fn depends_on(&self, text: &str, scope: Scope<'_, 'd, 'a>, found: &mut BTreeSet<String>) {
        let prefix = scope.module.prefix();
        match text.strip_prefix("module.") {
            None => {
                found.insert(format!("{prefix}{text}"));
            }
            Some(name) => {
                // The whole module: every resource in it, of every instance.
                let start = format!("{prefix}module.{name}");
                let inside = self.instances.keys().filter(|block| {
                    block.strip_prefix(&start).is_some_and(|rest| rest.starts_with(['.', '[']))
                });
                found.extend(inside.cloned());
            }
        }
    }
}

/// Where a module's body lies in memory.
fn place_of(module: &Module) -> usize {
    std::ptr::from_ref(module).addr()
}

/// Whether a reference leads to an attribute of a resource that is a text, which nothing is a part of.
fn ends_at_a_text(parts: &[Segment]) -> bool {
    let words = match parts.first().map(|first| first.name.as_str()) {
        None | Some("each" | "count" | "path" | "terraform" | "self" | "local" | "var" | "module") => {
            return false;
        }
        Some("data") => 3,
        Some(_) => 2,
    };
    parts.get(words..).and_then(<[Segment]>::last).is_some_and(|last| {
        let is =
            |text: &str| last.name == text || last.name.strip_suffix(text).is_some_and(|n| n.ends_with('_'));
        is("id") || is("name")
    })
}

/// The remaining steps, led by the keys of the name before them.
fn with_keys(name: &Segment, rest: &[Segment]) -> Vec<Segment> {
    let mut steps = Vec::new();
    if !name.keys.is_empty() {
        steps.push(Segment { name: String::new(), keys: name.keys.clone() });
    }
    steps.extend(rest.iter().cloned());
    steps
}

fn key_segment(key: Option<&Index>) -> Option<Segment> {
    key.map(|key| Segment { name: String::new(), keys: vec![key.clone()] })
}
