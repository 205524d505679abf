//! The formats of CI services: their limits, paths relative to the repository, and what a hostile file could put into them.

use super::*;

/// Names that end a command, an element, a table or a code fence, and start something of their own.
const HOSTILE: &str = "x`\r\n::error::gone\n##vso[task.setvariable variable=a]b\n##[error]c\n```\n|</failure>]]><b>&\"'![i](https://e.org) @all %0A %AZP25 ,:;]\u{1b}[2J\u{0}\u{202e}";

fn hostile() -> Run {
    let mut run = Run::new();
    let file = run.file("a,b:c%;]|`<x>\n::warning::y.tf", "name = 1\n");
    let site = run.span(file, "name");
    let resource = run.resource(HOSTILE, "azurerm_oddity", site);
    for severity in [Severity::Error, Severity::Warning, Severity::Note] {
        run.outcome.findings.push(
            Finding::new(OVERLAP.name, severity, format!("named `{HOSTILE}`"), at(resource, site))
                .related(HOSTILE, at(resource, Span::NOWHERE))
                .witness(HOSTILE)
                .advice(HOSTILE),
        );
    }
    let undecided = Undecided {
        rule: OVERLAP.name,
        place: at(resource, site),
        because: unknown(Cause::Lookup(HOSTILE.into())),
    };
    run.outcome.undecided.push(undecided);
    run.configuration.diagnostics =
        vec![Diagnostic::error("syntax", HOSTILE, site), Diagnostic::warning("unsupported", HOSTILE, site)];
    run
}

#[test]
fn names_cannot_start_workflow_commands() {
    let text = hostile().show("github");
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 5, "{text}");
    for line in lines {
        let (command, _) = line[2..].split_once("::").expect("a command");
        let (level, properties) = command.split_once(' ').expect("properties");
        assert!(["error", "warning", "notice"].contains(&level), "{line}");
        let file = properties.split(',').find_map(|property| property.strip_prefix("file=")).expect("a file");
        assert_eq!(file, "a%2Cb%3Ac%25;]|`<x>%0A%3A%3Awarning%3A%3Ay.tf");
        assert!(
            properties.ends_with("title=subnets-overlap")
                || properties.contains("title=syntax")
                || properties.contains("title=unsupported"),
            "{properties}"
        );
        assert!(line.contains("%250A") && !line.contains('\u{1b}'), "{line}");
    }
}

#[test]
fn names_cannot_start_logging_commands() {
    let text = hostile().show("azure");
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 6, "{text}");
    for line in &lines[..4] {
        let (properties, data) = line
            .strip_prefix("##vso[task.logissue ")
            .and_then(|rest| rest.split_once(']'))
            .expect("a command");
        assert!(properties.contains("sourcepath=a,b:c%AZP25%3B%5D|`<x>%0A::warning::y.tf;"), "{properties}");
        assert!(data.contains("%AZP250A"), "{data}");
    }
    for line in &lines[4..] {
        assert!(!line.contains("##"), "{line}");
    }
}

