//! Every fix that the rules' documents bring about: applied alone and together with the others.
//!
//! A fix must leave files that can be read, do away with its finding, bring no new one, and leave nothing to be done the
//! second time. `PORTOLAN_SHOW_FIXES=1` prints the differences, `PORTOLAN_SHOW_FIXES=table` what has fixes in which language.

#![allow(clippy::expect_used)]

#[allow(dead_code, reason = "the tests of documents use the rest of it")]
mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::{Arc, Mutex};

use libtest_mimic::{Arguments, Failed, Trial};
use portolan::analyzer::{self, Options};
use portolan::fix::{apply, unified};
use portolan::report::{Finding, Fix, Report};
use portolan::resource::Level;
use portolan::rules;
use portolan::source::SourceMap;
use support::runner::{inputs, lay_out, selected};
use support::suite::{Case, Suite};

/// Which rules were fixed in which languages, how often; and how often they were found without a fix.
type Seen = Arc<Mutex<BTreeMap<&'static str, BTreeMap<&'static str, (usize, usize)>>>>;

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/rules");
    let seen: Seen = Arc::default();
    let mut trials = Vec::new();
    for rule in rules::ALL {
        let path = folder.join(format!("{}.md", rule.name));
        let Ok(text) = std::fs::read_to_string(&path) else { continue };
        for case in Suite::parse(&text).expect("a document that can be read").cases {
            let seen = Arc::clone(&seen);
            let title = format!("{}: {}", rule.name, case.title);
            trials.push(Trial::test(title, move || check(rule.name, &case, &seen)));
        }
    }
    let whole = arguments.filter.is_none() && arguments.skip.is_empty() && !arguments.list;
    let conclusion = libtest_mimic::run(&arguments, trials);
    let seen = seen.lock().expect("no test panics with the lock");
    if std::env::var("PORTOLAN_SHOW_FIXES").is_ok_and(|wanted| wanted == "table") {
        for (rule, languages) in seen.iter() {
            println!("{rule}: {languages:?}");
        }
    }
    let unshown: Vec<&str> = rules::ALL
        .iter()
        .filter(|rule| rule.fix.is_some())
        .filter(|rule| {
            seen.get(rule.name).is_none_or(|languages| languages.values().all(|(fixed, _)| *fixed == 0))
        })
        .map(|rule| rule.name)
        .collect();
    if whole && !unshown.is_empty() {
        eprintln!("these rules say that they have a fix, and no case shows one: {}", unshown.join(", "));
        return ExitCode::FAILURE;
    }
    conclusion.exit_code()
}

fn check(own: &str, case: &Case, seen: &Seen) -> Result<(), Failed> {
    let rules = selected(own, case)?;
    let mut failures = String::new();
    for (language, files) in inputs(case) {
        let folder = tempfile::tempdir()?;
        let (root, paths) = lay_out(folder.path(), &files)?;
        let language = match language {
            "together" => files.iter().map(|file| file.path.as_str()).find_map(of_path).unwrap_or("together"),
            language => language,
        };
        let options = Options { paths, rules: rules.clone(), ..Options::default() };
        if let Err(text) = check_input(&root, &options, language, seen) {
            let _ = writeln!(failures, "line {}, {language}: {text}", case.line);
        }
    }
    if failures.is_empty() { Ok(()) } else { Err(failures.into()) }
}

fn of_path(path: &str) -> Option<&'static str> {
    let plan = path.ends_with("plan.json");
    match path.rsplit('.').next() {
        Some("tf") => Some("terraform"),
        Some("bicep") => Some("bicep"),
        Some("json") if plan => Some("plan"),
        Some("json") => Some("arm"),
        _ => None,
    }
}

