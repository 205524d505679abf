//! Damaged files: one error costs one block at most, and is reported where it is.

use super::render;
use super::*;

const FIRST: &str =
    "resource \"azurerm_subnet\" \"one\" {\n  name = \"one\"\n  prefixes = [\"10.0.0.0/24\"]\n}\n";
const LAST: &str = "\nlocals {\n  last = true\n}\n";

/// Reads a damaged block between two healthy ones; returns the tree without those, and the lines of the diagnostics.
#[track_caller]
fn between(damaged: &str) -> (String, Vec<u32>) {
    let text = format!("{FIRST}{damaged}{LAST}");
    let file = file(&text);
    let parsed = parse_hcl(&file);
    let tree = render::body(&parsed.body);
    let first = "resource \"azurerm_subnet\" \"one\" { name = \"one\"; prefixes = [\"10.0.0.0/24\"] }";
    let rest = tree.strip_prefix(first).unwrap_or_else(|| panic!("the first block is not as it was: {tree}"));
    let rest = rest.strip_suffix("; locals { last = true }");
    let rest = rest.unwrap_or_else(|| panic!("the last block is not as it was: {tree}"));
    let lines = parsed
        .diagnostics
        .iter()
        .map(|diagnostic| {
            assert_eq!(diagnostic.level, crate::resource::Level::Error);
            let slice = file.slice(diagnostic.span);
            assert!(!slice.contains('\n'), "{slice:?} is longer than a line");
            file.lines().position(&text, diagnostic.span.start as usize).line - FIRST.lines().count() as u32
        })
        .collect();
    (rest.trim_start_matches("; ").to_string(), lines)
}

#[test]
fn a_missing_closing_brace() {
    let (tree, lines) = between("resource \"a\" \"b\" {\n  x = 1\n  inner {\n    y = 2\n  }\n");
    assert_eq!(tree, "~resource \"a\" \"b\" { x = 1; ~inner { y = 2 } }");
    assert_eq!(lines, [1]);
}

#[test]
fn a_missing_opening_brace() {
    let (tree, lines) = between("resource \"a\" \"b\"\n  x = 1\n}\n");
    assert_eq!(tree, "~resource \"a\" \"b\" { x = 1 }");
    assert_eq!(lines, [1]);
}

#[test]
fn a_stray_closing_brace() {
    let (tree, lines) = between("resource \"a\" \"b\" {\n  x = 1\n}\n}\n");
    assert_eq!(tree, "~resource \"a\" \"b\" { x = 1 }");
    assert_eq!(lines, [4]);
}

#[test]
fn a_missing_quote_in_a_value() {
    let (tree, lines) = between("resource \"a\" \"b\" {\n  x = \"one\n  y = \"two\"\n  z = 3\n}\n");
    assert_eq!(tree, "~resource \"a\" \"b\" { x = \"one\"; y = \"two\"; z = 3 }");
    assert_eq!(lines, [2]);
}

#[test]
fn a_missing_quote_in_a_label() {
    let (tree, lines) = between("resource \"a\" \"b {\n  x = 1\n}\n");
    assert_eq!(tree, "~resource \"a\" \"b\" { x = 1 }");
    assert_eq!(lines, [1]);
}

#[test]
fn a_value_that_is_being_typed() {
    for typed in
        ["subnet_id = ", "subnet_id = azurerm_subnet.", "subnet_id =", "dynamic \"sub", "x = ${", "y"]
    {
        let (tree, lines) = between(&format!("resource \"a\" \"b\" {{\n  {typed}\n  x = 1\n}}\n"));
        assert!(tree.contains("x = 1"), "{typed}: {tree}");
        assert!(tree.starts_with("~resource \"a\" \"b\" "), "{typed}: {tree}");
        assert_eq!(lines.first(), Some(&2), "{typed}");
    }
}

#[test]
fn a_heredoc_without_end() {
    let (tree, lines) = between("resource \"a\" \"b\" {\n  x = <<EOT\n  y = 1\n}\n");
    assert_eq!(tree, "~resource \"a\" \"b\" { y = 1 }");
    assert_eq!(lines, [2]);
}

#[test]
fn text_in_heredocs_and_comments_divides_nothing() {
    let (tree, _) = between(
        "resource \"a\" \"b\" {\n  x = <<EOT\nlocals {\n}\nEOT\n/*\nresource \"no\" {\n*/\n  y = \n}\n",
    );
    assert_eq!(tree, "~resource \"a\" \"b\" { x = \"locals {\\n}\\n\" }");
}

#[test]
fn several_errors_in_one_block() {
    let (tree, lines) =
        between("resource \"a\" \"b\" {\n  v = \n  w = 1\n  x = )\n  y = 2\n  z = [\"a\" \"b\"]\n}\n");
    assert_eq!(tree, "~resource \"a\" \"b\" { w = 1; y = 2 }");
    assert_eq!(lines, [2, 4, 6]);
}

#[test]
fn a_block_beyond_repair_is_still_known() {
    let rubbish: String = (0..40).map(|n| format!("  ) {n} (\n")).collect();
    let (tree, lines) = between(&format!("resource \"a\" \"b\" {{\n{rubbish}}}\n"));
    assert_eq!(tree, "~resource \"a\" \"b\" {  }");
    assert_eq!(lines.first(), Some(&2));
}

#[test]
fn numbers_that_are_none_leave_the_rest_of_the_block_alone() {
    let (tree, lines) = between("resource \"a\" \"b\" {\n  x = [10.0.0.0/8]\n  y = 1\n}\n");
    assert_eq!(tree, "resource \"a\" \"b\" { x = [(/ INVALID 8)]; y = 1 }");
    assert_eq!(lines, [2]);
}

#[test]
fn a_file_of_one_damaged_line() {
    for text in [
        "{",
        "}",
        "\"",
        "a",
        "a {",
        "resource",
        "<<EOT",
        "a = <<EOT\n",
        "${",
        "é",
        "\u{feff}\u{feff}",
        "\0",
        "a = \"\\",
    ] {
        let parsed = parse_hcl(&file(text));
        assert!(!parsed.diagnostics.is_empty(), "{text:?}");
    }
}
