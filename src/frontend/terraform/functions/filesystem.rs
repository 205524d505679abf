//! Functions on files. They read only what the sandbox allows.

use std::path::{Component, Path, PathBuf};

use globset::GlobBuilder;

use super::arguments::{Call, Function, any, normalized, string};
use super::{MAX_ELEMENTS, MAX_TEXT};
use crate::frontend::Sandbox;
use crate::source::Span;
use crate::value::{Cause, SequenceKind, Value, ValueKind};

pub(super) const FUNCTIONS: &[Function] = &[
    Function::strict("abspath", &[string("path")], |call| {
        let path = clean(&absolute(call, call.text(0)?));
        Ok(call.string(with_slashes(&path)))
    }),
    Function::strict("basename", &[string("path")], |call| Ok(call.string(basename(call.text(0)?)))),
    Function::strict("dirname", &[string("path")], |call| Ok(call.string(dirname(call.text(0)?)))),
    Function::strict("file", &[string("path")], file),
    Function::strict("filebase64", &[string("path")], |call| {
        use base64::Engine;
        with_bytes(call, |bytes| base64::engine::general_purpose::STANDARD.encode(bytes))
    }),
    Function::strict("fileexists", &[string("path")], fileexists),
    Function::strict("fileset", &[string("path"), string("pattern")], fileset),
    Function::strict("pathexpand", &[string("path")], |call| {
        // A home directory is this machine's affair.
        let path = call.text(0)?;
        Ok(if path == "~" || path.starts_with("~/") { call.impure() } else { call.string_from(0, path) })
    }),
    Function::partial("templatefile", &[string("path"), any("vars")], templatefile),
    Function::partial("templatestring", &[string("template"), any("vars")], templatestring),
];

/// What came of a path.
pub(super) enum Found {
    /// A regular file of bearable size, in its canonical form.
    File(PathBuf),
    /// It cannot be told what is there.
    Unknown(Value),
}

fn absolute(call: &Call, path: &str) -> PathBuf {
    let root = call.context.root_directory;
    let root = if root.as_os_str().is_empty() { Path::new(".") } else { root };
    let joined = root.join(path);
    std::path::absolute(&joined).unwrap_or(joined)
}

/// Without `.` and `..`, by the names alone.
fn clean(path: &Path) -> PathBuf {
    let mut cleaned = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => match cleaned.components().next_back() {
                Some(Component::Normal(_)) => {
                    cleaned.pop();
                }
                Some(Component::RootDir | Component::Prefix(_)) => {}
                _ => cleaned.push(".."),
            },
            other => cleaned.push(other),
        }
    }
    cleaned
}

fn with_slashes(path: &Path) -> String {
    path.to_string_lossy().replace('\\', "/")
}

/// Finds a file that configuration names.
pub(super) fn find(call: &Call) -> Result<Found, String> {
    let shown = call.text(0)?;
    if shown == "~" || shown.starts_with("~/") {
        return Ok(Found::Unknown(outside(call, shown)));
    }
    let path = absolute(call, shown);
    let sandbox: &Sandbox = call.context.sandbox;
    let Some(real) = sandbox.resolve(&path) else {
        return if sandbox.covers(&clean(&path)) {
            Err(format!(
                "no file exists at \"{shown}\"; this function works only with files that are part of \
                         the configuration, so files made by resources cannot be used"
            ))
        } else {
            Ok(Found::Unknown(outside(call, shown)))
        };
    };
    let metadata =
        std::fs::metadata(&real).map_err(|problem| format!("cannot read \"{shown}\": {problem}"))?;
    if metadata.is_dir() {
        return Err(format!("\"{shown}\" is a directory, not a file"));
    }
    if !metadata.is_file() {
        return Err(format!("\"{shown}\" is not a regular file"));
    }
    if metadata.len() > MAX_TEXT as u64 {
        return Ok(Found::Unknown(call.too_large()));
    }
    Ok(Found::File(real))
}

fn outside(call: &Call, path: &str) -> Value {
    let what = format!("reading \"{path}\", which lies outside the folders given to Portolan,");
    Value::unknown(Cause::Unsupported(what.into()), call.span)
}

/// Computes a text from a file's bytes.
pub(super) fn with_bytes(call: &Call, compute: impl Fn(&[u8]) -> String) -> Result<Value, String> {
    match find(call)? {
        Found::Unknown(value) => Ok(value),
        Found::File(path) => match std::fs::read(&path) {
            Ok(bytes) => Ok(call.string(compute(&bytes))),
            Err(problem) => Err(format!("cannot read \"{}\": {problem}", call.text(0)?)),
        },
    }
}