fn check_input(root: &Path, options: &Options, language: &'static str, seen: &Seen) -> Result<(), String> {
    let before = analyzer::check(&SourceMap::new(), options);
    let mut tried: Vec<&Fix> = Vec::new();
    for finding in &before.findings {
        {
            let mut seen = seen.lock().expect("no test panics with the lock");
            let counts = seen.entry(finding.rule).or_default().entry(language).or_default();
            if finding.fix.is_some() { counts.0 += 1 } else { counts.1 += 1 }
        }
        let Some(fix) = &finding.fix else { continue };
        let claimed = rules::find(finding.rule).is_some_and(|rule| rule.fix.is_some());
        if !claimed {
            return Err(format!("[{}] offers a fix and does not say so", finding.rule));
        }
        if tried.iter().any(|other| other.edits == fix.edits) {
            continue;
        }
        tried.push(fix);
        alone(root, options, &before, finding, fix)?;
    }
    if tried.is_empty() {
        return Ok(());
    }
    let fixing = analyzer::find_fixes(options, &|_| {});
    let left: Vec<&str> =
        fixing.report.findings.iter().filter(|finding| finding.fix.is_some()).map(|f| f.rule).collect();
    if !left.is_empty() {
        return Err(format!("still to be fixed after all rounds: {left:?}"));
    }
    portolan::fix::save(&fixing.files).map_err(|(path, problem)| format!("{path}: {problem}"))?;
    let again = analyzer::find_fixes(options, &|_| {});
    if !again.files.is_empty() || !again.fixed.is_empty() {
        return Err(format!("the second time there is more to do: {:?}", again.fixed));
    }
    if keys(&again.report) != keys(&fixing.report) {
        return Err("what is on disk is not what was checked".into());
    }
    Ok(())
}

/// One fix without the others.
fn alone(
    root: &Path,
    options: &Options,
    before: &Report,
    finding: &Finding,
    fix: &Fix,
) -> Result<(), String> {
    let mut texts: BTreeMap<PathBuf, (Arc<str>, Vec<_>)> = BTreeMap::new();
    for edit in &fix.edits {
        let file = &edit.location.file;
        let entry =
            texts.entry(file.path().to_path_buf()).or_insert_with(|| (Arc::clone(file.text()), Vec::new()));
        entry.1.push((edit.location.span, edit.text.as_str()));
    }
    let sources = SourceMap::new();
    let mut difference = String::new();
    for (path, (text, edits)) in texts {
        let new = apply(&text, edits.iter().copied());
        // Everything outside of the edits is as it was.
        let mut at = 0;
        let mut rest = new.as_str();
        for (span, inserted) in &edits {
            let kept = &text[at..span.start as usize];
            rest = rest
                .strip_prefix(kept)
                .and_then(|rest| rest.strip_prefix(inserted))
                .ok_or_else(|| "bytes outside of an edit have changed".to_string())?;
            at = span.end as usize;
        }
        if rest != &text[at..] {
            return Err("bytes behind the last edit have changed".into());
        }
        let shown = path.strip_prefix(root).unwrap_or(&path).to_string_lossy().into_owned();
        difference.push_str(&unified(&shown, &text, &new, &|_| false));
        sources.add(&path, new);
    }
    if std::env::var("PORTOLAN_SHOW_FIXES").is_ok_and(|wanted| wanted == "1") {
        println!("[{}] {}\n{difference}", finding.rule, fix.title);
    }
    let after = analyzer::check(&sources, options);
    let problem = |text: String| format!("[{}] {}: {text}\n{difference}", finding.rule, fix.title);
    let unread = |report: &Report| -> Vec<String> {
        let errors = report.notes.iter().filter(|note| note.level == Level::Error);
        errors.map(|note| note.message.clone()).collect()
    };
    if unread(&after).len() > unread(before).len() {
        return Err(problem(format!("cannot be read afterwards: {:?}", unread(&after))));
    }
    let (old, new) = (keys(before), keys(&after));
    let key = key(finding);
    if new.get(&key).copied().unwrap_or(0) >= old.get(&key).copied().unwrap_or(0) {
        return Err(problem("the finding is still there".into()));
    }
    let come: BTreeSet<_> =
        new.iter().filter(|(key, count)| old.get(*key).is_none_or(|had| had < count)).collect();
    if !come.is_empty() {
        return Err(problem(format!("new findings: {come:?}")));
    }
    Ok(())
}

type Key = (&'static str, String, Option<String>);

fn key(finding: &Finding) -> Key {
    (finding.rule, finding.place.resource.clone(), finding.place.resource_id.clone())
}

fn keys(report: &Report) -> BTreeMap<Key, usize> {
    let mut keys = BTreeMap::new();
    for finding in &report.findings {
        *keys.entry(key(finding)).or_default() += 1;
    }
    keys
}