#[test]
fn names_cannot_leave_their_place_in_xml() {
    let text = hostile().show("junit");
    assert!(text.chars().all(|c| c == '\n' || !c.is_control()), "{text}");
    assert_eq!(text.matches("</failure>").count(), 2, "{text}");
    assert_eq!(text.matches("</error>").count(), 1, "{text}");
    assert!(!text.contains("<b>") && !text.contains("]]>"), "{text}");
    assert!(text.contains(r#"tests="4" failures="2" errors="1" skipped="0""#), "{text}");
}

#[test]
fn names_cannot_leave_their_place_in_markdown() {
    let text = hostile().show("markdown");
    assert!(text.chars().all(|c| c == '\n' || !c.is_control()), "{text}");
    let rows: Vec<&str> = text.lines().filter(|line| line.starts_with("| **")).collect();
    assert_eq!(rows.len(), 3, "{text}");
    for row in rows {
        let bars = row.char_indices().filter(|(at, c)| *c == '|' && !row[..*at].ends_with('\\')).count();
        assert_eq!(bars, 5, "{row}");
    }
    assert!(text.lines().all(|line| !line.starts_with("```")), "{text}");
}

#[test]
fn github_gets_as_many_annotations_as_it_shows() {
    let mut run = Run::new();
    let file = run.file("main.tf", "a = 1\nb = {\n}\n");
    let (line, lines) = (run.span(file, "a = 1"), run.span(file, "b = {\n}"));
    for (severity, count) in [(Severity::Note, 15), (Severity::Warning, 10), (Severity::Error, 13)] {
        for index in 0..count {
            let id = run.resource(&format!("{}.r{index}", severity.as_str()), "azurerm_x", line);
            let mut finding = Finding::new(OVERLAP.name, severity, "overlaps", at(id, lines));
            if index == 0 {
                finding.confidence = Confidence::Possible;
            }
            run.outcome.findings.push(finding);
        }
    }
    run.possible = true;
    for index in 0..5 {
        run.configuration.diagnostics.push(Diagnostic::error("syntax", format!("unread {index}"), line));
    }
    let text = run.show("github");
    let of = |level: &str| text.lines().filter(|line| line.starts_with(level)).collect::<Vec<_>>();
    let (errors, warnings, notices) = (of("::error "), of("::warning "), of("::notice "));
    assert_eq!((errors.len(), warnings.len(), notices.len()), (10, 10, 10), "{text}");
    assert!(errors[..3].iter().all(|line| line.contains("line=1,endLine=1,col=1,endColumn=6,")), "{text}");
    assert!(errors[3..].iter().all(|line| line.contains("file=main.tf,line=2,endLine=3,title=")), "{text}");
    assert!(errors.iter().all(|line| !line.contains("::Possibly")), "certain ones first: {text}");
    assert!(warnings[9].contains("::Possibly: overlaps."), "{text}");
    let last = text.lines().last().expect("a line");
    assert_eq!(
        last,
        "::notice title=portolan::8 more errors, 6 more notices not shown: GitHub shows 10 annotations of each level. In all: 13 errors, 10 warnings, 15 notes, 5 parts not read."
    );
}

#[test]
fn a_markdown_page_keeps_to_the_size_of_a_step_summary() {
    let mut run = Run::new();
    let file = run.file("main.tf", "a = 1\n");
    let site = run.span(file, "a = 1");
    for index in 0..4_000 {
        let id = run.resource(&format!("azurerm_subnet.s[{index}]"), "azurerm_oddity", site);
        let message = format!("`{}` overlaps", "|".repeat(3_000));
        run.outcome.findings.push(Finding::new(OVERLAP.name, Severity::Error, message, at(id, site)));
        let because = unknown(Cause::Lookup(format!("{index}{}", "&".repeat(3_000)).into()));
        run.outcome.undecided.push(Undecided { rule: OVERLAP.name, place: at(id, site), because });
        let note = Diagnostic::error("syntax", format!("{index}{}", "<".repeat(3_000)), site);
        run.configuration.diagnostics.push(note);
    }
    let text = run.show("markdown");
    assert!(text.len() < 1 << 20, "{}", text.len());
    assert!(text.contains("more findings not listed here."), "{}", &text[text.len() - 1000..]);
    assert!(text.contains("for other reasons"));
}

#[test]
fn paths_are_relative_to_the_repository() {
    let here = std::env::current_dir().expect("a working directory");
    let name = here.file_name().expect("a name").to_string_lossy().into_owned();
    let style = Style { repository: here.parent().map(Path::to_path_buf), ..Style::default() };
    let run = awkward_text();
    let path = format!("{name}/größe/😀 net.tf");
    for (format, expected) in [
        ("sarif", format!("\"uri\": \"{name}/gr%C3%B6%C3%9Fe/%F0%9F%98%80%20net.tf\"")),
        ("github", format!("file={path},line=2,endLine=2,col=35,endColumn=48,")),
        ("azure", format!("sourcepath={path};linenumber=2;columnnumber=35;")),
        ("gitlab", format!("\"path\": \"{path}\"")),
        ("junit", format!("file=\"{path}\" line=\"2\"")),
        ("markdown", format!("`{path}:2`")),
    ] {
        let text = run.show_with(format, style.clone());
        assert!(text.contains(&expected), "{format}: {text}");
    }
    assert!(run.show_with("concise", style).starts_with("größe/😀 net.tf:2:35: error[subnets-overlap]: "));
}

#[test]
fn a_clean_run_passes_in_every_format() {
    let mut run = Run::new();
    run.file("infra/main.tf", "\n");
    run.outcome.checks = 3;
    assert_eq!(run.show("github"), "");
    assert_eq!(run.show("concise"), "");
    assert_eq!(run.show("gitlab"), "[]\n");
    assert!(run.show("markdown").starts_with("## Portolan: nothing found\n"));
    assert!(run.show("azure").starts_with("Checked 0 resources: nothing found."));
    let junit = run.show("junit");
    assert!(
        junit.contains(r#"<testsuite name="infra" tests="1" failures="0" errors="0" skipped="0">"#),
        "{junit}"
    );
    assert!(junit.contains(r#"<testcase name="nothing found" classname="portolan"/>"#), "{junit}");
}
