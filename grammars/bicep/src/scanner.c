// What the grammar cannot say: newlines, operators that may begin a line, and strings of several lines.

#include "tree_sitter/parser.h"

#include <stdlib.h>

enum TokenType {
  NEWLINE,
  QUESTION,
  COLON,
  PIPE,
  MULTILINE_START,
  MULTILINE_CONTENT,
  MULTILINE_HOLE,
  MULTILINE_END,
  ERROR_SENTINEL,
};

// How many strings of several lines may stand inside each other's holes.
#define MAX_OPEN 64

typedef struct {
  // For each open string, how many dollars open a hole; 0: none do.
  uint8_t open[MAX_OPEN];
  uint8_t count;
} Scanner;

void *tree_sitter_bicep_external_scanner_create(void) { return calloc(1, sizeof(Scanner)); }

void tree_sitter_bicep_external_scanner_destroy(void *payload) { free(payload); }

unsigned tree_sitter_bicep_external_scanner_serialize(void *payload, char *buffer) {
  Scanner *scanner = payload;
  for (unsigned i = 0; i < scanner->count; i++) buffer[i] = (char)scanner->open[i];
  return scanner->count;
}

void tree_sitter_bicep_external_scanner_deserialize(void *payload, const char *buffer, unsigned length) {
  Scanner *scanner = payload;
  scanner->count = 0;
  for (unsigned i = 0; i < length && i < MAX_OPEN; i++) scanner->open[scanner->count++] = (uint8_t)buffer[i];
}

// The inside of a string of several lines: text, the beginning of a hole, or the closing quotes.
static bool scan_multiline(Scanner *scanner, TSLexer *lexer, const bool *valid) {
  uint8_t dollars = scanner->open[scanner->count - 1];
  bool content = false;
  for (;;) {
    if (lexer->eof(lexer)) {
      lexer->mark_end(lexer);
      lexer->result_symbol = MULTILINE_CONTENT;
      return content && valid[MULTILINE_CONTENT];
    }
    lexer->mark_end(lexer);
    if (lexer->lookahead == '\'') {
      unsigned quotes = 0;
      while (lexer->lookahead == '\'') {
        lexer->advance(lexer, false);
        quotes++;
      }
      if (quotes >= 3) {
        if (content) {
          // The text before; the quotes are looked at again. More than three count to the closing ones.
          lexer->result_symbol = MULTILINE_CONTENT;
          return true;
        }
        lexer->mark_end(lexer);
        lexer->result_symbol = MULTILINE_END;
        scanner->count--;
        return true;
      }
      content = true;
    } else if (lexer->lookahead == '$' && dollars > 0) {
      unsigned run = 0;
      while (lexer->lookahead == '$') {
        lexer->advance(lexer, false);
        run++;
      }
      if (run >= dollars && lexer->lookahead == '{') {
        if (content) {
          lexer->result_symbol = MULTILINE_CONTENT;
          return true;
        }
        lexer->advance(lexer, false);
        lexer->mark_end(lexer);
        lexer->result_symbol = MULTILINE_HOLE;
        return true;
      }
      content = true;
    } else {
      lexer->advance(lexer, false);
      content = true;
    }
  }
}

bool tree_sitter_bicep_external_scanner_scan(void *payload, TSLexer *lexer, const bool *valid) {
  Scanner *scanner = payload;
  // While recovering from an error everything is said to be valid: then only newlines help.
  bool recovering = valid[ERROR_SENTINEL];

  if (!recovering && scanner->count > 0 && (valid[MULTILINE_CONTENT] || valid[MULTILINE_END])) {
    return scan_multiline(scanner, lexer, valid);
  }

  bool newline = false;
  while (lexer->lookahead == ' ' || lexer->lookahead == '\t' || lexer->lookahead == '\r' || lexer->lookahead == '\n') {
    newline |= lexer->lookahead == '\r' || lexer->lookahead == '\n';
    lexer->advance(lexer, true);
  }
  // A newline token is empty and stands at the beginning of the next line.
  lexer->mark_end(lexer);

  if (!recovering) {
    if (lexer->lookahead == '?' && valid[QUESTION]) {
      lexer->advance(lexer, false);
      if (lexer->lookahead != '?') {
        lexer->mark_end(lexer);
        lexer->result_symbol = QUESTION;
        return true;
      }
      return false;
    }
    if (newline && lexer->lookahead == ':' && valid[COLON]) {
      lexer->advance(lexer, false);
      if (lexer->lookahead != ':') {
        lexer->mark_end(lexer);
        lexer->result_symbol = COLON;
        return true;
      }
      return false;
    }
    if (lexer->lookahead == '|' && valid[PIPE]) {
      lexer->advance(lexer, false);
      if (lexer->lookahead != '|') {
        lexer->mark_end(lexer);
        lexer->result_symbol = PIPE;
        return true;
      }
      return false;
    }
    if (!newline && valid[MULTILINE_START] && (lexer->lookahead == '$' || lexer->lookahead == '\'')) {
      unsigned dollars = 0, quotes = 0;
      while (lexer->lookahead == '$') {
        lexer->advance(lexer, false);
        dollars++;
      }
      while (lexer->lookahead == '\'' && quotes < 3) {
        lexer->advance(lexer, false);
        quotes++;
      }
      if (quotes < 3 || scanner->count >= MAX_OPEN) return false;
      lexer->mark_end(lexer);
      scanner->open[scanner->count++] = (uint8_t)(dollars > 255 ? 255 : dollars);
      lexer->result_symbol = MULTILINE_START;
      return true;
    }
  }
  if (newline && valid[NEWLINE]) {
    lexer->result_symbol = NEWLINE;
    return true;
  }
  return false;
}
