//! One expression, evaluated where a root module stands, and its answer as JSON.

use std::path::Path;
use std::sync::Arc;

use serde_json::json;

use super::configuration::sandbox_of;
use super::evaluator::{Evaluator, Node};
use super::load::ModuleStore;
use super::module::Module;
use super::scope::Scope;
use super::syntax::parse_expression;
use super::variables::{Inputs, Options};
use crate::resource::Diagnostic;
use crate::source::SourceMap;
use crate::value::{TemplatePart, Value, ValueKind};

/// Evaluates an expression: with a folder, inside its root module; without one, with functions and literals only.
///
/// # Errors
/// The first thing that is wrong with the expression.
pub fn evaluate_expression(
    dir: Option<&Path>,
    text: &str,
    options: &Options,
    sources: &SourceMap,
) -> Result<Value, Diagnostic> {
    let file = sources.add(Path::new("<expression>"), text);
    let expression = parse_expression(text, file.id(), 0)?;
    let root_dir = dir.unwrap_or(Path::new(".")).to_path_buf();
    let store = match dir {
        Some(dir) => ModuleStore::load(&[dir.to_path_buf()], sources),
        None => ModuleStore::default(),
    };
    let mut diagnostics = Vec::new();
    let inputs = match dir {
        Some(dir) => Inputs::collect(dir, options, sources, &mut diagnostics),
        None => Inputs::default(),
    };
    let module = store
        .module(&root_dir)
        .cloned()
        .unwrap_or_else(|| Arc::new(Module { dir: root_dir.clone(), ..Module::default() }));
    let evaluator = Evaluator::new(
        sources,
        &store,
        &inputs,
        sandbox_of(&store, &[], &root_dir),
        &options.workspace,
        0,
        &root_dir,
    );
    let node = Node::new(module, "".into(), "".into(), None);
    let (value, reports) = evaluator.attempt(|| {
        let value = evaluator.evaluate(&expression, &Scope::of_node(&node));
        evaluator.with_resources_as_objects(value)
    });
    match reports.into_iter().next() {
        Some(report) => Err(report),
        None => Ok(value),
    }
}

/// An answer as one JSON object: `{"value": …}`; `{"unknown": "why"}`; `{"error": "what"}`; `{"sensitive": true}` for
/// what must not be shown. Unknown parts of a value are null in it, and `"unknown_parts"` says where and why.
pub fn answer_json(answer: &Result<Value, Diagnostic>) -> serde_json::Value {
    let value = match answer {
        Ok(value) => value,
        Err(problem) => return json!({ "error": problem.message }),
    };
    if value.sensitive {
        return json!({ "sensitive": true });
    }
    if let ValueKind::Unknown(_) | ValueKind::Reference(_) | ValueKind::Template(_) = value.kind {
        let why = value.first_unknown().map(|unknown| unknown.cause.to_string());
        return json!({ "unknown": why });
    }
    let mut unknown = serde_json::Map::new();
    let shown = to_json(value, "", &mut unknown, 0);
    if unknown.is_empty() {
        json!({ "value": shown })
    } else {
        json!({ "value": shown, "unknown_parts": unknown })
    }
}

fn to_json(
    value: &Value,
    path: &str,
    unknown: &mut serde_json::Map<String, serde_json::Value>,
    depth: usize,
) -> serde_json::Value {
    const MAX_DEPTH: usize = 500;
    if depth > MAX_DEPTH {
        return serde_json::Value::Null;
    }
    if value.sensitive {
        unknown.insert(path.to_string(), "sensitive".into());
        return serde_json::Value::Null;
    }
    if value.repeated {
        unknown.insert(path.to_string(), "stands for zero or more".into());
    }
    match &value.kind {
        ValueKind::Null => serde_json::Value::Null,
        ValueKind::Bool(value) => json!(value),
        ValueKind::Number(number) => match number.as_i64() {
            Some(number) => json!(number),
            None => json!(number.as_f64()),
        },
        ValueKind::String(text) => json!(text.as_str()),
        ValueKind::Sequence(sequence) => {
            let items = sequence.items.iter().enumerate();
            items.map(|(index, item)| to_json(item, &format!("{path}/{index}"), unknown, depth + 1)).collect()
        }
        ValueKind::Mapping(mapping) => {
            let mut entries: Vec<_> = mapping.entries.iter().collect();
            entries.sort_by(|a, b| a.0.as_bytes().cmp(b.0.as_bytes()));
            let mut object = serde_json::Map::new();
            for (name, entry) in entries {
                let inner = format!("{path}/{}", name.as_str().replace('~', "~0").replace('/', "~1"));
                object.insert(name.to_string(), to_json(&entry.value, &inner, unknown, depth + 1));
            }
            if let Some(rest) = &mapping.rest {
                unknown.insert(format!("{path}/*"), rest.cause.to_string().into());
            }
            serde_json::Value::Object(object)
        }
        ValueKind::Template(parts) => {
            let why = value.first_unknown().map(|unknown| unknown.cause.to_string());
            let known: String = parts
                .iter()
                .map(|part| match part {
                    TemplatePart::Literal(text) => text.as_str(),
                    TemplatePart::Value(_) => "…",
                })
                .collect();
            unknown.insert(path.to_string(), format!("\"{known}\": {}", why.unwrap_or_default()).into());
            serde_json::Value::Null
        }
        ValueKind::Reference(_) | ValueKind::Unknown(_) => {
            let why = value.first_unknown().map(|unknown| unknown.cause.to_string());
            unknown.insert(path.to_string(), why.into());
            serde_json::Value::Null
        }
    }
}
