/**
 * Bicep for editors: highlighting and folding. Portolan itself analyses files with its own parser.
 *
 * Newlines separate declarations, members and elements, so they are tokens of the scanner (src/scanner.c), which also
 * knows that `?`, `:` and `|` may begin a new line, and where strings of several lines end.
 */

/// <reference types="tree-sitter-cli/dsl" />
// @ts-check

const PREC = {
  conditional: 1,
  coalesce: 2,
  or: 3,
  and: 4,
  equality: 5,
  relational: 6,
  additive: 7,
  multiplicative: 8,
  unary: 9,
  member: 10,
};

const BINARY = [
  [PREC.coalesce, ['??']],
  [PREC.or, ['||']],
  [PREC.and, ['&&']],
  [PREC.equality, ['==', '!=', '=~', '!~']],
  [PREC.relational, ['<', '<=', '>', '>=']],
  [PREC.additive, ['+', '-']],
  [PREC.multiplicative, ['*', '/', '%']],
];

/** Elements separated by newlines or commas, between brackets. */
function elements($, open, element, close) {
  const separator = choice($._lines, seq(',', optional($._lines)));
  return seq(
    open,
    optional($._lines),
    optional(seq(element, repeat(seq(separator, element)), optional(separator))),
    close,
  );
}

/** Elements separated by commas, with newlines where one likes. */
function list($, element) {
  return seq(
    optional($._lines),
    optional(seq(element, repeat(seq(',', optional($._lines), element)), optional($._lines))),
  );
}