fn file(call: &Call) -> Result<Value, String> {
    let path = match find(call)? {
        Found::Unknown(value) => return Ok(value),
        Found::File(path) => path,
    };
    let source = call.context.sources.load(&path).map_err(|problem| match problem.kind() {
        std::io::ErrorKind::InvalidData => format!(
            "contents of \"{}\" are not valid UTF-8; use the filebase64 function to obtain the Base64 \
             encoded contents or the other file functions to obtain file hashing results instead",
            call.text(0).unwrap_or_default()
        ),
        _ => format!("cannot read \"{}\": {problem}", call.text(0).unwrap_or_default()),
    })?;
    let text = source.text();
    // The text stands in the file: what is decoded from it can point there.
    Ok(Value::string(&*normalized(text), Span::new(source.id(), 0, text.len())))
}

fn fileexists(call: &Call) -> Result<Value, String> {
    let shown = call.text(0)?;
    let path = absolute(call, shown);
    let sandbox = call.context.sandbox;
    match sandbox.resolve(&path) {
        Some(real) if real.is_file() => Ok(call.bool(true)),
        Some(real) if real.is_dir() => Err(format!("\"{shown}\" is a directory, not a file")),
        Some(_) => Err(format!("\"{shown}\" is not a regular file")),
        None if sandbox.covers(&clean(&path)) => Ok(call.bool(false)),
        None => Ok(outside(call, shown)),
    }
}

fn templatefile(call: &Call) -> Result<Value, String> {
    let path = call.argument(0)?;
    if path.as_str().is_none() {
        return Ok(call.unknown_from(path));
    }
    render(call, &file(call)?)
}

/// The template is a value here; Terraform also asks that it be a plain reference.
fn templatestring(call: &Call) -> Result<Value, String> {
    render(call, call.argument(0)?)
}

fn render(call: &Call, template: &Value) -> Result<Value, String> {
    let variables = call.argument(1)?;
    match (template.as_str(), &variables.kind) {
        (None, _) => Ok(call.unknown_from(template)),
        (_, ValueKind::Unknown(_) | ValueKind::Reference(_)) => Ok(call.unknown_from(variables)),
        (Some(text), ValueKind::Mapping(_)) => {
            Ok((call.context.render_template)(text, variables)?.at(call.span))
        }
        _ => Err("invalid vars value: must be a map".to_string()),
    }
}

fn fileset(call: &Call) -> Result<Value, String> {
    let (shown, pattern) = (call.text(0)?, call.text(1)?);
    let folder = absolute(call, shown);
    let sandbox = call.context.sandbox;
    let Some(real) = sandbox.resolve(&folder) else {
        // Nothing matches in a folder that is not there.
        return Ok(if sandbox.covers(&clean(&folder)) {
            call.sequence_of(SequenceKind::Set, Vec::new())
        } else {
            outside(call, shown)
        });
    };
    if pattern.split('/').any(|step| step == "..") {
        return Ok(call.unsupported("a pattern with \"..\""));
    }
    let pattern = pattern.strip_prefix("./").unwrap_or(pattern);
    let matcher = GlobBuilder::new(pattern)
        .literal_separator(true)
        .build()
        .map_err(|problem| format!("failed to glob pattern \"{pattern}\": {problem}"))?
        .compile_matcher();
    // A pattern without `**` reaches no deeper than it has steps.
    let depth = if pattern.contains("**") { usize::MAX } else { pattern.split('/').count() };
    let walk = ignore::WalkBuilder::new(&real)
        .standard_filters(false)
        .follow_links(false)
        .max_depth(Some(depth))
        .sort_by_file_name(|a, b| a.cmp(b))
        .build();
    let mut found = Vec::new();
    for (count, entry) in walk.filter_map(Result::ok).enumerate() {
        if count > MAX_ELEMENTS {
            return Ok(call.too_large());
        }
        let Ok(relative) = entry.path().strip_prefix(&real) else { continue };
        let name = with_slashes(relative);
        if matcher.is_match(&name) && sandbox.resolve(entry.path()).is_some_and(|file| file.is_file()) {
            found.push(normalized(&name).into_owned());
        }
    }
    found.sort();
    let items = found.into_iter().map(|name| call.string(name)).collect();
    Ok(call.sequence_of(SequenceKind::Set, items))
}

fn basename(path: &str) -> &str {
    let trimmed = path.trim_end_matches('/');
    match (path, trimmed) {
        ("", _) => ".",
        (_, "") => "/",
        _ => trimmed.rsplit('/').next().unwrap_or(trimmed),
    }
}

fn dirname(path: &str) -> String {
    let folder = match path.rfind('/') {
        Some(slash) => path.get(..=slash).unwrap_or(path),
        None => "",
    };
    let cleaned = with_slashes(&clean(Path::new(folder)));
    if cleaned.is_empty() { ".".to_string() } else { cleaned }
}
