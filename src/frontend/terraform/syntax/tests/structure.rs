//! Bodies, blocks, and whole files.

use super::render;
use super::*;

#[test]
fn blocks_and_attributes() {
    let text = "resource \"azurerm_subnet\" \"db\" {\n  name = \"db\"\n\n  delegation {\n    name = \"x\"\n  }\n}\nlocals {}\nbackend azurerm { a = 1 }\n";
    assert_eq!(
        render::body(&healthy(text)),
        "resource \"azurerm_subnet\" \"db\" { name = \"db\"; delegation { name = \"x\" } }; locals {  }; \
         backend \"azurerm\" { a = 1 }"
    );
}

#[test]
fn the_header_of_a_block_is_its_type_and_labels() {
    let text = "  resource \"a\"  \"b\" {\n    x = 1\n  }\n";
    let block = &healthy(text).blocks[0];
    let at = |span: crate::source::Span| &text[span.start as usize..span.end as usize];
    assert_eq!(at(block.header), "resource \"a\"  \"b\"");
    assert_eq!(at(block.labels[1].span), "\"b\"");
    assert_eq!(at(block.span), text.trim());
}

#[test]
fn line_ends_byte_order_marks_and_empty_files() {
    assert_eq!(render::body(&healthy("")), "");
    assert_eq!(render::body(&healthy("\u{feff}")), "");
    assert_eq!(render::body(&healthy("# only a comment")), "");
    assert_eq!(render::body(&healthy("a = 1")), "a = 1");
    assert_eq!(
        render::body(&healthy("locals {\r\n  a = 1 // x\r\n  b = [\r\n  ]\r\n}\r\n")),
        "locals { a = 1; b = [] }"
    );
    let text = "\u{feff}a = b\n";
    let span = healthy(text).attributes[0].value.span;
    assert_eq!(&text[span.start as usize..span.end as usize], "b");
}

#[test]
fn an_attribute_set_twice_is_refused_and_its_block_marked() {
    let text = "resource \"a\" \"b\" {\n  x = 1\n  x = 2\n}\nlocals {\n  y = 1\n}\n";
    let parsed = parse_hcl(&file(text));
    assert_eq!(render::body(&parsed.body), "~resource \"a\" \"b\" { x = 1; x = 2 }; locals { y = 1 }");
    assert_eq!(parsed.diagnostics.len(), 1);
    let second = text.find("x = 2").unwrap();
    assert_eq!(parsed.diagnostics[0].span.start as usize, second);
}

#[test]
fn the_messages_of_the_parser_are_known() {
    // The front recognizes these by their wording. If a new version of the parser words them differently, this fails.
    let message = |text: &str| hcl_edit::parser::parse_body(text).unwrap_err().message().to_string();
    assert!(message("a = 1\na = 2\n").contains("found redefined attribute"));
    assert!(message("a = { b = 1, b = 2 }\n").contains("found redefined object key"));
    assert!(
        message(&format!("a = {}1{}\n", "[".repeat(70), "]".repeat(70))).contains("at most 64 nested levels")
    );
    assert!(
        message(&format!("a = {}\n", vec!["b"; 200].join("+")))
            .contains("at most 128 chained binary operators")
    );
}