module.exports = grammar({
  name: 'bicep',

  externals: $ => [
    $._newline,
    $._question,
    $._colon,
    $._pipe,
    $._multiline_start,
    $._multiline_content,
    $._multiline_hole,
    $._multiline_end,
    $._error_sentinel,
  ],

  extras: $ => [/[ \t\uFEFF]/, $.comment, $.directive],

  word: $ => $.identifier,

  conflicts: $ => [[$._expression, $.lambda_parameters]],

  supertypes: $ => [$._statement, $._expression, $._type],

  rules: {
    source_file: $ =>
      seq(
        optional($._lines),
        optional(seq($._statement, repeat(seq($._lines, $._statement)), optional($._lines))),
      ),

    _lines: $ => repeat1($._newline),

    _statement: $ =>
      choice(
        $.target_scope,
        $.metadata_declaration,
        $.parameter_declaration,
        $.type_declaration,
        $.variable_declaration,
        $.function_declaration,
        $.resource_declaration,
        $.module_declaration,
        $.test_declaration,
        $.assert_declaration,
        $.output_declaration,
        $.import_declaration,
        $.extension_declaration,
        $.using_declaration,
        $.extends_declaration,
        $.extension_configuration,
      ),

    decorator: $ => prec.right(seq('@', sep1($.identifier, '.'), optional($.arguments))),
    _decorators: $ => prec.right(repeat1(seq($.decorator, optional($._lines)))),

    target_scope: $ => seq('targetScope', '=', field('value', $._expression)),

    metadata_declaration: $ =>
      seq(optional($._decorators), 'metadata', field('name', $.identifier), '=', field('value', $._expression)),

    parameter_declaration: $ =>
      seq(
        optional($._decorators),
        'param',
        field('name', $.identifier),
        choice(
          seq(field('type', $._declared_type), optional(seq('=', field('default', $._expression)))),
          // In a parameters file.
          seq('=', field('value', $._expression)),
        ),
      ),

    type_declaration: $ =>
      seq(optional($._decorators), 'type', field('name', $.identifier), '=', field('type', $._type)),

    variable_declaration: $ =>
      seq(
        optional($._decorators),
        'var',
        field('name', $.identifier),
        optional(field('type', $._type)),
        '=',
        field('value', $._expression),
      ),

    function_declaration: $ =>
      seq(
        optional($._decorators),
        'func',
        field('name', $.identifier),
        field('parameters', $.parameters),
        field('returns', $._type),
        '=>',
        optional($._lines),
        field('body', $._expression),
      ),
    parameters: $ => seq('(', list($, $.parameter), ')'),
    parameter: $ => seq(field('name', $.identifier), field('type', $._type)),

    resource_declaration: $ =>
      seq(
        optional($._decorators),
        'resource',
        field('name', $.identifier),
        field('type', $.string),
        optional('existing'),
        '=',
        field('body', choice(alias($.resource_object, $.object), $.resource_condition, $.resource_loop)),
      ),
    resource_object: $ => elements($, '{', choice($.property, $.spread, $.resource_declaration), '}'),
    resource_condition: $ =>
      seq(
        optional($._lines),
        'if',
        field('condition', $.parenthesized),
        field('body', alias($.resource_object, $.object)),
      ),
    resource_loop: $ =>
      seq(
        '[',
        optional($._lines),
        $._loop_header,
        field('body', choice(alias($.resource_object, $.object), $.resource_condition)),
        optional($._lines),
        ']',
      ),

    module_declaration: $ =>
      seq(optional($._decorators), 'module', field('name', $.identifier), field('path', $.string), '=', $._body),
    test_declaration: $ =>
      seq(optional($._decorators), 'test', field('name', $.identifier), field('path', $.string), '=', $._body),
    _body: $ => field('body', choice($.object, $.condition, $.loop)),
    condition: $ =>
      seq(optional($._lines), 'if', field('condition', $.parenthesized), field('body', $.object)),
    loop: $ =>
      seq(
        '[',
        optional($._lines),
        $._loop_header,
        field('body', choice($.object, $.condition)),
        optional($._lines),
        ']',
      ),
    _loop_header: $ =>
      seq(
        'for',
        choice(
          field('item', $.identifier),
          seq('(', field('item', $.identifier), ',', field('index', $.identifier), ')'),
        ),
        'in',
        field('collection', $._expression),
        choice(':', $._colon),
      ),

    assert_declaration: $ =>
      seq(optional($._decorators), 'assert', field('name', $.identifier), '=', field('value', $._expression)),

    output_declaration: $ =>
      seq(
        optional($._decorators),
        'output',
        field('name', $.identifier),
        field('type', $._declared_type),
        '=',
        field('value', $._expression),
      ),

    import_declaration: $ =>
      seq(
        optional($._decorators),
        'import',
        choice($.imported_symbols, seq('*', 'as', field('name', $.identifier))),
        'from',
        field('path', $.string),
      ),
    imported_symbols: $ => elements($, '{', $.imported_symbol, '}'),
    imported_symbol: $ =>
      seq(field('name', choice($.identifier, $.string)), optional(seq('as', field('alias', $.identifier)))),

    extension_declaration: $ =>
      seq(
        optional($._decorators),
        choice(
          seq('extension', field('specification', choice($.identifier, $.string))),
          seq('import', field('specification', $.string)),
        ),
        optional(seq('with', field('configuration', $.object))),
        optional(seq('as', field('alias', $.identifier))),
      ),

    using_declaration: $ =>
      seq('using', choice('none', field('path', $.string)), optional(seq('with', field('configuration', $.object)))),
    extends_declaration: $ => seq('extends', field('path', $.string)),
    extension_configuration: $ =>
      seq('extensionConfig', field('name', $.identifier), 'with', field('configuration', $.object)),

    // Expressions

    _expression: $ =>
      choice(
        $.identifier,
        $.number,
        $.boolean,
        $.null,
        $.string,
        $.array,
        $.object,
        $.for_expression,
        $.parenthesized,
        $.lambda,
        $.call,
        $.member_access,
        $.index_access,
        $.nested_resource,
        $.not_null,
        $.unary,
        $.binary,
        $.conditional,
      ),

    conditional: $ =>
      prec.right(
        PREC.conditional,
        seq(
          field('condition', $._expression),
          $._question,
          field('then', $._expression),
          choice(':', $._colon),
          field('otherwise', $._expression),
        ),
      ),

    binary: $ =>
      choice(
        ...BINARY.map(([precedence, operators]) =>
          prec.left(
            precedence,
            seq(
              field('left', $._expression),
              field('operator', operators.length > 1 ? choice(...operators) : operators[0]),
              field('right', $._expression),
            ),
          ),
        ),
      ),

    unary: $ =>
      prec(PREC.unary, seq(field('operator', choice('!', '-', '+')), field('operand', $._expression))),

    member_access: $ =>
      prec.left(
        PREC.member,
        seq(field('object', $._expression), choice('.', '.?'), field('property', $.identifier)),
      ),
    index_access: $ =>
      prec.left(
        PREC.member,
        seq(
          field('object', $._expression),
          '[',
          optional(choice('?', $._question)),
          optional('^'),
          field('index', $._expression),
          ']',
        ),
      ),
    nested_resource: $ =>
      prec.left(PREC.member, seq(field('object', $._expression), '::', field('name', $.identifier))),
    not_null: $ => prec.left(PREC.member, seq($._expression, '!')),
    call: $ =>
      prec.left(
        PREC.member,
        seq(
          field('function', choice($.identifier, $.member_access)),
          field('arguments', $.arguments),
        ),
      ),
    arguments: $ => seq('(', list($, $._expression), ')'),

    parenthesized: $ => seq('(', optional($._lines), $._expression, optional($._lines), ')'),

    lambda: $ =>
      prec.right(
        seq(
          field('parameters', choice(alias($.identifier, $.lambda_parameter), $.lambda_parameters)),
          '=>',
          optional($._lines),
          field('body', $._expression),
        ),
      ),
    lambda_parameters: $ => seq('(', list($, $.identifier), ')'),

    for_expression: $ =>
      seq('[', optional($._lines), $._loop_header, field('body', $._expression), optional($._lines), ']'),

    array: $ => elements($, '[', choice($._expression, $.spread), ']'),
    object: $ => elements($, '{', choice($.property, $.spread), '}'),
    property: $ =>
      seq(
        field('key', choice($.identifier, alias($._keyword_key, $.identifier), $.string)),
        choice(':', $._colon),
        field('value', $._expression),
      ),
    // The only keyword that may stand where a key stands.
    _keyword_key: _ => 'resource',
    spread: $ => seq('...', $._expression),

    // Types

    _declared_type: $ => choice($._type, $.resource_type),
    resource_type: $ => prec.right(seq('resource', optional($.string))),

    _type: $ =>
      choice(
        $.identifier,
        $.number,
        $.boolean,
        $.null,
        $.string,
        $.union_type,
        $.nullable_type,
        $.non_nullable_type,
        $.negated_type,
        $.array_type,
        $.type_member,
        $.generic_type,
        $.object_type,
        $.tuple_type,
        $.parenthesized_type,
      ),
    union_type: $ =>
      prec.left(1, choice(seq($._type, $._pipe, $._type), seq($._pipe, $._type))),
    nullable_type: $ => prec.left(3, seq($._type, choice('?', $._question))),
    non_nullable_type: $ => prec.left(3, seq($._type, '!')),
    negated_type: $ => prec(2, seq(choice('-', '!', '+'), $._type)),
    array_type: $ =>
      prec.left(4, seq($._type, '[', optional(choice('*', $.number)), ']')),
    type_member: $ => prec.left(4, seq($._type, '.', choice($.identifier, '*'))),
    generic_type: $ => prec.left(5, seq($._type, '<', list($, $._type), '>')),
    object_type: $ => elements($, '{', $.type_property, '}'),
    type_property: $ =>
      seq(
        optional($._decorators),
        field('key', choice($.identifier, $.string, '*')),
        choice(':', $._colon),
        field('type', $._type),
      ),
    tuple_type: $ => elements($, '[', $.tuple_item, ']'),
    tuple_item: $ => seq(optional($._decorators), $._type),
    parenthesized_type: $ => seq('(', optional($._lines), $._type, optional($._lines), ')'),

    // Tokens

    string: $ =>
      choice(
        seq("'", repeat(choice($.string_content, $.escape_sequence, $.interpolation)), token.immediate("'")),
        seq(
          $._multiline_start,
          repeat(choice(alias($._multiline_content, $.string_content), alias($.multiline_interpolation, $.interpolation))),
          $._multiline_end,
        ),
      ),
    string_content: _ => token.immediate(prec(1, /([^'\\$\r\n]|\$[^{'\\$\r\n])+|\$/)),
    escape_sequence: _ => token.immediate(prec(2, /\\(u\{[0-9A-Fa-f]+\}|[^\r\n])/)),
    interpolation: $ => seq(token.immediate(prec(3, '${')), $._expression, '}'),
    multiline_interpolation: $ => seq($._multiline_hole, $._expression, '}'),

    number: _ => /[0-9]+/,
    boolean: _ => choice('true', 'false'),
    null: _ => 'null',
    identifier: _ => /[A-Za-z_][A-Za-z0-9_]*/,

    comment: _ => token(choice(seq('//', /[^\r\n]*/), seq('/*', /[^*]*\*+([^/*][^*]*\*+)*/, '/'))),
    directive: _ => token(seq('#', /(disable-next-line|disable-diagnostics|restore-diagnostics)[^\r\n\/]*/)),
  },
});

/** One or more, with a separator. */
function sep1(rule, separator) {
  return seq(rule, repeat(seq(separator, rule)));
}
